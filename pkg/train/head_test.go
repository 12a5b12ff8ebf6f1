package train

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data"
)

// sumsAndMaxima is an Extractor: the mean and the largest of a picture's values.
type sumsAndMaxima struct {
	calls *int
	wrong bool
}

func (sumsAndMaxima) Digest() (string, error) { return "sums", nil }

func (s sumsAndMaxima) Extract(_ context.Context, images []float32, shape [4]int) ([]float32, int, error) {
	*s.calls++
	if s.wrong {
		return make([]float32, 3), 2, nil
	}
	each := len(images) / shape[0]
	var out []float32
	for k := range shape[0] {
		row, sum := images[k*each:(k+1)*each], float32(0)
		for _, v := range row {
			sum += v / float32(each)
		}
		out = append(out, sum, slices.Max(row))
	}
	return out, 2, nil
}

// TestExtractFeatures: features of any model are computed once, kept, and a linear head
// learns from them.
func TestExtractFeatures(t *testing.T) {
	ctx, folder, calls := context.Background(), t.TempDir(), 0
	source := func() (Source, [3]int) {
		l, err := data.NewLoader(stripes{12, -1}, data.LoaderOptions{Pipeline: pipeline(t, "resize(8,8) | totensor"), Batch: 5})
		if err != nil {
			t.Fatal(err)
		}
		return FromLoader(ctx, l), l.Shape()
	}
	pictures, shape := source()
	f, err := ExtractFeatures(ctx, sumsAndMaxima{calls: &calls}, pictures, shape, folder, "stripes")
	if err != nil || f.Dim != 2 || len(f.Labels) != 12 || len(f.Values) != 24 || calls != 3 {
		t.Fatalf("%+v, %v, after %d calls", f, err, calls)
	}
	if again, err := ExtractFeatures(ctx, sumsAndMaxima{calls: &calls}, pictures, shape, folder, "stripes"); err != nil || calls != 3 || !slices.Equal(again.Values, f.Values) {
		t.Errorf("again: %v, after %d calls", err, calls)
	}
	if _, err := ExtractFeatures(ctx, sumsAndMaxima{calls: &calls, wrong: true}, pictures, shape, "", ""); err == nil || !strings.Contains(err.Error(), "3 values of 2 features") {
		t.Error(err)
	}
	network, err := LinearHead(f.Dim, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := NewTrainer(testBackend(t), network, Options{Optimizer: NewAdamW(), Schedule: Constant(0.1)})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	fit := Fit{Dir: filepath.Join(t.TempDir(), "run"), Train: f.Source(4, true, 1), Validation: f.Source(4, false, 1), Epochs: 20}
	if m, err := fit.Run(ctx, trainer); err != nil || m.Best.Accuracy < 1 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := os.Stat(filepath.Join(fit.Dir, "best", "model.safetensors")); err != nil {
		t.Error(err)
	}
	if _, err := LinearHead(0, 2, 0); err == nil {
		t.Error("a head of no features")
	}
	if _, err := LinearHead(2, 1, 0); err == nil {
		t.Error("a head of one class")
	}
}

func TestCost(t *testing.T) {
	for text, want := range map[string]float64{"": 3, "checkpoint": 4, "freeze=backbone": 1, "probe": 1, "freeze=blocks:3": 1.5, "freeze=blocks:99": 3} {
		s, err := ParseSettings(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Cost(12); got != want {
			t.Errorf("%q costs %g passes, want %g", text, got, want)
		}
	}
}

// TestErrNotFinite: both ways to break down are one error.
func TestErrNotFinite(t *testing.T) {
	for _, err := range []error{&NotFiniteError{}, brokeDown{errors.New("x")}} {
		if !errors.Is(err, ErrNotFinite) {
			t.Errorf("%T isn't", err)
		}
	}
}
