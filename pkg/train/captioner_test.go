package train

import (
	"context"
	"iter"
	"math"
	"strings"
	"testing"

	"gaze/pkg/caption"
	"gaze/pkg/caption/backbone"
	"gaze/pkg/vit"
)

// smallCaptioner is a captioner whose steps take no time.
func smallCaptioner(t *testing.T) *caption.Model {
	t.Helper()
	cfg := caption.Small(12)
	cfg.Backbone.Stages = []backbone.Stage{{Channels: 8, Blocks: 1}, {Channels: 16, Blocks: 1}}
	cfg.Dim, cfg.Heads, cfg.Hidden, cfg.EncoderLayers, cfg.DecoderLayers, cfg.LongestSide = 16, 2, 24, 1, 2, 24
	m, err := caption.New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// captionBatch is two pictures of 24×16 with two captions each and maps of their
// six cells.
func captionBatch() Batch {
	b := Batch{Images: make([]float32, 2*3*24*16), Inputs: []Values{
		{Shape: []int{4, 5}, Ints: []int32{1, 4, 5, 2, 0, 1, 5, 6, 7, 2, 1, 8, 2, 0, 0, 1, 8, 9, 10, 2}},
		{Shape: []int{4, 4, 6}, Floats: make([]float32, 4*4*6)},
	}}
	for i := range b.Images {
		b.Images[i] = float32(math.Sin(float64(i)))
	}
	for _, at := range []int{0, 6 + 3, 2*24 + 5, 3*24 + 2*6 + 1} { // a cell of some steps
		b.Inputs[1].Floats[at] = 1
	}
	return b
}

// one is a source of one batch.
type one struct{ batch Batch }

func (o one) Len() int { return 1 }

func (o one) Batches(_, from int) iter.Seq2[Batch, error] {
	return Ahead(from, 1, func(int) (Batch, error) { return o.batch, nil })
}

func captionTrainer(t *testing.T, teach float64, opt Options) *Trainer {
	t.Helper()
	net, err := Captioner(smallCaptioner(t), [2]int{24, 16}, teach)
	if err != nil {
		t.Fatal(err)
	}
	opt.Optimizer, opt.Schedule = NewAdamW(), Constant(3e-3)
	opt.Rules = append(opt.Rules, FreezeStatistics())
	trainer, err := NewTrainer(testBackend(t), net, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trainer.Close() })
	return trainer
}

// TestCaptioner overfits four captions and their target maps.
func TestCaptioner(t *testing.T) {
	trainer := captionTrainer(t, 0.15, Options{})
	b := captionBatch()
	first, err := trainer.Step(b)
	if err != nil {
		t.Fatal(err)
	}
	if first.Answers != 3+4+2+4 || first.Batch != 2 {
		t.Errorf("a batch of %d pictures with %d tokens to predict, want 2 with 13", first.Batch, first.Answers)
	}
	var last Metrics
	for range 80 {
		if last, err = trainer.Step(b); err != nil {
			t.Fatal(err)
		}
	}
	if last.Loss > first.Loss/4 || last.Correct < 11 { // two captions of a picture begin alike, and differ
		t.Errorf("after 80 steps a loss of %.3f, %d of 13 tokens right; at first %.3f", last.Loss, last.Correct, first.Loss)
	}
}

// TestCaptionerEvaluates finds a batch's loss before the step that lowers it.
func TestCaptionerEvaluates(t *testing.T) {
	b := captionBatch()
	b.Inputs = b.Inputs[:1]
	trainer := captionTrainer(t, 0, Options{Average: &Average{Decay: 0.9}})
	for _, averaged := range []bool{false, true} {
		e, err := trainer.Evaluate(context.Background(), one{b}, averaged)
		if err != nil {
			t.Fatal(err)
		}
		if want := math.Log(12); e.Total != 13 || math.Abs(e.Loss-want) > 0.8 {
			t.Errorf("before training %+v, want about %.2f for each of 13 tokens", e, want)
		}
		if averaged {
			break
		}
		m, err := trainer.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		if m.Loss != e.Loss || m.Correct != e.Correct {
			t.Errorf("the step found loss %v and %d right, the evaluation before it %v and %d", m.Loss, m.Correct, e.Loss, e.Correct)
		}
	}
}

// TestCaptionerAccumulates takes one batch twice as it takes it once.
func TestCaptionerAccumulates(t *testing.T) {
	b := captionBatch()
	var norms [2]float64
	for i, every := range []int{1, 2} {
		trainer := captionTrainer(t, 0.15, Options{Accumulate: every})
		for range every {
			m, err := trainer.Step(b)
			if err != nil {
				t.Fatal(err)
			}
			norms[i] = m.GradNorm
		}
	}
	if math.Abs(norms[0]-norms[1]) > 1e-5*norms[0] {
		t.Errorf("gradients of norm %v at once, %v accumulated", norms[0], norms[1])
	}
}

// TestCaptionerRefuses gives what can't be trained on.
func TestCaptionerRefuses(t *testing.T) {
	trainer := captionTrainer(t, 0.15, Options{})
	b := captionBatch()
	short := captionBatch()
	short.Inputs[0].Ints = short.Inputs[0].Ints[:19]
	vitConfig, err := vit.ParseConfig("vit:dim=16,depth=1,heads=2,patch=8,size=16")
	if err != nil {
		t.Fatal(err)
	}
	vitConfig.Classes = 3
	start, err := vit.New(vitConfig, 1)
	if err != nil {
		t.Fatal(err)
	}
	classify, err := ViT(start, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	classifier, err := NewTrainer(testBackend(t), classify, Options{Optimizer: NewAdam(), Schedule: Constant(1e-3)})
	if err != nil {
		t.Fatal(err)
	}
	defer classifier.Close()
	net, err := Captioner(smallCaptioner(t), [2]int{24, 16}, 0)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		do   func() error
		want string
	}{
		{"labels", func() error { _, err := trainer.Step(Batch{Images: b.Images, Labels: []int{1, 2}}); return err }, "Batch.Inputs"},
		{"targets", func() error { _, err := trainer.Step(Batch{Images: b.Images, Targets: []float32{1}}); return err }, "Batch.Inputs"},
		{"a classifier", func() error {
			_, err := classifier.Step(Batch{Images: make([]float32, 3*16*16), Inputs: b.Inputs})
			return err
		}, "the network classifies"},
		{"too few values", func() error { _, err := trainer.Step(short); return err }, "input 0: 0 floats and 19 integers, where the shape is [4 5]"},
		{"pictures of another size", func() error { _, err := trainer.Step(Batch{Images: b.Images[:7], Inputs: b.Inputs}); return err }, "7 values"},
		{"bfloat16", func() error {
			_, err := NewTrainer(testBackend(t), net, Options{Optimizer: NewAdam(), Schedule: Constant(1), Precision: BFloat16})
			return err
		}, "leave out bfloat16 and checkpointing"},
		{"a weight below 0", func() error { _, err := Captioner(smallCaptioner(t), [2]int{24, 16}, -1); return err }, "-1"},
	}
	for _, c := range cases {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := trainer.Step(b); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}
