package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/train"
)

// onDevices runs a command line in a separate process whose processor is two devices.
func onDevices(t *testing.T, args ...string) (log string, err error) {
	t.Helper()
	c := command(t, args...)
	c.Env = append(c.Env, "GOMLX_BACKEND=xla:cpu,devices=2")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	return out.String(), err
}

// TestTrainDevices trains on two devices, and goes on where a run ended to the same bits.
func TestTrainDevices(t *testing.T) {
	if b, err := backend.Open("xla:cpu,devices=2"); err != nil || b.NumDevices() != 2 {
		t.Skip("there are no two devices: ", err)
	}
	set, dir := petSet(t), t.TempDir()
	straight, extended := filepath.Join(dir, "straight"), filepath.Join(dir, "extended")
	args := []string{"train", "--devices", "2", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline}
	settings := "lr=1e-3; batch=7; accumulate=2; clip=1; optimizer=adamw; droppath=0.1; epochs="
	for _, line := range [][]string{
		append(args[:len(args):len(args)], "--set", settings+"2", "-o", straight),
		append(args[:len(args):len(args)], "--set", settings+"1", "-o", extended),
		{"train", "--resume", "--set", "epochs=2", "-o", extended},
	} {
		if log, err := onDevices(t, line...); err != nil {
			t.Fatalf("%q: %v\n%s", line, err, log)
		}
	}
	m, err := train.ReadManifest(extended)
	if err != nil {
		t.Fatal(err)
	}
	if m.Status != train.Done || train.DevicesOf(m) != 2 || !strings.Contains(m.Device, "2 device(s)") {
		t.Errorf("run.json: %+v", m)
	}
	var best [2][]byte
	for i, run := range []string{straight, extended} {
		if best[i], err = os.ReadFile(filepath.Join(run, "best", "model.safetensors")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(best[0], best[1]) {
		t.Error("the run that was extended ends with other bits")
	}
	log, err := onDevices(t, append(args, "--devices", "3", "-o", filepath.Join(dir, "more"))...)
	if err == nil || !strings.Contains(log, "only 2 devices, not 3") || !strings.Contains(log, "devices=3") {
		t.Errorf("three devices: %v, %s", err, log)
	}
	if _, err := os.Stat(filepath.Join(dir, "more")); err == nil {
		t.Error("a run that couldn't begin left a folder")
	}
}
