package main

import (
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/realdata"
	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
)

// drawnScenes makes a folder with some of the report's pictures.
func drawnScenes(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		s, err := scenes.Report(name, 128)
		if err != nil {
			t.Fatal(err)
		}
		if err := plots.SavePNG(filepath.Join(dir, name+".png"), s.Image); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestCaption captions two pictures with the shipped captioner and checks every
// documented field of the result.
func TestCaption(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a captioner many times")
	}
	shareCache(t)
	photos, out := drawnScenes(t, "sheep", "umbrella"), filepath.Join(t.TempDir(), "out")
	said := ok(t, "caption", "--model", hub.LaptopCaptioner, "--json", "--atlas", "-o", out, photos)
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "sheep.png\t") || !strings.Contains(lines[1], "\ta woman") {
		t.Errorf("said %q", said)
	}
	for _, name := range []string{"sheep.png", "sheep-layers.png", "sheep-heads.png", "umbrella.png"} {
		f, err := os.Open(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
	data, err := os.ReadFile(filepath.Join(out, "umbrella.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Caption string
		Pieces  []struct {
			ID      int
			Text    string
			LogProb float64
		}
		Grid      []int
		Attention [][]float64
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	words := len(strings.Fields(got.Caption))
	if !strings.Contains(got.Caption, "umbrella") || len(got.Pieces) != words+1 || got.Pieces[words].Text != "[SEP]" || got.Pieces[words].ID != 2 {
		t.Errorf("%q of %d words, pieces %+v", got.Caption, words, got.Pieces)
	}
	if len(got.Grid) != 2 || got.Grid[0] != 16 || got.Grid[1] != 16 || len(got.Attention) != words+1 {
		t.Fatalf("grid %v, attention of %d pieces", got.Grid, len(got.Attention))
	}
	for i, row := range got.Attention {
		sum := 0.0
		for _, v := range row {
			sum += v
		}
		if len(row) != 256 || math.Abs(sum-1) > 1e-4 || got.Pieces[i].LogProb > 0 {
			t.Errorf("piece %d: %d cells that sum to %g, log-probability %g", i, len(row), sum, got.Pieces[i].LogProb)
		}
	}
}

// TestCaptionChoices captions with other decoding and drawing options.
func TestCaptionChoices(t *testing.T) {
	if testing.Short() {
		t.Skip("captions many times")
	}
	shareCache(t)
	photos, out := drawnScenes(t, "ski"), t.TempDir()
	for _, args := range [][]string{
		{"--beam", "3", "--layer", "0", "--head", "max"},
		{"--top-k", "5", "--temperature", "2", "--seed", "7", "--max-tokens", "4", "--head", "1", "--scale", "figure", "--svg"},
		{"--method", "chefer", "--json"},
	} {
		said := ok(t, append([]string{"caption", "--model", hub.LaptopCaptioner, "-o", out, photos}, args...)...)
		if !strings.Contains(said, "ski.png\t") {
			t.Errorf("%q: said %q", args, said)
		}
	}
	if text, err := os.ReadFile(filepath.Join(out, "ski.json")); err != nil || !strings.Contains(string(text), `"method":"chefer","maps":[[`) {
		t.Errorf("the maps of a method: %d bytes, %v", len(text), err)
	}
	if text, err := os.ReadFile(filepath.Join(out, "ski.svg")); err != nil || !strings.Contains(string(text), "&lt;start&gt;") {
		t.Errorf("the SVG: %d bytes, %v", len(text), err)
	}
}

// TestCaptionBadInput: pictures that can't be captioned are named, the others are done.
func TestCaptionBadInput(t *testing.T) {
	if testing.Short() {
		t.Skip("captions many times")
	}
	shareCache(t)
	photos, out := drawnScenes(t, "bike"), t.TempDir()
	if err := os.WriteFile(filepath.Join(photos, "broken.jpg"), []byte("\xff\xd8\xff\xe0 not much of a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := plots.SavePNG(filepath.Join(photos, "pixel.png"), image.NewRGBA(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	if err := plots.SavePNG(filepath.Join(photos, "thread.png"), image.NewRGBA(image.Rect(0, 0, 900, 1))); err != nil {
		t.Fatal(err)
	}
	status, said, log := gaze(t, "caption", "--model", hub.LaptopCaptioner, "-o", out, photos)
	if status != 1 || !strings.Contains(said, "bike.png\t") || !strings.Contains(said, "pixel.png\t") {
		t.Errorf("exit status %d, said %q", status, said)
	}
	for _, want := range []string{"broken.jpg", "thread.png", "2 of 4 pictures failed"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "thread.png")); err == nil {
		t.Error("a picture that failed left a figure")
	}
	vit := filepath.Join("..", "..", "pkg", "vit", "testdata", "hf_vit", "weights.safetensors")
	empty, wordless := t.TempDir(), filepath.Join(t.TempDir(), "wordless.safetensors")
	m, err := caption.New(caption.Small(9), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(wordless, false); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"--model", vit, photos}, 1, "holds a Vision Transformer"},
		{[]string{"--model", wordless, photos}, 1, "--vocab"},
		{[]string{"--model", "no-such-captioner", photos}, 1, "no-such-captioner"},
		{[]string{"--model", hub.LaptopCaptioner, empty}, 1, empty},
		{[]string{"--model", hub.LaptopCaptioner, "--vocab", filepath.Join(photos, "bike.png"), photos}, 1, "bike.png"},
		{[]string{"--model", hub.LaptopCaptioner, "--layer", "3", photos}, 2, "--layer"},
		{[]string{"--model", hub.LaptopCaptioner, "--head", "4", photos}, 2, "--head"},
		{[]string{"--model", hub.LaptopCaptioner, "--head", "all", photos}, 2, "--head"},
		{[]string{"--model", hub.LaptopCaptioner, "--scale", "picture", photos}, 2, "--scale"},
		{[]string{"--model", hub.LaptopCaptioner, "--method", "legrad", photos}, 2, "--method"},
		{[]string{"--model", hub.LaptopCaptioner, "--beam", "0", photos}, 2, "--beam"},
		{[]string{"--model", hub.LaptopCaptioner, "--beam", "2", "--top-k", "3", photos}, 2, "can't be combined with sampling"},
		{[]string{"--model", hub.LaptopCaptioner, "--temperature", "-1", photos}, 2, "a temperature of -1"},
		{[]string{"--model", hub.LaptopCaptioner, "--top-p", "2", photos}, 2, "top-p 2"},
		{[]string{"--model", hub.LaptopCaptioner}, 2, "at least 1"},
		{[]string{"--model", hub.LaptopCaptioner, "--beam", "2", "--neighbours", "3", photos}, 2, "a captioner that remembers pictures"},
		{[]string{"--model", hub.LaptopCaptioner, "-o", "", "--json", photos}, 2, "-o DIR"},
	}
	for _, c := range cases {
		status, _, log := gaze(t, append([]string{"caption", "-o", t.TempDir()}, c.args...)...)
		if status != c.status || !strings.Contains(log, c.says) {
			t.Errorf("%q: exit status %d, %s", c.args, status, log)
		}
	}
}

// TestCaptionHugePicture: a picture of 100 megapixels is captioned, with a small figure.
func TestCaptionHugePicture(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds")
	}
	shareCache(t)
	path, out := filepath.Join(t.TempDir(), "huge.png"), t.TempDir()
	if err := plots.SavePNG(path, image.NewPaletted(image.Rect(0, 0, 10000, 10000), color.Palette{color.RGBA{20, 120, 40, 255}})); err != nil {
		t.Fatal(err)
	}
	said := ok(t, "caption", "--model", hub.LaptopCaptioner, "-o", out, path)
	if !strings.Contains(said, "huge.png\t") {
		t.Errorf("said %q", said)
	}
	f, err := os.Open(filepath.Join(out, "huge.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := png.DecodeConfig(f); err != nil || c.Width > 4000 {
		t.Errorf("the figure is %d pixels wide, %v", c.Width, err)
	}
}

// TestCaptionOnlyPrints: without -o captions are printed and nothing is written; the captioner
// of drawings says that it knows nothing else.
func TestCaptionOnlyPrints(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a captioner")
	}
	shareCache(t)
	dir := t.TempDir()
	path := photo(t, dir, "cat.png")
	before := contents(t, dir)
	status, said, log := gaze(t, "caption", "--model", hub.LaptopCaptioner, "--max-tokens", "4", path)
	if status != 0 || !strings.Contains(said, "cat.png\t") || !strings.Contains(log, "knows drawings") || !strings.Contains(log, hub.PhotosCaptioner) {
		t.Errorf("status %d, said %q, log %q", status, said, log)
	}
	if after := contents(t, dir); !maps.Equal(before, after) {
		t.Errorf("the folder has %v, it had %v", after, before)
	}
}

