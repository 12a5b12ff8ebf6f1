package train

import (
	"math"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/caption/backbone"
)

// captionerOnFeatures is a captioner of 2×3 cells of 5 values and a gist of 4.
func captionerOnFeatures(t *testing.T) *caption.Model {
	t.Helper()
	m, err := caption.New(caption.Config{
		Backbone: backbone.Config{Kind: backbone.Given, Values: 5, Cells: [2]int{2, 3}, CellStride: 32}, Gist: &caption.Gist{Width: 4}, TiedHead: true,
		Dim: 16, Heads: 2, Hidden: 24, DecoderLayers: 2, MaxPositions: 8, Vocab: 12, NormEps: 1e-5, EmbedNormEps: 1e-5, LongestSide: 96, StartID: 1, EndID: 2,
	}, 3)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// featureBatch is two pictures' features with two captions each, and their gists.
func featureBatch(seed int32) Batch {
	b := Batch{Images: make([]float32, 2*2*3*5), Inputs: []Values{
		{Shape: []int{4, 5}, Ints: []int32{1, 4, 5, 2, 0, 1, 4, 6, 7, 2, 1, 8, 2, 0, 0, 1, 8, 9, 10, 2}},
		{Shape: []int{3}, Ints: []int32{seed, 1, 2}},
		{Shape: []int{2, 4}, Floats: []float32{1, 0, 0, -1, 0, 1, -1, 0}},
	}}
	for i := range b.Images {
		b.Images[i] = float32(math.Sin(float64(i)))
	}
	return b
}

func textBatch(seed int32) Batch {
	b := featureBatch(seed)
	gists := []float32{1, 0, 0, -1, 1, 0, 0, -1, 0, 1, -1, 0, 0, 1, -1, 0}
	return Batch{Images: gists, Inputs: b.Inputs[:2]}
}

// TestCaptionerOnFeatures learns captions by heart, from features and from gists alone, and
// does so the same each time.
func TestCaptionerOnFeatures(t *testing.T) {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	how := caption.Training{Dropout: 0.1, Input: 0.1, Smoothing: 0.05}
	for name, make := range map[string]func(t *testing.T) (*Network, func(int32) Batch, []Rule){
		"features": func(t *testing.T) (*Network, func(int32) Batch, []Rule) {
			net, err := CaptionerOnFeatures(captionerOnFeatures(t), how)
			if err != nil {
				t.Fatal(err)
			}
			return net, featureBatch, nil
		},
		"text": func(t *testing.T) (*Network, func(int32) Batch, []Rule) {
			net, err := CaptionerOnText(captionerOnFeatures(t), how)
			if err != nil {
				t.Fatal(err)
			}
			return net, textBatch, []Rule{FreezeCells()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(steps int, seed int32) (losses []float64, right float64) {
				net, batch, rules := make(t)
				tr, err := NewTrainer(b, net, Options{Optimizer: NewAdamW(), Schedule: Constant(5e-3), Rules: rules})
				if err != nil {
					t.Fatal(err)
				}
				defer tr.Close()
				for i := range steps {
					m, err := tr.Step(batch(seed + int32(i)))
					if err != nil {
						t.Fatal(err)
					}
					losses = append(losses, m.Loss)
				}
				e, err := tr.Evaluate(t.Context(), one{batch(0)}, false)
				if err != nil {
					t.Fatal(err)
				}
				again, err := tr.Evaluate(t.Context(), one{batch(9)}, false)
				if err != nil {
					t.Fatal(err)
				}
				if e != again {
					t.Errorf("evaluation depends on the seed of what is dropped: %v and %v", e, again)
				}
				return losses, e.Accuracy
			}
			losses, right := run(80, 1)
			if losses[79] > losses[0]/2 || right < 0.7 { // two captions begin alike and can't both be right
				t.Errorf("loss from %.3f to %.3f, %.0f %% right", losses[0], losses[79], 100*right)
			}
			again, _ := run(3, 1)
			other, _ := run(3, 7)
			for i := range again {
				if again[i] != losses[i] {
					t.Errorf("step %d: loss %v, the first time %v", i, again[i], losses[i])
				}
			}
			if other[0] == losses[0] {
				t.Error("another seed drops the same values")
			}
		})
	}
}

func TestCaptionerOnFeaturesRefuses(t *testing.T) {
	if _, err := CaptionerOnFeatures(smallCaptioner(t), caption.Training{}); err == nil || !strings.Contains(err.Error(), "must be given") {
		t.Errorf("a captioner of pictures: %v", err)
	}
	if _, err := CaptionerOnText(smallCaptioner(t), caption.Training{}); err == nil || !strings.Contains(err.Error(), "gist") {
		t.Errorf("without a gist: %v", err)
	}
	if _, err := CaptionerOnFeatures(captionerOnFeatures(t), caption.Training{Dropout: 1}); err == nil {
		t.Error("a dropout of 1 is accepted")
	}
}
