package notebook

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// patterned writes a picture that has something in it.
func patterned(t *testing.T, path string, seed int) {
	t.Helper()
	im := image.NewRGBA(image.Rect(0, 0, 30, 20))
	for i := range 600 {
		im.SetRGBA(i%30, i/30, color.RGBA{uint8(i * i / seed), uint8(i * seed), uint8(i), 255})
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, im); err != nil {
		t.Fatal(err)
	}
}

func TestFeaturesAreComputedOnce(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_VIT", tiny)
	w, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	dir := t.TempDir()
	a, b, none := filepath.Join(dir, "a.png"), filepath.Join(dir, "b.png"), filepath.Join(dir, "none.png")
	patterned(t, a, 3)
	patterned(t, b, 7)
	look := func() (text string) {
		p, err := PCA(w, "", a, none, b)
		if err != nil {
			t.Fatal(err)
		}
		x, err := Nearest(w, "", a, b)
		if err != nil {
			t.Fatal(err)
		}
		n, err := TokenNorms(w, "", a, b)
		if err != nil {
			t.Fatal(err)
		}
		g, err := AttentionDistance(w, "", a, b)
		if err != nil {
			t.Fatal(err)
		}
		return p.Table().String() + x.Table(5).String() + n[1].Table().String() + g.Table().String()
	}
	first := look()
	if strings.Count(first, w.Title) != 3 || !strings.Contains(first, "2 pictures") {
		t.Errorf("not every table names the model, or says that there were 2 pictures:\n%s", first)
	}
	// The second time, no model is opened: the results are read from disk.
	w.Model.Close()
	if again := look(); again != first {
		t.Errorf("from the disk:\n%s\nbefore:\n%s", again, first)
	}
	for says, call := range map[string]func() error{
		"two pictures are needed": func() error { _, err := Nearest(w, "", a, none); return err },
		"none.png":                func() error { _, err := PCA(w, "", none); return err },
		"there are no pictures":   func() error { _, err := AttentionDistance(w, ""); return err },
		"resize":                  func() error { _, err := TokenNorms(w, "resize(8", a); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want an error that says %q, not %v", says, err)
		}
	}
}
