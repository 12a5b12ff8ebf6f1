package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestFindLearningRate sweeps until training breaks down: the rates rise by the
// same factor, the first loss is the network's, and its weights stay.
func TestFindLearningRate(t *testing.T) {
	g := openGolden(t)
	net, err := ViT(g.model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var before [][]byte
	for _, w := range net.Weights {
		before = append(before, slices.Clone(w.Bytes()))
	}
	opt := Options{Optimizer: SGD{}, Accumulate: 2}
	how := FinderOptions{From: 1e-4, To: 1e4, Updates: 60, Smoothing: 0.7}
	s, err := FindLearningRate(context.Background(), testBackend(t), net, opt, memory{g: g}, how)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range net.Weights {
		if !slices.Equal(w.Bytes(), before[i]) {
			t.Errorf("the sweep changed %s", w.Name)
		}
	}
	if s.DivergedAt <= s.Steepest() || s.DivergedAt > s.Rates[len(s.Rates)-1]*math.Pow(1e8, 1.01/59) || s.DivergedTenth() != s.DivergedAt/10 {
		t.Errorf("diverged at %g, of %g", s.DivergedAt, s.Rates)
	}
	if n := len(s.Rates); !s.Diverged || n < 10 || n >= 60 || len(s.Losses) != n || len(s.Smoothed) != n {
		t.Fatalf("%d rates, %d losses, diverged: %v", n, len(s.Losses), s.Diverged)
	}
	for i, rate := range s.Rates {
		if want := 1e-4 * math.Pow(1e8, float64(i)/59); math.Abs(rate-want) > 1e-9*want {
			t.Errorf("rate %d is %g, want %g", i, rate, want)
		}
	}
	// the first update's two batches, before it
	opt.Schedule = Constant(0)
	tr, err := NewTrainer(testBackend(t), net, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var first sums
	for b := range (memory{g: g}).Batches(0, 0) {
		m, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		if first.add(m); m.Updated {
			break
		}
	}
	if want := first.evaluation().Loss; s.Losses[0] != want || math.Abs(s.Smoothed[0]-want) > 1e-12 {
		t.Errorf("the first loss is %v, smoothed %v, want %v", s.Losses[0], s.Smoothed[0], want)
	}
	mean := 0.3 * (0.7*s.Losses[0] + s.Losses[1]) / (1 - 0.49)
	if math.Abs(s.Smoothed[1]-mean) > 1e-12 {
		t.Errorf("the second smoothed loss is %v, want %v", s.Smoothed[1], mean)
	}
	for _, rate := range []float64{s.Steepest(), 10 * s.MinimumTenth()} {
		if rate <= s.Rates[0] || rate >= s.Rates[len(s.Rates)-1] {
			t.Errorf("suggests %g, of %g", rate, s.Rates)
		}
	}
}

// TestSweepSuggestions are those of a curve that is known: it falls fastest
// after rate 10^2 and is least at 10^4. What is at the ends doesn't count.
func TestSweepSuggestions(t *testing.T) {
	s := &Sweep{Smoothed: []float64{9, 5, 4.9, 4, 3.9, 3.8, 4, 5, 0, 7, 8}}
	for i := range s.Smoothed {
		s.Rates = append(s.Rates, math.Pow(10, float64(i)))
	}
	if got := s.Steepest(); got != 100 {
		t.Errorf("steepest at %g, want 100", got)
	}
	if got := s.MinimumTenth(); math.Abs(got-1e4) > 1e-8 {
		t.Errorf("a tenth of the minimum is %g, want 1e4", got)
	}
	if s.DivergedTenth() != 0 {
		t.Errorf("a sweep that didn't diverge suggests %g", s.DivergedTenth())
	}
	short := &Sweep{Rates: []float64{1, 10, 100}, Smoothed: []float64{3, 2, 5}}
	if short.Steepest() != 1 || short.MinimumTenth() != 1 {
		t.Errorf("a short sweep suggests %g and %g", short.Steepest(), short.MinimumTenth())
	}
}

// TestSweepDiverged looks back to where the losses rose above the first ones for good.
func TestSweepDiverged(t *testing.T) {
	for _, c := range []struct {
		losses []float64
		last   float64
		want   float64
	}{
		{[]float64{2, 2.1, 1.9, 1, 3, 0.5, 2.5, 9, 40}, 8, 6},
		{[]float64{2, 2.1, 1.9, 1, 0.5}, 5, 5}, // the next update's loss was infinite
		{[]float64{2, 2, 2, 3, 1}, 4, 4},       // the smoothed loss has grown too great, this one hasn't
		{[]float64{2, 9}, 1, 1},
		{nil, 0, 0},
	} {
		s := &Sweep{Losses: c.losses}
		for i := range c.losses {
			s.Rates = append(s.Rates, float64(i))
		}
		if s.diverged(c.last); s.DivergedAt != c.want || !s.Diverged {
			t.Errorf("%v: diverged at %g, want %g", c.losses, s.DivergedAt, c.want)
		}
	}
}

func TestFindLearningRateFails(t *testing.T) {
	g := openGolden(t)
	net, err := ViT(g.model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	boom := errors.New("a.jpg: truncated")
	for _, c := range []struct {
		name, want string
		ctx        context.Context
		source     Source
		how        FinderOptions
		opt        Options
	}{
		{"rates fall", "must rise", context.Background(), memory{g: g}, FinderOptions{From: 1, To: 0.1}, usual()},
		{"one update", "at least 2", context.Background(), memory{g: g}, FinderOptions{Updates: 1}, usual()},
		{"smoothing", "between 0 and 1", context.Background(), memory{g: g}, FinderOptions{Smoothing: 1}, usual()},
		{"divergence", "more than 1", context.Background(), memory{g: g}, FinderOptions{Diverged: 0.5}, usual()},
		{"no optimiser", "no optimiser", context.Background(), memory{g: g}, FinderOptions{}, Options{}},
		{"no pictures", "no pictures", context.Background(), batches{}, FinderOptions{}, usual()},
		{"cancelled", "canceled", cancelled, memory{g: g}, FinderOptions{}, usual()},
		{"bad source", "truncated", context.Background(), memory{g, func(int, int) error { return boom }}, FinderOptions{}, usual()},
		{"bad batch", "aren't pictures", context.Background(), batches{{Images: g.images[:5], Labels: []int{1}}}, FinderOptions{}, usual()},
		{"at once", "begin with a lower one", context.Background(), memory{g: g}, FinderOptions{From: 1e30, To: 1e35}, Options{Optimizer: SGD{}}},
	} {
		if _, err := FindLearningRate(c.ctx, testBackend(t), net, c.opt, c.source, c.how); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want an error with %q, got %v", c.name, c.want, err)
		}
	}
}
