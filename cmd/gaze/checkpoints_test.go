package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// checkpointCase is the reference's result for a file in testdata/checkpoints.
type checkpointCase struct {
	Logits    []float64
	Raw       []float64 // logits of the other set of weights
	Attention [][]float64
}

const catPipeline = "totensor | normalize(0.5,0.5)"

func checkpoint(name string) string { return filepath.Join("testdata", "checkpoints", name) }

// near compares values with the reference.
func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - want[i]); d > 1e-5 {
			t.Errorf("%s: value %d is off by %.2g", what, i, d)
		}
	}
}

// All forms of weight files give the reference's logits.
func TestUsersCheckpoints(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles many models")
	}
	text, err := os.ReadFile(checkpoint("expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]checkpointCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	cat := checkpoint("cat.png")
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			logits := func(args ...string) []float32 {
				out := filepath.Join(dir, "logits.npy")
				ok(t, append([]string{"classify", "--model", checkpoint(name), "--pipeline", catPipeline, "-o", filepath.Join(dir, "p.csv"), "--logits", out, cat}, args...)...)
				_, values := array(t, out)
				return values
			}
			if want.Logits != nil {
				near(t, "logits", logits(), want.Logits)
			}
			if want.Raw != nil {
				near(t, "raw logits", logits("--weights", "state_dict"), want.Raw)
			}
			if want.Attention != nil {
				ok(t, "attend", "--model", checkpoint(name), "--pipeline", catPipeline, "--npy", "-o", dir, cat)
				_, values := array(t, filepath.Join(dir, "cat.npy"))
				var flat []float64
				for _, row := range want.Attention {
					flat = append(flat, row...)
				}
				near(t, "attention", values, flat)
			}
			ok(t, "posembed", "--model", checkpoint(name), "-o", filepath.Join(dir, "pe.png"))
			if out := ok(t, "model", checkpoint(name), "--verify"); !strings.Contains(out, "verified") || !strings.Contains(out, "finite") {
				t.Errorf("gaze model --verify wrote:\n%s", out)
			}
		})
	}
}

