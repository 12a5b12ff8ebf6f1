package notebook

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/report"
	"gaze/pkg/hub"
)

// A checkpoint with random weights, a grid of 3x3 patches.
var tiny = filepath.Join("..", "vit", "testdata", "hf_vit", "weights.safetensors")

func TestModelAndPositions(t *testing.T) {
	_, _, status := record(t, false)
	t.Setenv("GAZE_VIT", tiny)
	w := Model()
	defer w.Close()
	if *status != 0 || !strings.Contains(w.Title, "(hf_vit)") || !strings.Contains(w.Source, tiny) {
		t.Errorf("exit %d, title %q, source %q", *status, w.Title, w.Source)
	}
	about := About(w).String()
	for _, want := range []string{w.Title, "not known", "normalize"} {
		if !strings.Contains(about, want) {
			t.Errorf("About doesn't say %q:\n%s", want, about)
		}
	}
	if strings.Contains(about, "kind") {
		t.Errorf("About says what kind of weights a file of the user's are:\n%s", about)
	}
	if p := Positions(w); p.Model != w.Title || p.Rows != p.Cols {
		t.Errorf("positions of %q, %dx%d", p.Model, p.Rows, p.Cols)
	}
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_VIT", "pets-vit")
	shipped := Model()
	defer shipped.Close()
	if about := About(shipped).String(); !strings.Contains(about, "kind") || !strings.Contains(about, "drawn breeds") {
		t.Errorf("About doesn't say what pets-vit is:\n%s", about)
	}
	t.Setenv("GAZE_VIT", "no-such-weights")
	if _, err := open(); err == nil || !strings.Contains(err.Error(), "GAZE_VIT") || !strings.Contains(err.Error(), "gaze models") {
		t.Errorf("error %v, want one that names GAZE_VIT", err)
	}
}

// TestModelOfRun checks that GAZE_VIT takes the same values as --model, with paths relative
// to the folder that the user started in.
func TestModelOfRun(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"run/best", "begun", "failed", "damaged/best", "folder"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	weights, err := os.ReadFile(tiny)
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(filepath.Dir(tiny), "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"run/run.json": []byte(`{"status":"done"}`), "run/best/model.safetensors": weights, "run/best/config.json": config,
		"begun/run.json": []byte(`{"status":"running"}`), "failed/run.json": []byte(`{"status":"failed","reason":"the loss is NaN"}`),
		"damaged/run.json": []byte(`{"status":"done"}`), "damaged/best/model.safetensors": []byte("nonsense"),
		"folder/model.safetensors": weights, "folder/config.json": config,
	} {
		if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GAZE_START", root)
	for _, test := range []struct{ value, title, source string }{
		{"run", "(run)", "a run of your own"},
		{"./run/", "(run)", "a run of your own"},
		{filepath.Join(root, "run"), "(run)", "a run of your own"},
		{"folder", "(folder)", "a file of your own"},
		{"folder/model.safetensors", "(folder)", "a file of your own"},
		{tiny, "(hf_vit)", tiny}, // relative to the working folder
	} {
		t.Setenv("GAZE_VIT", test.value)
		w, err := open()
		if err != nil {
			t.Errorf("%s: %v", test.value, err)
			continue
		}
		if !strings.HasSuffix(w.Title, test.title) || !strings.Contains(w.Source, test.source) {
			t.Errorf("%s: %s from %s", test.value, w.Title, w.Source)
		}
		w.Close()
	}
	for value, says := range map[string]string{
		"begun": "no model yet", "failed": "the loss is NaN", "damaged": "train it again",
		"none": filepath.Join(root, "none"), "/nowhere": "/nowhere",
	} {
		t.Setenv("GAZE_VIT", value)
		if _, err := open(); err == nil || !strings.Contains(err.Error(), "GAZE_VIT") || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", value, err, says)
		}
	}
}

func TestAttendComputesOnce(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_VIT", tiny)
	w, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	photo := filepath.Join(t.TempDir(), "p.png")
	f, err := os.Create(photo)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 20, 30))); err != nil {
		t.Fatal(err)
	}
	f.Close()

	first, err := Attend(w, "", photo)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != 1 || first[0].Picture != "p.png" || first[0].Model != w.Title || len(first[0].Layers) != w.Config.Depth {
		t.Fatalf("%+v", first)
	}
	// The second time, no model is opened: the result is read from disk.
	w.Model.Close()
	again, err := Attend(w, "", photo)
	if err != nil {
		t.Fatal(err)
	}
	a, b := first[0].Layers[0].Weights, again[0].Layers[0].Weights
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("weight %d is %v from the disk, %v before", i, b[i], a[i])
		}
	}
	if _, err := Attend(w, "resize(8", photo); err == nil {
		t.Error("a broken pipeline passes")
	}
	if _, err := Attend(w, "", photo+"x"); err == nil {
		t.Error("a missing picture passes")
	}
	if some, err := Attend(w, "", photo+"x", photo); err != nil || len(some) != 1 || some[0].Picture != "p.png" {
		t.Errorf("beside one that can't be read: %d, %v", len(some), err)
	}
}

func TestPhotographsOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"26_5064.jpg", "29_4718_224x224.jpg", "31_4838.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GAZE_PETS", dir)
	if got := Photographs(); len(got) != 3 || filepath.Base(got[1]) != "29_4718_224x224.jpg" {
		t.Errorf("photographs %q", got)
	}
	if about := AboutPhotographs().String(); !strings.Contains(about, "GAZE_PETS") {
		t.Errorf("about: %s", about)
	}
	// If one of them is missing, the folder is treated like any other.
	if err := os.Remove(filepath.Join(dir, "31_4838.jpg")); err != nil {
		t.Fatal(err)
	}
	if got := Photographs(); len(got) != 2 || filepath.Base(got[0]) != "26_5064.jpg" {
		t.Errorf("photographs %q", got)
	}
	for i := range 9 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("a", i, ".png")), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if about := AboutPhotographs().String(); !strings.Contains(about, "6 of 11") || !strings.Contains(about, "a3.png") || strings.Contains(about, "a4.png") || strings.Contains(about, "CC BY") {
		t.Errorf("about: %s", about)
	}
	_, _, status := record(t, false)
	t.Setenv("GAZE_PETS", filepath.Join(dir, "none"))
	if Photographs(); *status == 0 {
		t.Error("a folder that isn't there passes")
	}
}

func TestPrepareHasNothingToDo(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_VIT", tiny)
	t.Setenv("GAZE_CAPTIONER", hub.LaptopCaptioner) // which needs no backbone
	dir := t.TempDir()
	t.Setenv("GAZE_PETS", dir)
	for _, name := range []string{"26_5064", "29_4718", "31_4838"} {
		if err := os.WriteFile(filepath.Join(dir, name+".jpg"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := report.Prepare(context.Background(), "", hub.Options{}); err != nil {
		t.Error(err)
	}
	// Errors are reported before anything runs.
	for _, name := range []string{"GAZE_VIT", "GAZE_PETS", "GAZE_CAPTIONER", "GAZE_CAPTION_IMAGES"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, filepath.Join(dir, "none"))
			if err := report.Prepare(context.Background(), "", hub.Options{}); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%v, want an error that names %s", err, name)
			}
		})
	}
}
