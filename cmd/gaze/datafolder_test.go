package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutsideData covers links and folders that don't exist yet.
func TestOutsideData(t *testing.T) {
	dir := t.TempDir()
	set := filepath.Join(dir, "set")
	if err := os.Mkdir(set, 0o755); err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(set, "labels.csv")
	if err := os.WriteFile(table, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(dir, "whole") // of two splits; lone has one
	lone := filepath.Join(dir, "lone")
	for _, folder := range []string{filepath.Join(whole, "train"), filepath.Join(whole, "val"), filepath.Join(lone, "train")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(set, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	for _, c := range []struct {
		out, set string
		inside   bool
	}{
		{set, set, true},
		{filepath.Join(set, "run"), set, true},
		{filepath.Join(set, "new", "run"), set, true},
		{filepath.Join(link, "run"), set, true},
		{filepath.Join(set, "run"), link, true},
		{filepath.Join(set, "..run"), set, true},
		{filepath.Join(dir, "run"), set, false},
		{filepath.Join(dir, "set-run"), set, false},
		{filepath.Join(set, "run"), table, false},
		{filepath.Join(set, "run"), filepath.Join(dir, "absent"), false},
		{filepath.Join(dir, "run"), filepath.Join(set, "train"), false},
		{filepath.Join(whole, "run"), filepath.Join(whole, "val"), true},
		{filepath.Join(dir, "run"), filepath.Join(whole, "val"), false},
		{filepath.Join(lone, "run"), filepath.Join(lone, "train"), false},
	} {
		if err := outsideData(c.out, c.set); (err != nil) != c.inside {
			t.Errorf("-o %s, --data %s: %v, want an error: %t", c.out, c.set, err, c.inside)
		}
	}
}

// TestResultsIntoData: neither a run nor a report is written into a data set, which
// could then no longer be read.
func TestResultsIntoData(t *testing.T) {
	if testing.Short() {
		t.Skip("runs many command lines")
	}
	set, run := petSet(t), filepath.Join(t.TempDir(), "run")
	inside := filepath.Join(set, "run")
	train := []string{"train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--set", "epochs=1", "-o"}
	if status, _, log := gaze(t, append(train, inside)...); status != 1 || !strings.Contains(log, "choose a folder elsewhere") {
		t.Errorf("gaze train -o %s: exit status %d\n%s", inside, status, log)
	}
	ok(t, append(train, run)...)
	if status, _, log := gaze(t, "evaluate", "--run", run, "-o", inside); status != 1 || !strings.Contains(log, "choose a folder elsewhere") {
		t.Errorf("gaze evaluate -o %s: exit status %d\n%s", inside, status, log)
	}
	if _, err := os.Stat(inside); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s was made (%v)", inside, err)
	}
}

// write makes files and their folders.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTrainRunElsewhere: a run's folder must not be inside a folder that its data set
// reads, by any path, or contain the data set; this is checked before anything is
// written.
func TestTrainRunElsewhere(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"pets/Train/cat/0.jpg": "", "pets/Train/dog/0.jpg": "", "pets/Val/cat/0.jpg": "",
		"lists/l.csv": "filename,label\n../far/a/1.jpg,x\n../far/b/2.jpg,y\n", "far/a/1.jpg": "", "far/b/2.jpg": "", "far/c/other.txt": "",
		"tables/train.csv": "filename,label\nimages/1.jpg,x\nimages/2.jpg,y\n", "tables/val.csv": "filename,label\nimages/3.jpg,x\n",
		"tables/images/1.jpg": "", "tables/images/2.jpg": "", "tables/images/3.jpg": "",
		"store/dogs/deep/0.jpg": "", "linked/train/cat/0.jpg": "", "apart/val/cat/0.jpg": "",
		"wrapped/inner/cat/0.jpg": "", "wrapped/inner/dog/0.jpg": "",
	})
	for link, to := range map[string]string{"linked/train/dog": "store/dogs", "linked/val": "apart/val", "shortcut": "pets", "far/back": "pets/Val"} {
		if err := os.Symlink(filepath.Join(dir, to), filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	t.Chdir(dir)
	for _, c := range []struct {
		data, out string
		says      string // "": allowed
	}{
		{"pets", "pets/run", "choose a folder elsewhere"},
		{"pets", "pets/Val/cat/run", "choose a folder elsewhere"},
		{"pets/Val", "pets/run", "choose a folder elsewhere"},
		{"pets/Train", "pets/Val/run", "choose a folder elsewhere"},
		{"pets/Train", "shortcut/new/run", "choose a folder elsewhere"},
		{"shortcut/Train", "pets/run", "choose a folder elsewhere"},
		{"pets/Train", "far/back/run", "choose a folder elsewhere"},
		{"pets", "run/../pets/../pets/run", "choose a folder elsewhere"},
		{"./pets/../pets/Train", "./pets/run", "choose a folder elsewhere"},
		{"lists/l.csv", "far/a/run", "choose a folder elsewhere"},
		{"lists/l.csv", "far/b/new/run", "choose a folder elsewhere"},
		{"lists", "lists/run", "choose a folder elsewhere"},
		{"lists", "far/a/run", "choose a folder elsewhere"},
		{"lists/l.csv", "lists/run", ""},
		{"lists/l.csv", "far/c/run", ""},
		{"tables", "tables/run", "choose a folder elsewhere"},
		{"tables/train.csv", "tables/run", "choose a folder elsewhere"},
		{"tables/train.csv", "tables/images/run", "choose a folder elsewhere"},
		{"linked", "store/dogs/run", "choose a folder elsewhere"},
		{"linked", "store/dogs/deep/run", "choose a folder elsewhere"},
		{"linked", "apart/val/run", "choose a folder elsewhere"},
		{"linked", "store/run", ""},
		{"wrapped", "wrapped/run", "choose a folder elsewhere"},
		{"pets", ".", "it contains the data set"},
		{"pets/Train", "pets", "choose a folder elsewhere"},
		{"lists/l.csv", "far", "it contains the data set"},
		{"lists/l.csv", "lists", "it contains the data set"},
		{"linked", "store", "it contains the data set"},
		{"pets", "pets-run", ""},
		{"pets", "new/run", ""},
	} {
		flags := trainFlags{data: c.data, out: c.out}
		_, err := flags.openData(newTrain())
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("--data %s -o %s: %v, want %q", c.data, c.out, err, c.says)
		}
	}
	if status, _, log := gaze(t, "train", "--data", "pets/Val", "--model", trainScratch, "--pipeline", trainPipeline, "-o", "pets/run"); status != 1 || !strings.Contains(log, "choose a folder elsewhere") {
		t.Errorf("exit status %d, %s", status, log)
	}
	if _, err := os.Stat("pets/run"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder was made (%v)", err)
	}
}
