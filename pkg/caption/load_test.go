package caption

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/weights"
)

// TestCATRNames checks that the full-size model has exactly the tensors of the
// PyTorch build: every name and shape.
func TestCATRNames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "catr_keys.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	for i, line := range want {
		want[i] = strings.ReplaceAll(line, ",", "")
	}
	var got []string
	for _, p := range CATR().Parameters() {
		shape := p.Shape
		if p.Name == "project/weight" {
			shape = []int{shape[0], shape[1], 1, 1}
		}
		got = append(got, fmt.Sprint(catrName(p.Name), " ", shape))
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) != 716 {
		t.Errorf("the reference has %d tensors, CATR has 716", len(want))
	}
	if !catrIgnored("backbone.0.body.bn1.num_batches_tracked") || catrIgnored("backbone.0.body.bn1.weight") {
		t.Error("the wrong tensors are ignored")
	}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("tensor %d is %s, want %s", i, got[min(i, len(got)-1)], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d tensors, want %d", len(got), len(want))
	}
}

// TestLoadCATR reads a checkpoint nested as CATR's are, with the optimiser's
// state beside the model.
func TestLoadCATR(t *testing.T) {
	m, err := Load(filepath.Join("testdata", "catr.pth"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want := Config{
		Backbone: backbone.Config{Kind: backbone.ResNet, Depths: [4]int{1, 1, 1, 1}, Width: 2},
		Dim:      32, Heads: 1, Hidden: 24, EncoderLayers: 1, DecoderLayers: 1, MaxPositions: 12, Vocab: 110,
		NormEps: 1e-5, EmbedNormEps: 1e-12, LongestSide: 299, StartID: 101, EndID: 102,
	}
	if fmt.Sprint(m.Config) != fmt.Sprint(want) {
		t.Errorf("configuration\n%+v, want\n%+v", m.Config, want)
	}
	for _, p := range m.Config.Parameters() {
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		full := shape
		if p.Name == "project/weight" {
			full = append(slices.Clone(shape), 1, 1)
		}
		if !slices.Equal(shape, p.Shape) || relative(t, values, drawn(catrName(p.Name), full)) > 1e-6 {
			t.Errorf("%s of shape %v has other values than the file", p.Name, shape)
		}
	}
}

func TestSave(t *testing.T) {
	cfg := Small(9)
	cfg.HeadHidden = []int{10}
	m, err := New(cfg, 7)
	if err != nil {
		t.Fatal(err)
	}
	if m.Vocab, err = wordpiece.New([]string{"[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "dog", "##s", "run", "."}); err != nil {
		t.Fatal(err)
	}
	for _, half := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "model.safetensors")
		if err := m.Save(path, half); err != nil {
			t.Fatal(err)
		}
		back, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(back.Config) != fmt.Sprint(cfg) || back.Vocab.String() != m.Vocab.String() || back.Layout != LayoutGaze {
			t.Errorf("read back as %+v, words %q", back.Config, back.Vocab)
		}
		allowed := 0.0
		if half {
			allowed = 1e-3
		}
		for _, p := range cfg.Parameters() {
			got, _, _ := back.Parameter(p.Name)
			want, _, _ := m.Parameter(p.Name)
			if d := relative(t, got, want); d > allowed {
				t.Errorf("%s: off by %g", p.Name, d)
			}
		}
		if err := back.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := back.Parameter("words"); err == nil {
			t.Error("a closed model still has parameters")
		}
	}
}

// TestLoadWrong gives Load files that aren't a captioner.
func TestLoadWrong(t *testing.T) {
	small := Small(9)
	good, err := New(small, 1)
	if err != nil {
		t.Fatal(err)
	}
	var all []*weights.Tensor
	for _, p := range small.Parameters() {
		all = append(all, good.params[p.Name].Parts[0].Tensor)
	}
	dir := t.TempDir()
	if err := good.Save(filepath.Join(dir, "good"), false); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(filepath.Join(dir, "good"))
	if err != nil {
		t.Fatal(err)
	}
	text := f.Metadata()[metadataConfig]
	f.Close()
	extra := weights.NewTensor("extra", []int{2}, []float32{1, 2})
	reshaped := weights.NewTensor("words", []int{128, 9}, make([]float32, 9*128))
	cases := []struct {
		name     string
		tensors  []*weights.Tensor
		metadata map[string]string
		wants    []string
	}{
		{"no captioner", []*weights.Tensor{extra}, nil, []string{"isn't a captioner", "extra"}},
		{"missing", all[1:], map[string]string{metadataConfig: text}, []string{"1 missing: backbone/stage_0/conv/weight"}},
		{"left over", append(slices.Clone(all), extra), map[string]string{metadataConfig: text}, []string{"1 left over: extra"}},
		{"shape", append(slices.DeleteFunc(slices.Clone(all), func(t *weights.Tensor) bool { return t.Name == "words" }), reshaped),
			map[string]string{metadataConfig: text}, []string{"1 of another shape: words is [128 9], not [9 128]"}},
		{"no JSON", all, map[string]string{metadataConfig: "{"}, []string{"configuration"}},
		{"unknown field", all, map[string]string{metadataConfig: `{"what":1}`}, []string{"what"}},
		{"huge", all, map[string]string{metadataConfig: `{"vocab":1000000000000}`}, []string{"beyond any model's"}},
		{"no words", all, map[string]string{metadataConfig: text, metadataVocab: "dog\n"}, []string{"[UNK]"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.safetensors")
			if err := weights.WriteSafetensors(path, c.tensors, c.metadata); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.wants, path) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q doesn't say %q", err, want)
				}
			}
		})
	}
	if _, err := Load(filepath.Join(dir, "absent")); err == nil {
		t.Error("no error for a file that isn't there")
	}
	if _, err := LoadWith(filepath.Join(dir, "good"), Small(8)); err == nil || !strings.Contains(err.Error(), "of another shape") {
		t.Errorf("LoadWith another configuration: %v", err)
	}
}

func TestWithParameters(t *testing.T) {
	m, err := New(Small(9), 1)
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.Tensors()
	if err != nil || len(list) != len(m.Config.Parameters()) {
		t.Fatalf("%d tensors, %v", len(list), err)
	}
	bias := weights.NewTensor("head_0/bias", []int{9}, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9})
	changed, err := m.WithParameters([]*weights.Tensor{bias})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Config.Parameters() {
		want, _, _ := m.Parameter(p.Name)
		if p.Name == bias.Name {
			want, _ = bias.Float32s()
		}
		if got, _, err := changed.Parameter(p.Name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s isn't what it was made of (%v)", p.Name, err)
		}
	}
	for _, bad := range []*weights.Tensor{weights.NewTensor("head_0/bias", []int{3}, make([]float32, 3)), weights.NewTensor("tail", []int{9}, make([]float32, 9))} {
		if _, err := m.WithParameters([]*weights.Tensor{bad}); err == nil || !strings.Contains(err.Error(), bad.Name) {
			t.Errorf("%s of shape %v: %v", bad.Name, bad.Shape, err)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
