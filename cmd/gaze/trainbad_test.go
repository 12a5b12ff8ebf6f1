package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// badSets makes data sets that can't be trained on: one whose val has a class missing
// from train, one with a single class, one with a truncated picture.
func badSets(t *testing.T, good string) (lacking, alone, torn string) {
	t.Helper()
	dir := t.TempDir()
	lacking, alone, torn = filepath.Join(dir, "lacking"), filepath.Join(dir, "alone"), filepath.Join(dir, "torn")
	for _, class := range []string{"lacking/train/cat", "lacking/train/dog", "lacking/val/cat", "lacking/val/owl", "alone/cat"} {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o755); err != nil {
			t.Fatal(err)
		}
		photo(t, filepath.Join(dir, class), "1.png")
	}
	if err := os.CopyFS(torn, os.DirFS(good)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(torn, "train", "1_900.jpg"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	return lacking, alone, torn
}

// TestTrainRefuses: invalid input is refused before any work, and leaves no files.
func TestTrainRefuses(t *testing.T) {
	set := petSet(t)
	lacking, alone, torn := badSets(t, set)
	device := filepath.Join(t.TempDir(), "device.csv") // which never ends where there is /dev/zero
	if err := os.WriteFile(device, []byte("filename,label\n"+endless()+",0\n"+set+"/train/0_0.jpg,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags  []string // what isn't named is as it should be
		status int
		says   string
	}{
		{[]string{"--set", "lr=fast"}, 2, "column 4"},
		{[]string{"--set", "lr=1; epoch=2"}, 2, "there is no setting \"epoch\""},
		{[]string{"--set", "probe; mixup=1"}, 2, "can't be mixed"},
		{[]string{"--set", "optimizer=lion"}, 2, "adam, adamw, sgd"},
		{[]string{"--set", "epochs=0"}, 2, "between 1"},
		{[]string{"--pipeline", "resize(32,32"}, 2, "--pipeline: column"},
		{[]string{"--pipeline", "resize(32,32)"}, 2, "totensor"},
		{[]string{"--pipeline", "resize(33,32) | totensor"}, 1, "can't be cut into patches"},
		{[]string{"--pipeline", "grayscale | resize(32,32) | totensor"}, 1, "1 channels"},
		{[]string{"--eval-pipeline", "randomhflip | resize(32,32) | totensor"}, 2, "random steps"},
		{[]string{"--eval-pipeline", "resize(16,16) | totensor"}, 1, "must agree"},
		{[]string{"--model", "vit:dim=30,heads=4"}, 2, "don't divide"},
		{[]string{"--model", "vit:deep=3"}, 2, "--model: column 5"},
		{[]string{"--model", "no-such-model"}, 1, "gaze models"},
		{[]string{"--model", ""}, 2, "\"model\" not set"},
		{[]string{"--data", set + "/none"}, 1, "none"},
		{[]string{"--data", lacking}, 1, "owl"},
		{[]string{"--data", alone}, 1, "training needs at least two classes"},
		{[]string{"--data", torn}, 1, "1_900.jpg"},
		{[]string{"--workers", "-1"}, 2, "negative"},
		{[]string{"--resume"}, 1, "no run to resume"},
		{[]string{"--output", ""}, 2, "--output is empty"},
		{[]string{"--data", device}, 1, "not a regular file"},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		args := append([]string{"train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--set", "epochs=1", "-o", dir}, c.flags...)
		status, out, log := gaze(t, args...)
		if status != c.status || !strings.Contains(log, c.says) || out != "" {
			t.Errorf("gaze train %q: exit status %d, want %d and %q\n%s%s", c.flags, status, c.status, c.says, out, log)
		}
		// A bad picture is found only when its batch is loaded.
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) && !slices.Contains(c.flags, torn) {
			t.Errorf("gaze train %q left a folder (%v)", c.flags, err)
		}
	}
	// With --skip-bad the bad picture is named, and the others are trained on.
	out, err := command(t, "train", "--data", torn, "--skip-bad", "--model", trainScratch, "--pipeline", trainPipeline, "--set", "epochs=2", "-o", filepath.Join(t.TempDir(), "run")).CombinedOutput()
	if err != nil || strings.Count(string(out), "1_900.jpg") != 1 {
		t.Errorf("--skip-bad: %v\n%s", err, out)
	}
}

// endless is the path of a device, one that never ends if there is one.
func endless() string {
	if _, err := os.Stat("/dev/zero"); err != nil {
		return os.DevNull
	}
	return "/dev/zero"
}
