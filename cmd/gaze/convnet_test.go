package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/convnet"
)

// tinyConvnet is a small convolutional network with three named classes.
func tinyConvnet(t *testing.T) string {
	t.Helper()
	m, err := convnet.New(convnet.Config{Kind: convnet.EfficientNetLite, Lite: &convnet.Lite{
		Stem: 4, Head: 8, NormEps: 1e-3,
		Stages: []convnet.LiteStage{{Blocks: 1, Channels: 4, Kernel: 3, Stride: 2, Expand: 2}},
	}}, 3, 5)
	if err != nil {
		t.Fatal(err)
	}
	m.Labels = []string{"cat", "dog", "bird"}
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := m.WithPipeline("resize(24,bicubic) | centercrop(16) | totensor | normalize(0.5,0.5)").Save(path, false); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestModelConvnet(t *testing.T) {
	path := tinyConvnet(t)
	out := ok(t, "model", path)
	for _, want := range []string{"EfficientNet-Lite of 1 blocks, 8 channels", "cells of 4 pixels, 8 channels", "3: cat, …, bird", "centercrop(16)"} {
		if !strings.Contains(out, want) {
			t.Errorf("the description lacks %q:\n%s", want, out)
		}
	}
	var d convnetDescription
	if err := json.Unmarshal([]byte(ok(t, "model", path, "--json", "--verify")), &d); err != nil || d.Classes != 3 || d.Stride != 4 || d.Verified == nil || !d.Verified.Finite {
		t.Errorf("%+v, %v", d, err)
	}
	if status, _, said := gaze(t, "model", path, "--weights", "ema"); status != 2 || !strings.Contains(said, "leaves no choice") {
		t.Errorf("--weights: status %d, %s", status, said)
	}
}

func TestClassifyConvnet(t *testing.T) {
	path, picture := tinyConvnet(t), photo(t, t.TempDir(), "a.png")
	out := ok(t, "classify", "--model", path, "--top", "3", picture)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2 || lines[0] != "filename,label,label1,p1,label2,p2,label3,p3" || !strings.Contains(lines[1], "cat") || !strings.Contains(lines[1], "bird") {
		t.Errorf("rows:\n%s", out)
	}
	for flag, says := range map[string]string{"grayscale(1) | totensor": "1 channels", "hflip": "tensor"} {
		if status, _, said := gaze(t, "classify", "--model", path, "--pipeline", flag, picture); status == 0 || !strings.Contains(said, says) {
			t.Errorf("--pipeline %q: status %d, %s", flag, status, said)
		}
	}
}
