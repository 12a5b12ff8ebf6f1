package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// A checkpoint with 2 heads, random weights and a head for classes.
var tiny = filepath.Join("..", "..", "pkg", "vit", "testdata", "hf_vit", "weights.safetensors")

// gaze runs a command line and returns its exit status and what it printed.
func gaze(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	status = run(context.Background(), args, &out, &log)
	return status, out.String(), log.String()
}

// ok runs a command line that must succeed.
func ok(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	status, out, log := gaze(t, args...)
	if status != 0 {
		t.Fatalf("gaze %q: exit status %d\n%s%s", args, status, out, log)
	}
	return out
}

// photo writes a picture of coloured stripes.
func photo(t *testing.T, dir, name string) string {
	t.Helper()
	im := image.NewNRGBA(image.Rect(0, 0, 48, 40))
	for y := range 40 {
		for x := range 48 {
			im.Set(x, y, color.NRGBA{R: uint8(5 * x), G: uint8(len(name) * y), B: uint8(x * y), A: 255})
		}
	}
	path := filepath.Join(dir, name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, im); err != nil {
		t.Fatal(err)
	}
	return path
}

// array reads a .npy file.
func array(t *testing.T, path string) (shape []int, values []float32) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := weights.ReadNPY(f)
	if err != nil {
		t.Fatal(err)
	}
	if values, err = a.Float32s(); err != nil {
		t.Fatal(err)
	}
	return a.Shape, values
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{nil, 0, "Usage:"},
		{[]string{"--help"}, 0, "Usage:"},
		{[]string{"atend"}, 2, "did you mean attend"},
		{[]string{"attend"}, 2, "arg"},
		{[]string{"attend", "x.png"}, 2, "required"},
		{[]string{"attend", "--model", tiny, "-o", "x", "--layr", "1", "x.png"}, 2, "unknown flag"},
		{[]string{"attend", "--model", tiny, "-o", "x", "--layer", "one", "x.png"}, 2, "invalid argument"},
		{[]string{"attend", "--model", tiny, "-o", "x", "--layer", "99", "x.png"}, 2, "no layer 99"},
		{[]string{"attend", "--model", tiny, "-o", "x", "--head", "9", "x.png"}, 2, "no head 9"},
		{[]string{"attend", "--model", tiny, "-o", "x", "--head", "some", "x.png"}, 2, "some"},
		{[]string{"attend", "--model", tiny, "-o", "x", "--method", "magic", "x.png"}, 2, "magic"},
		{[]string{"attend", "--model", tiny, "-o", "x", "--pipeline", "resize(8) | blur", "x.png"}, 2, "column 13"},
		{[]string{"attend", "--model", tiny, "-o", "x", "--truth", t.TempDir(), photo(t, t.TempDir(), "x.png")}, 1, "index.csv"},
		{[]string{"devices", "extra"}, 2, "extra"},
		{[]string{"model", "no-such-model"}, 1, "gaze models"},
		{[]string{"pull", "no-such-model"}, 1, "no-such-model"},
		{[]string{"classify", "--model", tiny, "-o", filepath.Join(t.TempDir(), "p.csv"), "no-such-file"}, 1, "no-such-file"},
	} {
		status, out, log := gaze(t, c.args...)
		if status != c.status || !strings.Contains(out+log, c.says) {
			t.Errorf("gaze %q: exit status %d, want %d and %q\n%s%s", c.args, status, c.status, c.says, out, log)
		}
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Name() == "completion" || c.Name() == "help" {
			continue
		}
		if !strings.Contains(c.Example, "gaze "+c.Name()) {
			t.Errorf("%s --help shows no example", c.Name())
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := ok(t, "completion", shell); !strings.Contains(out, "gaze") {
			t.Errorf("no completion for %s", shell)
		}
	}
	if out := ok(t, "__complete", "pull", "dino"); !strings.Contains(out, "dinov2-small") {
		t.Errorf("pull completes to %q", out)
	}
}

func TestDevicesAndModels(t *testing.T) {
	var devices []struct{ Used bool }
	if err := json.Unmarshal([]byte(ok(t, "devices", "--json")), &devices); err != nil {
		t.Fatal(err)
	}
	used := 0
	for _, d := range devices {
		if d.Used {
			used++
		}
	}
	if used != 1 {
		t.Errorf("%d of %d backends are the one in use", used, len(devices))
	}
	if out := ok(t, "devices"); !strings.Contains(out, "WHY") {
		t.Errorf("devices: %s", out)
	}
	var models []listed
	if err := json.Unmarshal([]byte(ok(t, "models", "--json")), &models); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(models, func(m listed) bool { return m.Name == "dinov2-small" && m.License != "" && m.Page != "" }) {
		t.Error("dinov2-small isn't listed with licence and source")
	}
	if out := ok(t, "models"); !strings.Contains(out, "LICENCE") {
		t.Errorf("models: %s", out)
	}
}

func TestModel(t *testing.T) {
	var d map[string]any
	if err := json.Unmarshal([]byte(ok(t, "model", tiny, "--json")), &d); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"format", "layout", "architecture", "parameters", "image_size", "classes", "pipeline"} {
		if _, there := d[key]; !there {
			t.Errorf("model --json doesn't tell %s", key)
		}
	}
	if out := ok(t, "model", tiny); !strings.Contains(out, "patches of") {
		t.Errorf("model: %s", out)
	}
}

