package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gaze/pkg/train"
	"gaze/pkg/vit"
)

const (
	trainScratch  = "vit:dim=16,depth=1,heads=2,patch=16,size=32"
	trainPipeline = "randomhflip | resize(32,32) | totensor | normalize(0.5,0.5)"
)

// asCommand makes the test program act as the gaze command, so that a test can kill it.
const asCommand = "GAZE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	code := m.Run()
	if dir, err := sharedCache(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// command is gaze in a separate process, on the Go backend.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, args...)
	c.Env = append(os.Environ(), asCommand+"=1", "GOMLX_BACKEND=go:ops_sequential")
	return c
}

// separately runs a command line in a separate process on the Go backend, which compiles
// nothing, and returns its exit status and output.
func separately(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	c := command(t, args...)
	c.Stdout, c.Stderr = &out, &log
	var exit *exec.ExitError
	if err := c.Run(); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return status, out.String(), log.String()
}

// petSet draws a small set of two breeds.
func petSet(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pets")
	ok(t, "pets", "-o", dir, "--size", "32", "--breeds", "2", "--train", "8", "--val", "4", "--test", "4")
	return dir
}

// TestTrain trains from scratch, checks the run's files, classifies with the run and
// evaluates it.
func TestTrain(t *testing.T) {
	dir, set := filepath.Join(t.TempDir(), "run"), petSet(t)
	out := ok(t, "train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--set", "lr=1e-3; epochs=2; batch=8", "-o", dir)
	if !strings.Contains(out, "model.safetensors") || !strings.Contains(out, "of 8 validation pictures") {
		t.Errorf("train printed %q", out)
	}
	for _, name := range []string{"run.json", "metrics.jsonl", "checkpoints/last.safetensors", "best/model.safetensors", "best/config.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if out := ok(t, "model", dir); !strings.Contains(out, "resize(32,32,bilinear) | totensor") || strings.Contains(out, "randomhflip") {
		t.Errorf("model says %s", out)
	}
	m, err := train.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Status != train.Done || m.Settings["lr"] != "0.001" || m.Notes["data"] != set || m.Notes["model"] != trainScratch || m.Best == nil || m.Best.Total != 8 {
		t.Errorf("run.json: %+v", m)
	}
	t.Run("classify", func(t *testing.T) { classifyRun(t, dir, set) })
	t.Run("into the run", func(t *testing.T) {
		status, _, log := gaze(t, "train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "-o", dir)
		if status != 1 || !strings.Contains(log, "already holds a run") {
			t.Errorf("exit status %d, %s", status, log)
		}
	})
	t.Run("resume what is done", func(t *testing.T) {
		var again train.Manifest
		if err := json.Unmarshal([]byte(ok(t, "train", "--resume", "--json", "-o", dir)), &again); err != nil || again.Status != train.Done || again.Updates != m.Updates {
			t.Errorf("%+v (%v)", again, err)
		}
	})
	t.Run("resume with other settings", func(t *testing.T) {
		status, _, log := gaze(t, "train", "--resume", "--set", "lr=2e-3; epochs=2; batch=8", "-o", dir)
		if status != 1 || !strings.Contains(log, "lr") || !strings.Contains(log, "0.002") {
			t.Errorf("exit status %d, %s", status, log)
		}
	})
	t.Run("evaluate", func(t *testing.T) { evaluateRun(t, dir, set) })
	t.Run("evaluate by default", func(t *testing.T) { evaluateDefaults(t, dir, set) })
}

// classifyRun classifies with a run and with its best weights.
func classifyRun(t *testing.T, dir, set string) {
	csv := filepath.Join(t.TempDir(), "p.csv")
	ok(t, "classify", "--model", dir, "-o", csv, filepath.Join(set, "val"))
	ok(t, "classify", "--model", filepath.Join(dir, "best", "model.safetensors"), "-o", csv+"2", filepath.Join(set, "val"))
	a, b := table(t, csv), table(t, csv+"2")
	if len(a) != 9 || len(b) != 9 {
		t.Fatalf("%d and %d rows", len(a), len(b))
	}
	for i := range a {
		if a[i][0] != b[i][0] || a[i][1] != b[i][1] {
			t.Errorf("row %d: %v and %v", i, a[i], b[i])
		}
	}
}

// TestTrainAgain: a killed run and an interrupted run resume to the same bits as an
// uninterrupted one.
func TestTrainAgain(t *testing.T) {
	set := petSet(t)
	args := func(dir string) []string {
		return []string{"train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "--checkpoint-every", "1",
			"--set", "lr=1e-3; epochs=12; batch=4; accumulate=3; optimizer=adamw; ema=0.9; droppath=0.1", "-o", dir}
	}
	whole := filepath.Join(t.TempDir(), "whole")
	if out, err := command(t, args(whole)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := readFile(t, filepath.Join(whole, "best", "model.safetensors"))
	for _, c := range []struct {
		signal os.Signal
		status string
		says   string
	}{{os.Kill, train.Running, ""}, {os.Interrupt, train.Stopped, "gaze train --resume -o "}} {
		dir, log := stopHalfWay(t, c.signal, args)
		m, err := train.ReadManifest(dir)
		if err != nil || m.Status != c.status || !strings.Contains(log, c.says) {
			t.Errorf("%v: %+v (%v), %s", c.signal, m, err, log)
		}
		if out, err := command(t, "train", "--resume", "-o", dir).CombinedOutput(); err != nil {
			t.Fatalf("resume: %v\n%s", err, out)
		}
		if c.signal == os.Interrupt && !strings.Contains(log, "gaze: stopping") {
			t.Errorf("it doesn't say that it stops: %s", log)
		}
		if got := readFile(t, filepath.Join(dir, "best", "model.safetensors")); !bytes.Equal(got, want) {
			t.Errorf("%v: the weights differ from those of a run that wasn't stopped", c.signal)
		}
	}
}

// stopHalfWay starts a run in a new folder and sends it a signal once training has
// begun; if the run ended first, it tries again. It returns the folder and the run's
// output.
func stopHalfWay(t *testing.T, signal os.Signal, args func(dir string) []string) (dir, log string) {
	t.Helper()
	for range 5 {
		dir = filepath.Join(t.TempDir(), "run")
		var out bytes.Buffer
		cmd := command(t, args(dir)...)
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitForLines(t, filepath.Join(dir, "metrics.jsonl"), 8)
		sent := time.Now()
		late := cmd.Process.Signal(signal)
		err := cmd.Wait()
		if err == nil || late != nil {
			continue
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || signal == os.Interrupt && exit.ExitCode() != 1 {
			t.Fatalf("%v: it ended with %v\n%s", signal, err, out.String())
		}
		if took := time.Since(sent); took > 5*time.Second {
			t.Errorf("%v: it took %v to end", signal, took)
		}
		return dir, out.String()
	}
	t.Fatalf("%v: five runs were done before it came", signal)
	return "", ""
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// waitForLines waits until a file has at least n lines.
func waitForLines(t *testing.T, path string, lines int) {
	t.Helper()
	for range 6000 {
		if data, err := os.ReadFile(path); err == nil && bytes.Count(data, []byte("\n")) >= lines {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s has no %d lines after a minute", path, lines)
}

// TestTrainInterruptedEarly: an interrupt before the run has begun leaves no files.
func TestTrainInterruptedEarly(t *testing.T) {
	dir, set := filepath.Join(t.TempDir(), "run"), petSet(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, log bytes.Buffer
	args := []string{"train", "--data", set, "--model", trainScratch, "--pipeline", trainPipeline, "-o", dir}
	if status := run(ctx, args, &out, &log); status != 1 || !strings.Contains(log.String(), "interrupted") {
		t.Errorf("exit status %d, %s", status, log.String())
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it left a folder (%v)", err)
	}
}

// TestTrainCheckpoint fine-tunes a checkpoint with other classes and another size, only
// its head, and with a rate at which training diverges.
func TestTrainCheckpoint(t *testing.T) {
	set := petSet(t)
	before, err := vit.Load(tiny)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	size := 2 * before.Config.ImageSize[0]
	pipeline := strings.ReplaceAll("resize(N,N) | totensor | normalize(0.5,0.5)", "N", strconv.Itoa(size))
	for _, freeze := range []string{"freeze=backbone", "probe"} {
		dir := filepath.Join(t.TempDir(), "run")
		out, err := command(t, "train", "--data", set, "--model", tiny, "--pipeline", "randomhflip | "+pipeline, "--set", "epochs=1; lr=1e-2; "+freeze, "-o", dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		said := []string{"new head for 2 classes", "position embeddings are resized"}
		if freeze == "probe" {
			said = append(said, "what is random in the pipeline is left out: resize(")
		}
		for _, says := range said {
			if !strings.Contains(string(out), says) {
				t.Errorf("%s: %q isn't said: %s", freeze, says, out)
			}
		}
		after, err := vit.Load(filepath.Join(dir, "best", "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if after.Config.ImageSize != [2]int{size, size} || after.Config.Classes != 2 || !strings.HasPrefix(after.Labels[1], "breed 01") {
			t.Errorf("%s: %+v, %v", freeze, after.Config, after.Labels)
		}
		a, _, errA := before.Parameter("block_0/mlp/fc1/weight")
		b, _, errB := after.Parameter("block_0/mlp/fc1/weight")
		if errA != nil || errB != nil || !slices.Equal(a, b) {
			t.Errorf("%s changed the backbone (%v, %v)", freeze, errA, errB)
		}
		if err := after.Close(); err != nil {
			t.Error(err)
		}
	}
	own := filepath.Join(t.TempDir(), "own")
	if status, _, log := separately(t, "train", "--data", set, "--model", tiny, "--set", "epochs=1", "-o", own); status != 0 {
		t.Fatalf("without a pipeline: exit status %d\n%s", status, log)
	}
	if m, err := train.ReadManifest(own); err != nil || m.Settings["pipeline"] == "" || m.Settings["pipeline"] != m.Settings["eval_pipeline"] {
		t.Errorf("without a pipeline: %v (%v)", m, err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	out, err := command(t, "train", "--data", set, "--model", tiny, "--pipeline", pipeline, "--set", "lr=1e6; optimizer=sgd; momentum=0.9; epochs=9", "-o", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "the learning rate is too high") {
		t.Errorf("a rate of a million: %v\n%s", err, out)
	}
	if m, err := train.ReadManifest(dir); err != nil || m.Status != train.Failed || !strings.Contains(m.Reason, "learning rate") {
		t.Errorf("%+v (%v)", m, err)
	}
}