// If a checkpoint offers a choice, the output says so; asking for a set or head that
// doesn't exist is an error that lists the existing ones.
func TestChoicesAmongWeights(t *testing.T) {
	dir := t.TempDir()
	cat := checkpoint("cat.png")
	ema, dino, own := checkpoint("model_best.pth.tar"), checkpoint("dino_full.pth"), checkpoint("own_head.pth")
	for _, c := range []struct {
		args   []string
		status int
		want   []string // on standard error
	}{
		{[]string{"posembed", "--model", ema, "-o", filepath.Join(dir, "a.png")}, 0, []string{"2 sets of weights", "took state_dict_ema", "not state_dict"}},
		{[]string{"posembed", "--model", ema, "-o", filepath.Join(dir, "a.png"), "--weights", "ema"}, 1, []string{`no set of weights called "ema"`, "only state_dict, state_dict_ema"}},
		{[]string{"posembed", "--model", dino, "-o", filepath.Join(dir, "a.png")}, 0, []string{"took teacher.backbone", "teacher.head (4 tensors), dino_loss.center"}},
		{[]string{"posembed", "--model", dino, "-o", filepath.Join(dir, "a.png"), "--weights", "student"}, 0, []string{"took student.module.backbone (as asked)", "student.module.head (4 tensors)"}},
		{[]string{"classify", "--model", own, "-o", filepath.Join(dir, "a.csv"), cat}, 1, []string{"has no classification head", "fc.0 stands in fc with other layers"}},
		{[]string{"classify", "--model", own, "--head-name", "fc", "-o", filepath.Join(dir, "a.csv"), cat}, 1, []string{"the head fc can't be used"}},
		{[]string{"classify", "--model", own, "--head-name", "nothing", "-o", filepath.Join(dir, "a.csv"), cat}, 1, []string{`no head called "nothing"`}},
		{[]string{"caption", "--model", ema, "-o", dir, "--head-name", "x", cat}, 2, []string{"unknown flag: --head-name"}},
	} {
		status, _, log := gaze(t, c.args...)
		if status != c.status {
			t.Errorf("%q: exit status %d, want %d\n%s", c.args, status, c.status, log)
		}
		for _, part := range c.want {
			if !strings.Contains(log, part) {
				t.Errorf("%q: %q doesn't say %q", c.args, log, part)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "a.csv")); err == nil {
		t.Error("a csv was written all the same")
	}
	if out := ok(t, "model", ema); !strings.Contains(out, "state_dict_ema; choose with --weights: state_dict, state_dict_ema") {
		t.Errorf("gaze model wrote:\n%s", out)
	}
	var d struct {
		Weights string
		Sets    []string
	}
	if err := json.Unmarshal([]byte(ok(t, "model", "--json", dino, "--weights", "student")), &d); err != nil || d.Weights != "student.module.backbone" || len(d.Sets) != 2 {
		t.Errorf("%+v, %v", d, err)
	}
}

// --verify finds and names damage that doesn't show in the numbers.
func TestVerify(t *testing.T) {
	data, err := os.ReadFile(checkpoint("vit_b_16.pth"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "damaged.pth")
	at := len(data) / 2 // in a weight
	data[at] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, log := gaze(t, "model", path, "--verify")
	if status != 1 || !strings.Contains(log, "is damaged: 1 of ") || !strings.Contains(log, "encoder.layers.encoder_layer_0.") {
		t.Errorf("exit status %d: %s", status, log)
	}
	var d struct {
		Verified struct {
			Checksums  int
			Bytes      int
			Finite     bool
			NoCheckFor []string `json:"no_check_for"`
		}
	}
	if err := json.Unmarshal([]byte(ok(t, "model", "--json", "--verify", checkpoint("vit_b_16.pth"))), &d); err != nil || d.Verified.Checksums < 20 || d.Verified.Bytes != len(data) || !d.Verified.Finite {
		t.Errorf("%+v, %v", d, err)
	}
	out := ok(t, "model", "--verify", tiny)
	if !strings.Contains(out, "the format stores no checksums") || !strings.Contains(out, "all values of the model are finite") {
		t.Errorf("of safetensors:\n%s", out)
	}
}

// No output overwrites a file of a checkpoint, whatever its name: here an ONNX model's
// values and a shard are in files with the endings of results.
func TestOutputsOverPartsOfCheckpoints(t *testing.T) {
	source := func(name string) []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	dir := t.TempDir()
	put := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	onnx := filepath.Join("..", "..", "pkg", "vit", "testdata", "onnx_timm_new_batch")
	put("weights.onnx", bytes.ReplaceAll(source(filepath.Join(onnx, "weights.onnx")), []byte("weights.onnx.data"), []byte("weights_values.pn")))
	put("weights_values.pn", source(filepath.Join(onnx, "weights.onnx.data")))
	put("config.json", source(filepath.Join(onnx, "config.json")))
	put("model.safetensors.index.json", []byte(`{"weight_map": {"a": "shard.npy", "b": "figure.png"}}`))
	for _, c := range []struct{ model, flag, out string }{
		{"weights.onnx", "--npy", "weights_values.pn"},
		{"weights.onnx", "--npy", "weights.onnx"},
		{"weights.onnx", "--npy", "config.json"},
		{"model.safetensors.index.json", "-o", "figure.png"},
		{"model.safetensors.index.json", "--npy", "shard.npy"},
	} {
		before := contents(t, dir)
		args := []string{"posembed", "--model", filepath.Join(dir, c.model), c.flag, filepath.Join(dir, c.out), "--force"}
		if c.flag != "-o" {
			args = append(args, "-o", filepath.Join(t.TempDir(), "fig.png"))
		}
		status, _, stderr := gaze(t, args...)
		if status == 0 || !strings.Contains(stderr, c.out) || !strings.Contains(stderr, "nothing was written") {
			t.Errorf("%s over %s: status %d, %s", c.flag, c.out, status, stderr)
		}
		unchanged(t, before, contents(t, dir))
	}
}
