package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutsideData follows links and folders that aren't there yet.
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

// TestResultsIntoData: neither a run nor a report is written into a data set,
// which could no longer be read.
func TestResultsIntoData(t *testing.T) {
	set, run := petSet(t), filepath.Join(t.TempDir(), "run")
	inside := filepath.Join(set, "run")
	train := []string{"train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--set", "epochs=1", "-o"}
	if status, _, log := gaze(t, append(train, inside)...); status != 1 || !strings.Contains(log, "name a folder elsewhere") {
		t.Errorf("gaze train -o %s: exit status %d\n%s", inside, status, log)
	}
	ok(t, append(train, run)...)
	if status, _, log := gaze(t, "evaluate", "--run", run, "-o", inside); status != 1 || !strings.Contains(log, "name a folder elsewhere") {
		t.Errorf("gaze evaluate -o %s: exit status %d\n%s", inside, status, log)
	}
	if _, err := os.Stat(inside); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s was made (%v)", inside, err)
	}
}