func TestAttend(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	photo(t, in, "b.png")
	photo(t, in, "a, with \"odd\" name.png")
	if err := os.WriteFile(filepath.Join(in, "broken.jpg"), []byte("\xFF\xD8\xFF no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, log := gaze(t, "attend", "--model", tiny, "-o", out, "--npy", in)
	if status != 1 || !strings.Contains(log, "broken.jpg") || !strings.Contains(log, "1 of 3 pictures failed") {
		t.Errorf("exit status %d: %s", status, log)
	}
	shape, values := array(t, filepath.Join(out, "a, with \"odd\" name.npy"))
	sum := float32(0)
	for _, v := range values {
		sum += v
	}
	if len(shape) != 2 || shape[0]*shape[1] != len(values) || sum <= 0 || sum >= 1 {
		t.Errorf("weights of shape %v sum to %v", shape, sum)
	}
	f, err := os.Open(filepath.Join(out, "b.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if im, err := png.Decode(f); err != nil || im.Bounds().Dx() < 500 {
		t.Errorf("figure: %v", err)
	}
	for _, name := range []string{"broken.png", "broken.npy"} {
		if _, err := os.Stat(filepath.Join(out, name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	ok(t, "attend", "--model", tiny, "-o", out, "--svg", "--layer", "0", "--head", "1", filepath.Join(in, "b.png"))
	if svg, err := os.ReadFile(filepath.Join(out, "b.svg")); err != nil || !bytes.Contains(svg, []byte("layer 0")) {
		t.Errorf("SVG: %v", err)
	}
}

func TestClassify(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	for _, name := range []string{"z.png", "a,b.png", "new\nline.png", "quote\".png"} {
		photo(t, in, name)
	}
	pred, logits := filepath.Join(out, "pred.csv"), filepath.Join(out, "l.npy")
	ok(t, "classify", "--model", tiny, "-o", pred, "--logits", logits, in)
	rows := readCSV(t, pred)
	if !slices.Equal(rows[0], []string{"filename", "label"}) || len(rows) != 5 || rows[1][0] != "a,b.png" || rows[2][0] != "new\nline.png" {
		t.Errorf("rows %q", rows)
	}
	shape, values := array(t, logits)
	if len(shape) != 2 || shape[0] != 4 {
		t.Fatalf("logits of shape %v", shape)
	}
	names := filepath.Join(out, "names.txt")
	var text strings.Builder
	for i := range shape[1] {
		text.WriteString("class " + string(rune('a'+i)) + "\r\n")
	}
	if err := os.WriteFile(names, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	ok(t, "classify", "--model", tiny, "-o", pred, "--names", names, in)
	want := "class " + string(rune('a'+argmax(values[:shape[1]])))
	if got := readCSV(t, pred)[1][1]; got != want {
		t.Errorf("label %q, want %q", got, want)
	}
	if err := os.WriteFile(names, []byte("only one"), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, log := gaze(t, "classify", "--model", tiny, "-o", pred, "--names", names, in); status != 1 || !strings.Contains(log, "1 names") {
		t.Errorf("exit status %d: %s", status, log)
	}
	headless := filepath.Join("..", "..", "pkg", "vit", "testdata", "hf_dinov2", "weights.safetensors")
	if status, _, log := gaze(t, "classify", "--model", headless, "-o", pred, in); status != 1 || !strings.Contains(log, "no classification head") {
		t.Errorf("exit status %d: %s", status, log)
	}
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestPosembed(t *testing.T) {
	out := t.TempDir()
	fig, npy := filepath.Join(out, "fig.png"), filepath.Join(out, "sim.npy")
	ok(t, "posembed", "--model", tiny, "-o", fig, "--npy", npy)
	shape, values := array(t, npy)
	if len(shape) != 2 || shape[0] != shape[1] || values[0] < 0.999999 {
		t.Errorf("similarity of shape %v, of a position with itself %v", shape, values[0])
	}
	if _, err := os.Stat(fig); err != nil {
		t.Error(err)
	}
	if status, _, log := gaze(t, "posembed", "--model", tiny, "-o", filepath.Join(out, "no", "fig.png")); status != 1 || !strings.Contains(log, "fig.png") {
		t.Errorf("exit status %d: %s", status, log)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var out, log bytes.Buffer
	in := t.TempDir()
	photo(t, in, "a.png")
	if status := run(ctx, []string{"attend", "--model", tiny, "-o", t.TempDir(), in}, &out, &log); status != 1 || !strings.Contains(log.String(), "interrupted") {
		t.Errorf("exit status %d: %s", status, log.String())
	}
}

func TestFailsBeforeTheWork(t *testing.T) {
	in := t.TempDir()
	photo(t, in, "a.png")
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"classify", "--model", tiny, "-o", filepath.Join(in, "no", "p.csv"), in}, 1, "p.csv can't be written"},
		{[]string{"classify", "--model", tiny, "-o", in, in}, 1, "name a file"},
		{[]string{"posembed", "--model", tiny, "-o", filepath.Join(in, "f.jpeg")}, 2, ".png or .svg"},
		{[]string{"attend", "--model", tiny, "-o", in, "--pipeline", "resize(12,12)", in}, 2, "totensor"},
		{[]string{"attend", "--model", tiny, "-o", in, filepath.Join(in, "\x1b[31mred")}, 1, "\uFFFD[31mred"},
	} {
		status, _, log := gaze(t, c.args...)
		if status != c.status || !strings.Contains(log, c.says) {
			t.Errorf("gaze %q: exit status %d, want %d and %q\n%s", c.args, status, c.status, c.says, log)
		}
	}
}
