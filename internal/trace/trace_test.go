package trace

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain writes a trace if the test program was started for that: the file is opened
// once in a process.
func TestMain(m *testing.M) {
	if os.Getenv("TRACE_TEST") == "" {
		os.Exit(m.Run())
	}
	Ended(Received)
	Ended("linked")
	Ended(Answered)
	if err := Check(); err != nil {
		os.Stdout.WriteString(err.Error())
	}
}

// traced writes a trace in a process of its own and returns what it prints.
func traced(t *testing.T, env ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "TRACE_TEST=1"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestLines(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the second appends
		if out := traced(t, "GAZE_START="+dir, Variable+"=cells.jsonl"); out != "" {
			t.Fatal(out)
		}
	}
	f, err := os.Open(filepath.Join(dir, "cells.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var stages []string
	var last int64
	for s := bufio.NewScanner(f); s.Scan(); {
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatalf("%v: %s", err, s.Text())
		}
		if l.Time < last {
			t.Errorf("%s ended before what ended before it", l.Stage)
		}
		last, stages = l.Time, append(stages, l.Stage)
	}
	if got, want := strings.Join(stages, " "), "received linked answered received linked answered"; got != want {
		t.Errorf("the stages are %s, want %s", got, want)
	}
}

func TestOff(t *testing.T) {
	dir := t.TempDir()
	if out := traced(t, "GAZE_START="+dir, Variable+"="); out != "" {
		t.Error(out)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("there is %s", entries[0].Name())
	}
}

func TestWrong(t *testing.T) {
	dir := t.TempDir()
	notes := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(notes, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{notes: "no trace", filepath.Join(dir, "none", "x"): "no such file"} {
		if out := traced(t, Variable+"="+path); !strings.Contains(out, want) || !strings.Contains(out, Variable) {
			t.Errorf("%s: %q, want %q", path, out, want)
		}
	}
	if text, _ := os.ReadFile(notes); string(text) != "mine\n" {
		t.Errorf("the file is now %q", text)
	}
}