// TestCaptionPhotograph captions a photograph with the default captioner, whose network must
// be in the user's cache: nothing is fetched in tests.
func TestCaptionPhotograph(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a captioner")
	}
	if _, ok := hub.Path("efficientnet-lite2"); !ok {
		t.Skip("efficientnet-lite2 isn't in the cache: gaze pull efficientnet-lite2")
	}
	cat := realdata.Path(t, "images", "pd_cc0", "chelsea.png")
	out := t.TempDir()
	status, said, log := gaze(t, "caption", "--json", "-o", out, cat)
	if status != 0 || !strings.Contains(said, " cat ") || !strings.Contains(log, "captions by "+hub.PhotosCaptioner) {
		t.Errorf("status %d, said %q, log %q", status, said, log)
	}
	var result captionJSON
	text, err := os.ReadFile(filepath.Join(out, "chelsea.json"))
	if err == nil {
		err = json.Unmarshal(text, &result)
	}
	if err != nil || result.Grid != [2]int{9, 9} || len(result.Attention) != len(result.Pieces) {
		t.Errorf("%+v, %v", result.Grid, err)
	}
}

// TestModelOfCaptioner describes a captioner.
func TestModelOfCaptioner(t *testing.T) {
	shareCache(t)
	if said := ok(t, "model", hub.LaptopCaptioner); !strings.Contains(said, "captioner, 1.6 million parameters") || !strings.Contains(said, "104 word pieces, with the weights") {
		t.Errorf("said %s", said)
	}
	var d captionerDescription
	if err := json.Unmarshal([]byte(ok(t, "model", hub.LaptopCaptioner, "--json")), &d); err != nil || d.Config.DecoderLayers != 3 || d.Grid != [2]int{16, 16} || !d.OwnWords {
		t.Errorf("as JSON %+v, %v", d, err)
	}
}
