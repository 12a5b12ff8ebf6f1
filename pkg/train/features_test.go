package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// TestFeaturesEqualFrozenBackbone trains a head on features, and the model with
// its backbone frozen, on the same batches: both come out the same.
func TestFeaturesEqualFrozenBackbone(t *testing.T) {
	g, b, ctx := openGolden(t), testBackend(t), context.Background()
	features, err := Features(ctx, b, g.model, memory{g: g}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	probe, err := Probe(g.model, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := ViT(g.model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{Optimizer: NewAdamW(), Schedule: Constant(1e-2), Accumulate: 2}
	small, err := NewTrainer(b, probe, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	opt.Rules = []Rule{FreezeBackbone()}
	large, err := NewTrainer(b, whole, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	steps := 0
	for range 10 {
		var pictures []Batch
		for batch := range (memory{g: g}).Batches(0, 0) {
			pictures = append(pictures, batch)
		}
		for batch := range features.Source(memoryBatch, false, 0).Batches(0, 0) {
			got, err := small.Step(batch)
			if err != nil {
				t.Fatal(err)
			}
			want, err := large.Step(pictures[steps%memoryBatches])
			if err != nil {
				t.Fatal(err)
			}
			if steps++; math.Abs(got.Loss-want.Loss) > 1e-5 || got.Correct != want.Correct || got.Batch != want.Batch || math.Abs(got.GradNorm-want.GradNorm) > 1e-5*(1+want.GradNorm) {
				t.Errorf("step %d: %+v on features, %+v with the backbone frozen", steps, got, want)
			}
		}
	}
	if steps != 10*memoryBatches {
		t.Errorf("%d steps", steps)
	}
	got, err := small.Weights(false)
	if err != nil {
		t.Fatal(err)
	}
	want, err := large.Weights(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range got {
		i := slices.IndexFunc(want, func(v *weights.Tensor) bool { return v.Name == w.Name })
		a, _ := w.Float32s()
		b, _ := want[i].Float32s()
		for k := range a {
			if math.Abs(float64(a[k]-b[k])) > 1e-5 {
				t.Fatalf("%s[%d] is %v on features, %v with the backbone frozen", w.Name, k, a[k], b[k])
			}
		}
	}
}

// TestFeaturesAreKept computes them once for a model and a key, and again if
// the file was damaged.
func TestFeaturesAreKept(t *testing.T) {
	g, b, ctx := openGolden(t), testBackend(t), context.Background()
	folder := filepath.Join(t.TempDir(), "cache")
	computed := 0
	source := memory{g, func(_, batch int) error {
		if batch == 0 {
			computed++
		}
		return nil
	}}
	get := func(key string) *FeatureSet {
		f, err := Features(ctx, b, g.model, source, folder, key)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first := get("a")
	again := get("a")
	if computed != 1 || !slices.Equal(first.Values, again.Values) || !slices.Equal(first.Labels, again.Labels) || first.Dim != again.Dim {
		t.Errorf("computed %d times, or read other features than were written", computed)
	}
	if get("b"); computed != 2 {
		t.Errorf("another key: computed %d times", computed)
	}
	files, err := filepath.Glob(filepath.Join(folder, "features-*.safetensors"))
	if err != nil || len(files) != 2 {
		t.Fatalf("kept %v (%v)", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)-200] ^= 1
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if repaired := get("a"); computed != 3 || !slices.Equal(first.Values, repaired.Values) {
		t.Errorf("a damaged file: computed %d times", computed)
	}
	if get("a"); computed != 3 {
		t.Errorf("the file isn't whole again: computed %d times", computed)
	}
}

func TestFeatureSource(t *testing.T) {
	f := &FeatureSet{Values: []float32{0, 1, 2, 3, 4}, Dim: 1, Labels: []int{0, 1, 2, 3, 4}}
	if n := f.Source(0, false, 0).Len(); n != 1 {
		t.Errorf("%d full batches", n)
	}
	shuffled, orders := f.Source(2, true, 1), map[string]bool{}
	for epoch := range 4 {
		var labels []int
		for b := range shuffled.Batches(epoch, 0) {
			labels = append(labels, b.Labels...)
			for i, label := range b.Labels {
				if b.Images[i] != float32(label) {
					t.Errorf("features %v have the labels %v", b.Images, b.Labels)
				}
			}
		}
		orders[fmt.Sprint(labels)] = true
		if slices.Sort(labels); !slices.Equal(labels, f.Labels) {
			t.Errorf("epoch %d has %v", epoch, labels)
		}
	}
	if len(orders) < 2 {
		t.Error("every epoch has the same order")
	}
}

func TestFeaturesFail(t *testing.T) {
	g, b := openGolden(t), testBackend(t)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	boom := errors.New("a.jpg: truncated")
	for _, c := range []struct {
		want   string
		ctx    context.Context
		source Source
	}{
		{"no pictures", context.Background(), batches{{}}},
		{"canceled", cancelled, memory{g: g}},
		{"truncated", context.Background(), memory{g, func(int, int) error { return boom }}},
		{"not mixed", context.Background(), batches{{Images: g.images, Targets: g.soft, Labels: g.Labels}}},
		{"must be pictures", context.Background(), batches{{Images: g.images[:5], Labels: []int{1}}}},
	} {
		folder := t.TempDir()
		if _, err := Features(c.ctx, b, g.model, c.source, folder, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want an error with %q, got %v", c.want, err)
		}
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("%s: it leaves %v", c.want, left)
		}
	}
}
