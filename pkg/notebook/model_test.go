package notebook

import (
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	if p := Positions(w); p.Model != w.Title || p.Rows != p.Cols {
		t.Errorf("positions of %q, %dx%d", p.Model, p.Rows, p.Cols)
	}
	if _, err := open("no-such-weights"); err == nil || !strings.Contains(err.Error(), "GAZE_VIT") {
		t.Errorf("error %v, want one that names GAZE_VIT", err)
	}
}

func TestAttendComputesOnce(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	w, err := open(tiny)
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
	// The second time, no model is opened: the result comes from the disk.
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
	if err := os.Remove(filepath.Join(dir, "31_4838.jpg")); err != nil {
		t.Fatal(err)
	}
	if got, _ := findPhotographs(""); got != nil {
		t.Errorf("two of three photographs are taken: %q", got)
	}
}

func TestPrepareHasNothingToDo(t *testing.T) {
	t.Setenv("GAZE_VIT", tiny)
	dir := t.TempDir()
	t.Setenv("GAZE_PETS", dir)
	for _, name := range reportPhotos {
		if err := os.WriteFile(filepath.Join(dir, name+".jpg"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Prepare(context.Background(), "", hub.Options{}); err != nil {
		t.Error(err)
	}
}
