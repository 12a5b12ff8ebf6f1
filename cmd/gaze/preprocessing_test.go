package main

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// prepared are checkpoints whose files specify preprocessing, with the logits of
// transformers 5.23 and timm 1.0.31 (random weights, drawn pictures).
var prepared = []struct {
	folder, model string
	pipeline      string
	expected      func(t *testing.T, file []byte) map[string][]float64 // by picture
}{
	{"hf-centercrop", "model", "resize(32,bicubic) | centercrop(28,floor) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
		func(t *testing.T, file []byte) map[string][]float64 {
			var by map[string]map[string][]float64
			unmarshal(t, file, &by)
			out := map[string][]float64{}
			for picture, backends := range by {
				out[picture] = backends["BitImageProcessorPil"]
			}
			return out
		}},
	{"hf-rescale-ignored", "half", "resize(32,32,bilinear) | totensor(scale=0.00784313725490196)",
		func(t *testing.T, file []byte) map[string][]float64 { return onePicture(t, file, "half", "cat.png") }},
	{"timm-crop-mode", "squash", "resize(32,32,bicubic) | totensor | normalize(0.5,0.5)",
		func(t *testing.T, file []byte) map[string][]float64 {
			return onePicture(t, file, "squash", "photo40x35.png")
		}},
	{"hf-deit-int-size", "model", "resize(36,36,bicubic) | centercrop(32,floor) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
		func(t *testing.T, file []byte) map[string][]float64 {
			return onePicture(t, file, "logits", "photo40x35.png")
		}},
}

