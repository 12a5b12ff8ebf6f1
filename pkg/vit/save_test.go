package vit

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// TestSave saves every golden model and loads it again: the same configuration,
// preprocessing, names and values; timm's own models under the very names that
// timm gave.
func TestSave(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("testdata", "*", "golden.npz"))
	if err != nil || len(folders) < 8 {
		t.Fatalf("%d golden cases (%v)", len(folders), err)
	}
	for _, golden := range folders {
		dir := filepath.Dir(golden)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			m, err := Load(weightsFile(t, dir))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			path := filepath.Join(t.TempDir(), "model.safetensors")
			err = m.Save(path)
			if m.Config.PreLogits == PreLogitsAll {
				if err == nil || !strings.Contains(err.Error(), "express") {
					t.Errorf("a tanh layer that timm doesn't have was saved (%v)", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			back, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			defer back.Close()
			sameModel(t, back, m)
			if name := filepath.Base(dir); strings.HasPrefix(name, "timm_") || strings.HasPrefix(name, "hybrid_") && m.Layout == Timm {
				was, is := tensorNames(t, m.Path), tensorNames(t, path)
				was = slices.DeleteFunc(was, func(name string) bool { return strings.HasSuffix(name, ".num_batches_tracked") }) // torch can do without
				if !slices.Equal(was, is) {
					t.Errorf("saved as %v, timm's names are %v", is, was)
				}
			}
		})
	}
}

func sameModel(t *testing.T, got, want *Model) {
	t.Helper()
	if !got.Config.Equal(want.Config) || got.Pipeline() != want.Pipeline() || !slices.Equal(got.Labels, want.Labels) {
		t.Errorf("came back as %+v, %s, %v; was %+v, %s, %v", got.Config, got.Pipeline(), got.Labels, want.Config, want.Pipeline(), want.Labels)
	}
	for _, p := range want.Config.Parameters() {
		a, _, errA := want.Parameter(p.Name)
		b, _, errB := got.Parameter(p.Name)
		if errA != nil || errB != nil || !slices.Equal(a, b) {
			t.Errorf("%s came back changed (%v, %v)", p.Name, errA, errB)
		}
	}
}

func tensorNames(t *testing.T, path string) []string {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return sorted(f.Names())
}

// TestWithHead gives a model new classes: the head alone is new, the same for
// the same seed, and the old model is as it was.
func TestWithHead(t *testing.T) {
	m, err := New(smallConfig(), 3)
	if err != nil {
		t.Fatal(err)
	}
	labels := []string{"a", "b", "c"}
	one, err := m.WithHead(3, labels, 7)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := m.WithHead(3, labels, 7)
	sameModel(t, again, one)
	other, _ := m.WithHead(3, labels, 8)
	head, shape, err := one.Parameter("head/weight")
	if err != nil || !slices.Equal(shape, []int{3, m.Config.Dim}) {
		t.Fatalf("the head is %v (%v)", shape, err)
	}
	if w, _, _ := other.Parameter("head/weight"); slices.Equal(w, head) {
		t.Error("two seeds give one head")
	}
	if bias, _, _ := one.Parameter("head/bias"); !slices.Equal(bias, []float32{0, 0, 0}) {
		t.Errorf("the head's bias is %v", bias)
	}
	was, _, _ := m.Parameter("block_1/attn/qkv/weight")
	if is, _, _ := one.Parameter("block_1/attn/qkv/weight"); !slices.Equal(was, is) {
		t.Error("the backbone changed")
	}
	if m.Config.Classes != 5 || m.Labels != nil {
		t.Errorf("the old model has %d classes, %v", m.Config.Classes, m.Labels)
	}
	for _, bad := range []struct {
		classes int
		labels  []string
	}{{0, nil}, {-1, nil}, {2, labels}} {
		if _, err := m.WithHead(bad.classes, bad.labels, 1); err == nil {
			t.Errorf("a head of %d classes and names %v was made", bad.classes, bad.labels)
		}
	}
}

// TestWithHeadDropsPreLogits loses the layer that belonged to the old head.
func TestWithHeadDropsPreLogits(t *testing.T) {
	cfg := smallConfig()
	cfg.PreLogits, cfg.Representation = PreLogitsToken, 8
	m, err := New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err = m.WithHead(4, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, shape, err := m.Parameter("head/weight"); err != nil || !slices.Equal(shape, []int{4, cfg.Dim}) {
		t.Errorf("the head is %v (%v)", shape, err)
	}
	if _, _, err := m.Parameter("pre_logits/weight"); err == nil {
		t.Error("the old layer is still there")
	}
}

// TestWithParameters takes a model's values out and puts them back, and refuses
// what doesn't fit.
func TestWithParameters(t *testing.T) {
	m, err := New(smallConfig(), 3)
	if err != nil {
		t.Fatal(err)
	}
	var list []*weights.Tensor
	for _, p := range m.Config.Parameters() {
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, weights.NewTensor(p.Name, shape, values))
	}
	back, err := m.WithParameters(list)
	if err != nil {
		t.Fatal(err)
	}
	sameModel(t, back, m)
	reshaped := slices.Clone(list)
	reshaped[0] = weights.NewTensor(list[0].Name, []int{1}, []float32{0})
	for want, bad := range map[string][]*weights.Tensor{
		"missing": list[1:],
		"twice":   append(slices.Clone(list), list[0]),
		"shape":   reshaped,
		"given":   append(slices.Clone(list), weights.NewTensor("more", []int{1}, []float32{0})),
	} {
		if _, err := m.WithParameters(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// TestSaveFails says where it couldn't write, and leaves nothing.
func TestSaveFails(t *testing.T) {
	m, err := New(smallConfig(), 3)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "absent", "model.safetensors")
	if err := m.Save(path); err == nil {
		t.Error("saved into a folder that isn't there")
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("the folder was made")
	}
}

// TestSaveConfigFirst: weights without their configuration would be read with a
// guess at it, so that a disk that is full between the two must not leave them.
func TestSaveConfigFirst(t *testing.T) {
	m, err := New(smallConfig(), 3)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "config.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "model.safetensors")
	if err := m.Save(path); err == nil {
		t.Error("saved without a config.json")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("weights without a config.json were left (%v)", err)
	}
}
