package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gaze/internal/xlaplugin"
	"gaze/pkg/backend"
)

// TestUnknownVariable: an unknown variable gets a one-line warning.
func TestUnknownVariable(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_PET", "photos")
	status, out, log := separately(t, "devices")
	if status != 0 || strings.Count(log, "GAZE_PET ") != 1 || !strings.Contains(log, "did you mean GAZE_PETS?") || strings.Contains(out, "GAZE_PET ") {
		t.Errorf("exit status %d\n%s%s", status, out, log)
	}
	t.Setenv("GAZE_PET", "")
	if _, _, log := separately(t, "devices"); log != "" {
		t.Errorf("without it: %s", log)
	}
}

// TestWrongVariables: an invalid value is an error that names the variable.
func TestWrongVariables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	picture := photo(t, dir, "a.png")
	for _, c := range []struct{ name, value string }{
		{"GAZE_KERNELS", "of"}, {"GAZE_TILES", "never"}, {"GAZE_MEMORY", "full"}, {"GAZE_COMPILED", "12 parsecs"}, {"GAZE_CACHE", file}, {"GAZE_CACHE", file + "/below"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("GAZE_CACHE", t.TempDir())
			t.Setenv(c.name, c.value)
			for _, args := range [][]string{{"devices"}, {"devices", "--json"}, {"attend", "--model", tiny, "-o", filepath.Join(dir, "out"), picture}} {
				status, _, log := separately(t, args...)
				if status != 1 || !strings.Contains(log, c.name+" is") || !strings.Contains(log, c.value) || strings.Count(log, "\n") != 1 {
					t.Errorf("gaze %q: exit status %d\n%s", args, status, log)
				}
			}
		})
	}
}

func TestRememberClone(t *testing.T) {
	cache, clone := t.TempDir(), t.TempDir()
	t.Setenv("GAZE_CACHE", cache)
	if status, _, log := gaze(t, "devices", "--remember", clone); status != 1 || !strings.Contains(log, "isn't a clone") {
		t.Errorf("exit status %d, %s", status, log)
	}
	if err := os.WriteFile(filepath.Join(clone, "go.mod"), []byte("module gaze\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ok(t, "devices", "--remember", clone)
	if got := xlaplugin.Clones(cache); len(got) != 1 || got[0] != clone {
		t.Errorf("noted: %q", got)
	}
}

func TestNotePlugin(t *testing.T) {
	for _, c := range []struct {
		found []backend.Candidate
		says  string
	}{
		{[]backend.Candidate{{Path: "/p", Used: true, Usable: true}}, ""},
		{[]backend.Candidate{{Path: "/p", Reason: "undefined symbol"}, {Name: "Go", Used: true, Usable: true}}, "can't be used: undefined symbol"},
		{[]backend.Candidate{{Name: "$GOMLX_BACKEND", Used: true, Usable: true, Reason: "used: $GOMLX_BACKEND is \"go\""}, {Path: "/p", Usable: true}}, "$GOMLX_BACKEND takes precedence"},
	} {
		var log bytes.Buffer
		notePlugin(&log, "/p", c.found)
		if (c.says == "") != (log.Len() == 0) || !strings.Contains(log.String(), c.says) {
			t.Errorf("%+v: %s", c.found, log.String())
		}
	}
}

// TestReportFromElsewhere: the notebook runner gets the user's working folder, and the
// files named in the environment are checked before it runs.
func TestReportFromElsewhere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the runner is for Unix")
	}
	clone, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"tools/notebooks/run.py": "", ".venv/bin/python": "#!/bin/sh\necho \"start=$GAZE_START in=$(pwd)\" >&2\n", "below/mine/x.txt": "",
	} {
		path := filepath.Join(clone, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	model, err := filepath.Abs(tiny)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_START", "")
	t.Setenv("GAZE_ROOT", "")
	t.Setenv("GAZE_VIT", model)
	t.Setenv("GAZE_PETS", "mine")
	below := filepath.Join(clone, "below")
	t.Chdir(below)
	status, _, log := gaze(t, "report", "-o", "pages")
	if status != 1 || !strings.Contains(log, "GAZE_PETS is") || strings.Contains(log, "start=") {
		t.Errorf("a folder without photographs: exit status %d, %s", status, log)
	}
	photo(t, filepath.Join(below, "mine"), "a.png")
	status, out, log := gaze(t, "report", "-o", "pages")
	if status != 0 || !strings.Contains(log, "start="+below+" in="+clone) || !strings.Contains(out, filepath.Join("pages", "index.html")) {
		t.Errorf("exit status %d, %s%s", status, out, log)
	}
}
