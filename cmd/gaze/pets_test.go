package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/data"
)

func TestPets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	draw := []string{"pets", "--size", "16", "--breeds", "3", "--first-breed", "40", "--train", "2", "--val", "1", "--test", "1", "--seed", "9", "--masks"}
	ok(t, append(draw, "-o", dir)...)
	s, err := data.OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Classes) != 3 || s.Train.Len() != 6 || s.Validation.Len() != 3 || s.Test.Len() != 3 {
		t.Errorf("%d classes, %d, %d, %d pictures", len(s.Classes), s.Train.Len(), s.Validation.Len(), s.Test.Len())
	}
	if _, err := os.Stat(filepath.Join(dir, "test-head", "2_11.png")); err != nil {
		t.Error(err)
	}
	again := filepath.Join(t.TempDir(), "again")
	ok(t, append(draw, "-o", again)...)
	for _, name := range []string{"train/1_4.jpg", "val/0_6.jpg"} {
		a, errA := os.ReadFile(filepath.Join(dir, name))
		b, errB := os.ReadFile(filepath.Join(again, name))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs between two runs (%v, %v)", name, errA, errB)
		}
	}
	earless := filepath.Join(t.TempDir(), "earless")
	ok(t, append(draw, "--without", "ears,tail", "-o", earless)...)
	if s, err := data.OpenDataset(earless); err != nil || s.Train.Len() != 6 || s.Test.Len() != 3 {
		t.Errorf("without ears: %v", err)
	}
	if _, err := os.Stat(filepath.Join(earless, "val-changed", "0_6.png")); err != nil {
		t.Error(err)
	}
	if status, _, log := gaze(t, append(draw, "-o", dir)...); status != 1 || !strings.Contains(log, "not empty") {
		t.Errorf("over another set: exit status %d, %s", status, log)
	}
}

func TestPetsUsage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "set")
	for _, tt := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{}, 2, "output"},
		{[]string{"-o", out, "--train", "-1"}, 2, "--train"},
		{[]string{"-o", out, "--breeds", "0"}, 2, "--breeds 0: it must lie between 1"},
		{[]string{"-o", out, "--train", "0", "--val", "0", "--test", "0"}, 2, "between 1 and"},
		{[]string{"-o", out, "--train", "9000000", "--breeds", "9000000"}, 2, "between 1 and"},
		{[]string{"-o", out, "--size", "5"}, 2, "5"},
		{[]string{"-o", out, "--view", "1.5"}, 2, "1.5"},
		{[]string{"-o", out, "--format", "bmp"}, 2, "bmp"},
		{[]string{"-o", out, "--without", "ears,horns"}, 2, "--without horns: choose of animal, head, ears, muzzle"},
	} {
		status, _, log := gaze(t, append([]string{"pets"}, tt.args...)...)
		if status != tt.status || !strings.Contains(log, tt.says) {
			t.Errorf("%q: exit status %d, %s", tt.args, status, log)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%q left something behind", tt.args)
		}
	}
}

func TestPullOxfordPetsUsage(t *testing.T) {
	for _, args := range [][]string{{"pull", "dinov2-small", "-o", "x"}, {"pull", "oxford-pets", "dinov2-small", "-o", "x"}} {
		if status, _, log := gaze(t, args...); status != 2 || !strings.Contains(log, "only oxford-pets") {
			t.Errorf("%q: exit status %d, %s", args, status, log)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	t.Setenv("GAZE_OXFORD_ENDPOINT", server.URL)
	t.Setenv("GAZE_CACHE", t.TempDir())
	dir := filepath.Join(t.TempDir(), "pets")
	if status, out, log := gaze(t, "pull", "oxford-pets", "-o", dir, "-q"); status != 1 || out != "" || !strings.Contains(log, "annotations.tar.gz") {
		t.Errorf("exit status %d, %s%s", status, out, log)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder was left")
	}
}
