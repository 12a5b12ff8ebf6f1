package main

import (
	"encoding/json"
	"errors"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLR runs a range test: it gives a table with suggestions, a chart and the same as
// JSON, and leaves no other files.
func TestLR(t *testing.T) {
	set, dir := petSet(t), t.TempDir()
	chart := filepath.Join(dir, "lr.png")
	args := []string{"lr", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--from", "1e-5", "--to", "1e3", "--updates", "40"}
	status, out, log := separately(t, append(args, "-o", chart, "--set", "batch=8; optimizer=sgd; lr=1; epochs=3")...)
	if status != 0 || !strings.Contains(log, "these settings have no effect in a range test: lr, epochs") {
		t.Errorf("exit status %d, %s", status, log)
	}
	for _, says := range []string{"learning rate", "1.0e-5", "where the loss falls fastest", "a tenth of where it is lowest", "a tenth of where it diverges", "The loss diverges at"} {
		if !strings.Contains(out, says) {
			t.Errorf("%q isn't said: %s", says, out)
		}
	}
	f, err := os.Open(chart)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("it left %v (%v)", left, err)
	}
	status, out, log = separately(t, append(args, "--json", "--set", "batch=8; optimizer=sgd; seed=3")...)
	var got rangeTest
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 || log != "" {
		t.Fatalf("exit status %d: %v\n%s%s", status, err, out, log)
	}
	n := len(got.Rates)
	if n < 5 || len(got.Losses) != n || len(got.Smoothed) != n || math.Abs(got.Rates[0]-1e-5) > 1e-18 || !got.Diverged || got.DivergedAt <= got.Rates[0] ||
		got.Suggestions["diverged_tenth"] != got.DivergedAt/10 || !slices.Contains(got.Rates, got.Suggestions["steepest"]) || !strings.Contains(got.Settings, "seed=3") {
		t.Errorf("%s", out)
	}
	if status, again, _ := separately(t, append(args, "--json", "--workers", "3", "--set", "batch=8; optimizer=sgd; seed=3")...); status != 0 || again != out {
		t.Errorf("not the same again:\n%s\n%s", out, again)
	}
	if status, out, log := separately(t, append(args, "--to", "1e-4", "--set", "freeze=backbone; batch=8")...); status != 0 || !strings.Contains(out, "didn't diverge up to 1.0e-4") {
		t.Errorf("exit status %d, %s%s", status, out, log)
	}
	if status, _, log := separately(t, append(args, "--updates", "4", "--data", onlyTrain(t), "--set", "batch=4")...); status != 0 || !strings.Contains(log, "are held out") {
		t.Errorf("without a val split: exit status %d, %s", status, log)
	}
}

func TestLRRefuses(t *testing.T) {
	set, dir := petSet(t), t.TempDir()
	for _, c := range []struct {
		flags  []string
		status int
		says   string
	}{
		{[]string{"--from", "1", "--to", "0.1"}, 2, "must rise"},
		{[]string{"--from", "0"}, 2, "more than 0"},
		{[]string{"--updates", "1"}, 2, "at least 2"},
		{[]string{"--set", "lr=fast"}, 2, "column 4"},
		{[]string{"--set", "head_epochs=1"}, 1, "freeze=backbone in its place"},
		{[]string{"--set", "valid=0.3"}, 2, "leave valid out"},
		{[]string{"--data", set + "/none"}, 1, "none"},
		{[]string{"--model", "no-such-model"}, 1, "gaze models"},
		{[]string{"-o", filepath.Join(dir, "lr.jpg")}, 2, ".png or .svg"},
		{[]string{"-o", filepath.Join(dir, "none", "lr.png")}, 1, "can't be written"},
		{[]string{"-o", filepath.Join(set, "train", "lr.png")}, 1, "choose a folder elsewhere"},
		{[]string{"--workers", "-1"}, 2, "negative"},
		{[]string{"--pipeline", "resize(32,32)"}, 2, "totensor"},
	} {
		args := append([]string{"lr", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline}, c.flags...)
		if status, out, log := gaze(t, args...); status != c.status || !strings.Contains(log, c.says) || out != "" {
			t.Errorf("gaze lr %q: exit status %d, want %d and %q\n%s%s", c.flags, status, c.status, c.says, out, log)
		}
	}
	if _, err := os.Stat(filepath.Join(set, "train", "lr.png")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a chart is in the data set (%v)", err)
	}
}
