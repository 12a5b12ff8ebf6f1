package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/vit"
)

// exchange serves a task and some repetitions, and returns the replies and the first
// answer.
func exchange(t *testing.T, task map[string]any, turns string) ([]map[string]any, []float32) {
	t.Helper()
	task["output"] = filepath.Join(t.TempDir(), "answer")
	line, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := serve(strings.NewReader(string(line)+"\n"+turns), &out); err != nil {
		t.Fatal(err)
	}
	var replies []map[string]any
	for d := json.NewDecoder(&out); ; {
		var r map[string]any
		if err := d.Decode(&r); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		replies = append(replies, r)
	}
	answer, _ := readFloats(task["output"].(string)) // missing after an error
	return replies, answer
}

// small returns a task with a tiny model on the Go backend and four pictures.
func small(t *testing.T, kind string) map[string]any {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=64,depth=2,heads=1,patch=16,size=32")
	if err != nil {
		t.Fatal(err)
	}
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err = m.WithHead(5, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := m.Save(filepath.Join(folder, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	images := make([]float32, 4*3*32*32)
	for i := range images {
		images[i] = float32(math.Sin(float64(i)))
	}
	if err := writeFloats(filepath.Join(folder, "input"), images); err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"kind": kind, "backend": "go:ops_sequential", "weights": filepath.Join(folder, "model.safetensors"),
		"input": filepath.Join(folder, "input"), "shape": [4]int{4, 3, 32, 32},
	}
}

func TestModels(t *testing.T) {
	training := map[string]any{"labels": []int{0, 1, 2, 3}, "rate": 1e-3, "accumulate": 2, "losses": 3}
	for _, c := range []struct {
		kind string
		more map[string]any
		want int // values of the answer
	}{{"inference", nil, 4 * 5}, {"attention", nil, 4 * 2 * 4}, {"training", training, 3}, {"explain", map[string]any{"method": "legrad"}, 4 * 4}} {
		t.Run(c.kind, func(t *testing.T) {
			task := small(t, c.kind)
			for k, v := range c.more {
				task[k] = v
			}
			replies, answer := exchange(t, task, "1\n2\n")
			if len(replies) != 3 || replies[0]["ready"] != true {
				t.Fatalf("replies %v", replies)
			}
			for _, r := range replies[1:] {
				if s, _ := r["seconds"].(float64); s <= 0 {
					t.Errorf("reply %v: no seconds", r)
				}
			}
			if len(answer) != c.want {
				t.Fatalf("%d values, want %d", len(answer), c.want)
			}
			if c.kind == "training" && answer[2] >= answer[0] {
				t.Errorf("losses %v don't fall", answer)
			}
		})
	}
}

func TestPipeline(t *testing.T) {
	path := filepath.Join(t.TempDir(), "picture.jpg")
	im := image.NewGray(image.Rect(0, 0, 40, 30))
	for i := range im.Pix {
		im.Pix[i] = 255
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, im, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	replies, answer := exchange(t, map[string]any{
		"kind": "pipeline", "pictures": []string{path}, "check": "resize(8,8) | totensor", "pipeline": "randomresizedcrop(16) | totensor",
	}, "3\n")
	if len(replies) != 2 || len(answer) != 3*8*8 || answer[0] != 1 {
		t.Errorf("replies %v, %d values", replies, len(answer))
	}
}

func TestErrors(t *testing.T) {
	for name, task := range map[string]map[string]any{
		"kind":     {"kind": "nothing", "backend": "go:ops_sequential"},
		"weights":  {"kind": "inference", "backend": "go:ops_sequential", "weights": "nowhere"},
		"pictures": {"kind": "pipeline"},
		"pipeline": {"kind": "pipeline", "pictures": []string{"x"}, "check": "nonsense("},
		"captions": {"kind": "caption", "backend": "go:ops_sequential", "weights": "nowhere"},
	} {
		replies, _ := exchange(t, task, "1\n")
		if len(replies) != 1 || replies[0]["error"] == nil {
			t.Errorf("%s: replies %v, want one error", name, replies)
		}
	}
	if err := serve(strings.NewReader(""), io.Discard); err == nil {
		t.Error("no task should be an error")
	}
	if err := serve(strings.NewReader("{\n"), io.Discard); err == nil {
		t.Error("half a task should be an error")
	}
}