func unmarshal(t *testing.T, text []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

func onePicture(t *testing.T, file []byte, key, picture string) map[string][]float64 {
	t.Helper()
	var by map[string]json.RawMessage
	unmarshal(t, file, &by)
	var logits []float64
	unmarshal(t, by[key], &logits)
	return map[string][]float64{picture: logits}
}

func TestPreparedAsTheFilesSay(t *testing.T) {
	for _, c := range prepared {
		t.Run(c.folder, func(t *testing.T) {
			dir := filepath.Join("testdata", "preprocessing", c.folder)
			model := filepath.Join(dir, c.model)
			if out := ok(t, "model", model); !strings.Contains(out, c.pipeline+"\n") {
				t.Errorf("%s\nwant the pipeline %s", out, c.pipeline)
			}
			file, err := os.ReadFile(filepath.Join(dir, "expected.json"))
			if err != nil {
				t.Fatal(err)
			}
			expected := c.expected(t, file)
			pictures := slices.Sorted(maps.Keys(expected))
			logits := filepath.Join(t.TempDir(), "l.npy")
			args := []string{"classify", "--model", model, "-o", filepath.Join(t.TempDir(), "p.csv"), "--logits", logits}
			for _, p := range pictures {
				args = append(args, filepath.Join(dir, p))
			}
			ok(t, args...)
			shape, values := array(t, logits)
			for i, p := range pictures {
				for k, want := range expected[p] {
					if got := float64(values[i*shape[1]+k]); math.Abs(got-want) > 2e-6 {
						t.Errorf("%s: logit %d is %g, want %g", p, k, got, want)
					}
				}
			}
		})
	}
}

// copyModel copies a checkpoint with another preprocessing file.
func copyModel(t *testing.T, from, file, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A preprocessing file that isn't supported is named before any picture is read. With
// --pipeline it isn't needed, nor for commands without pictures.
func TestPreprocessingRefused(t *testing.T) {
	half := filepath.Join("testdata", "preprocessing", "hf-rescale-ignored", "half")
	model := copyModel(t, half, "preprocessor_config.json", `{"image_processor_type": "ViTImageProcessor", "size_divisor": 32}`)
	dir := t.TempDir()
	picture := photo(t, dir, "a.png")
	out := filepath.Join(dir, "p.csv")
	says := []string{"preprocessor_config.json", "size_divisor is 32", "--pipeline"}
	for _, args := range [][]string{
		{"classify", "--model", model, "-o", out, picture},
		{"attend", "--model", model, "-o", filepath.Join(dir, "maps"), picture},
	} {
		status, _, log := gaze(t, args...)
		for _, part := range says {
			if status != 1 || !strings.Contains(log, part) {
				t.Errorf("gaze %s: exit status %d, %q doesn't say %q", args[0], status, log, part)
			}
		}
		if strings.Contains(log, "a.png") {
			t.Errorf("gaze %s: %s", args[0], log)
		}
	}
	if out := ok(t, "model", model); !strings.Contains(out, "none: ") || !strings.Contains(out, "size_divisor is 32") {
		t.Errorf("model: %s", out)
	}
	if out := ok(t, "model", model, "--json"); !strings.Contains(out, `"pipeline_error"`) {
		t.Errorf("model --json: %s", out)
	}
	ok(t, "classify", "--model", model, "-o", out, "--pipeline", "resize(32,32) | totensor", picture)
	ok(t, "posembed", "--model", model, "-o", filepath.Join(dir, "f.png"))
}

// A pipeline whose pictures never fit the model fails once, before any picture is read.
// If the size depends on the picture, the error names the picture.
func TestPipelineThatDoesNotFit(t *testing.T) {
	half := filepath.Join("testdata", "preprocessing", "hf-rescale-ignored", "half") // patches of 8
	own := copyModel(t, half, "preprocessor_config.json", `{"image_processor_type": "ViTImageProcessor", "size": 30}`)
	dir := t.TempDir()
	picture, out := photo(t, dir, "a.png"), filepath.Join(dir, "p.csv")
	set := filepath.Join(dir, "set")
	for _, class := range []string{"cat", "dog", "hen"} {
		if err := os.MkdirAll(filepath.Join(set, class), 0o755); err != nil {
			t.Fatal(err)
		}
		photo(t, filepath.Join(set, class), "1.png")
	}
	const sizes = "pictures of 30×30 pixels, which can't be cut into patches of 8×8: the nearest sizes that can are 24×24 or 32×32"
	for _, c := range []struct {
		args  []string
		says  string
		names bool // the picture
	}{
		{[]string{"classify", "--model", half, "-o", out, "--pipeline", "resize(30,30) | totensor", picture}, sizes, false},
		{[]string{"attend", "--model", half, "-o", filepath.Join(dir, "maps"), "--pipeline", "resize(64) | centercrop(30) | totensor", picture}, sizes, false},
		{[]string{"classify", "--model", own, "-o", out, picture}, sizes, false},
		{[]string{"classify", "--model", half, "-o", out, "--pipeline", "grayscale(1) | resize(32,32) | totensor", picture}, "pictures of 1 channels, the model takes 3", false},
		{[]string{"classify", "--model", half, "-o", out, "--pipeline", "resize(32,32) | totensor | normalize([0.5,0.5],1)", picture}, "2 means", false},
		{[]string{"classify", "--model", half, "-o", out, "--pipeline", "resize(30) | totensor", picture}, "short side is 30 pixels, which can't be cut into patches of 8×8: use 24 or 32", false},
		{[]string{"classify", "--model", half, "-o", out, "--pipeline", "resize(32) | totensor", picture}, "can't be cut into patches", true},
		{[]string{"evaluate", "--run", half, "--data", set, "--pipeline", "resize(30,30) | totensor"}, sizes, false},
		{[]string{"evaluate", "--run", own, "--data", set}, sizes, false},
		{[]string{"train", "--model", half, "--data", set, "-o", filepath.Join(dir, "run"), "--pipeline", "randomresizedcrop(30) | totensor"}, sizes, false},
		{[]string{"train", "--model", half, "--data", set, "-o", filepath.Join(dir, "run"), "--pipeline", "resize(32,32) | totensor", "--eval-pipeline", "resize(30,30) | totensor"}, sizes, false},
		{[]string{"train", "--model", own, "--data", set, "-o", filepath.Join(dir, "run")}, sizes, false},
		{[]string{"posembed", "--model", half, "-o", filepath.Join(dir, "f.png"), "--size", "30"}, "use 24 or 32", false},
	} {
		status, _, log := gaze(t, c.args...)
		if status != 1 || !strings.Contains(log, c.says) || strings.Contains(log, "a.png") != c.names {
			t.Errorf("gaze %q: exit status %d, want 1 and %q\n%s", c.args, status, c.says, log)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "run")); err == nil {
		t.Error("a run was begun")
	}
}

// TestAssumedPipelineIsNamedWhereItIsUsed: without a file beside the weights, the usual
// pipeline is a guess. The warning is given only by commands that prepare pictures with it.
func TestAssumedPipelineIsNamedWhereItIsUsed(t *testing.T) {
	const says = "no file beside the weights says how pictures are prepared: using resize("
	model, cat := checkpoint("own_head.pth"), checkpoint("cat.png")
	out := func() string { return filepath.Join(t.TempDir(), "out") }
	for _, c := range []struct {
		args []string
		used bool
	}{
		{[]string{"attend", "--model", model, "-o", out(), cat}, true},
		{[]string{"attend", "--model", model, "--pipeline", catPipeline, "-o", out(), cat}, false},
		{[]string{"posembed", "--model", model, "-o", out() + ".png"}, false},
		{[]string{"model", model}, true},
		{[]string{"attend", "--model", filepath.Join("testdata", "preprocessing", "timm-crop-mode", "squash"), "-o", out(), cat}, false},
	} {
		status, _, stderr := gaze(t, c.args...)
		if status != 0 || strings.Contains(stderr, says) != c.used {
			t.Errorf("gaze %q: status %d, %s", c.args, status, stderr)
		}
	}
}
