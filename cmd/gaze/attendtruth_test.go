package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAttendTruth: the maps are written as always, and scored where more is known.
func TestAttendTruth(t *testing.T) {
	pets, out := t.TempDir(), t.TempDir()
	for _, dir := range []string{"val", "trimaps"} {
		if err := os.Mkdir(filepath.Join(pets, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"0_1.png", "0_2.png", "1_3.png"} {
		photo(t, filepath.Join(pets, "val"), name)
	}
	f, err := os.Open(filepath.Join(pets, "val", "0_1.png"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := png.DecodeConfig(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	trimap := image.NewGray(image.Rect(0, 0, cfg.Width, cfg.Height))
	for i := range trimap.Pix {
		trimap.Pix[i] = 2
	}
	for y := cfg.Height / 4; y < cfg.Height/2; y++ {
		for x := cfg.Width / 4; x < cfg.Width/2; x++ {
			trimap.SetGray(x, y, color.Gray{1})
		}
	}
	w, err := os.Create(filepath.Join(pets, "trimaps", "0_1.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(w, trimap); err != nil {
		t.Fatal(err)
	}
	w.Close()
	index := "file,split,cls,width,height,xmin,ymin,xmax,ymax\n0_1.png,val,0,,,,,,\n0_2.png,val,0,,,,,,\n"
	if err := os.WriteFile(filepath.Join(pets, "index.csv"), []byte(index), 0o644); err != nil {
		t.Fatal(err)
	}
	text := ok(t, "attend", "--model", tiny, "-o", out, "--truth", pets, filepath.Join(pets, "val"))
	for _, want := range []string{"the pet's mask", "1 photograph of 1 breed", "pointing game", "centre Gaussian", "mean of heads", "the best by energy"} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't print %q:\n%s", want, text)
		}
	}
	for _, name := range []string{"0_1.png", "0_2.png", "1_3.png"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	if status, _, log := gaze(t, "attend", "--model", tiny, "-o", out, "--truth", pets, filepath.Join(pets, "val", "1_3.png")); status != 2 || !strings.Contains(log, "--truth") {
		t.Errorf("of a picture that isn't known: status %d, %s", status, log)
	}
	if status, _, log := gaze(t, "attend", "--model", tiny, "--force", "-o", filepath.Join(pets, "trimaps"), "--truth", pets, filepath.Join(pets, "val")); status != 2 {
		t.Errorf("over the trimaps: status %d, %s", status, log)
	}
	write(t, filepath.Join(pets, "trimaps", "0_2.png"), "no picture")
	status, text, log := gaze(t, "attend", "--model", tiny, "-o", out, "--truth", pets, filepath.Join(pets, "val"))
	if status != 1 || !strings.Contains(log, "1 of 2 pictures weren't scored (the first: 0_2)") || !strings.Contains(text, "1 photograph of 1 breed") {
		t.Errorf("with a damaged trimap: status %d, %s%s", status, text, log)
	}
}
