package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damagedPhotos are damaged JPEG files; Pillow's pixels are in PNG files beside them.
var damagedPhotos = filepath.Join("..", "..", "pkg", "data", "testdata", "damaged")

func copyFile(t *testing.T, from, to string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

// gaze transform gives Pillow's pixels and names the damaged file.
func TestTransformDamaged(t *testing.T) {
	for _, name := range []string{"cut80_eoi", "dropped100", "rst_inserted", "rst_missing"} {
		npy := filepath.Join(t.TempDir(), "it.npy")
		path := filepath.Join(damagedPhotos, name+".jpg")
		status, _, log := gaze(t, "transform", "--pipeline", "identity", "--npy", npy, path)
		if status != 0 || strings.Count(log, "\n") != 1 || !strings.HasPrefix(log, "gaze: warning: "+path+": damaged: ") {
			t.Fatalf("%s: exit status %d, %q", name, status, log)
		}
		want := pixels(t, filepath.Join(damagedPhotos, name+".png"))
		_, values := array(t, npy)
		if got := len(values); got != len(want.Pix) {
			t.Fatalf("%s: %d values", name, got)
		}
		for i, v := range values {
			if v != float32(want.Pix[i]) {
				t.Fatalf("%s: value %d is %v, Pillow's %d", name, i, v, want.Pix[i])
			}
		}
	}
}

// Commands for many pictures warn once about each damaged one, and process it like the
// others.
func TestClassifyDamaged(t *testing.T) {
	in := t.TempDir()
	good := copyFile(t, filepath.Join(damagedPhotos, "rst_missing.png"), filepath.Join(in, "b_good.png"))
	bad := copyFile(t, filepath.Join(damagedPhotos, "rst_missing.jpg"), filepath.Join(in, "a_bad.jpg"))
	pred, logits := filepath.Join(t.TempDir(), "p.csv"), filepath.Join(t.TempDir(), "l.npy")
	status, _, log := gaze(t, "classify", "--model", tiny, "-o", pred, "--logits", logits, in)
	if status != 0 || strings.Count(log, "damaged") != 1 || !strings.Contains(log, "gaze: warning: "+bad+": damaged: ") || strings.Contains(log, good) {
		t.Fatalf("exit status %d\n%s", status, log)
	}
	_, values := array(t, logits)
	n := len(values) / 2
	for i := range n {
		if values[i] != values[n+i] {
			t.Fatal("the damaged picture's logits aren't those of Pillow's pixels")
		}
	}
}

// Training and evaluation use damaged pictures and count them.
func TestTrainDamaged(t *testing.T) {
	set := petSet(t)
	for i, name := range []string{"cut80_eoi.jpg", "dropped100.jpg", "rst_inserted.jpg", "rst_missing.jpg"} {
		copyFile(t, filepath.Join(damagedPhotos, name), filepath.Join(set, "train", []string{"0_90", "1_91", "0_92", "1_93"}[i]+".jpg"))
	}
	copyFile(t, filepath.Join(damagedPhotos, "rst_missing.jpg"), filepath.Join(set, "test", "1_99.jpg"))
	dir := filepath.Join(t.TempDir(), "run")
	var out, log bytes.Buffer
	c := command(t, "train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--set", "epochs=2; batch=8", "-o", dir)
	c.Stdout, c.Stderr = &out, &log
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	for words, n := range map[string]int{
		".jpg: damaged: ": 3, "gaze: warning: 4 pictures are damaged; their readable parts are used\n": 1,
	} {
		if strings.Count(log.String(), words) != n {
			t.Errorf("train doesn't say %q %d times:\n%s", words, n, &log)
		}
	}
	log.Reset()
	c = command(t, "evaluate", "--run", dir, "--data", set, "--split", "test")
	c.Stderr = &log
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	if !strings.Contains(log.String(), "1_99.jpg: damaged: ") || !strings.Contains(log.String(), "1 picture is damaged; its readable part is used") {
		t.Errorf("evaluate says\n%s", &log)
	}
}
