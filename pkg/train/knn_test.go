package train

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"gaze/pkg/transform"
)

func TestParseKNN(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "k=1,5,10,20; temperature=0.07",
		" K = 3 , 1 ":                   "k=3,1; temperature=0.07",
		"temperature=0.5;; k=2":         "k=2; temperature=0.5",
		"k=200; temperature=1e-3":       "k=200; temperature=0.001",
		"k=1,5,10,20; temperature=0.07": "k=1,5,10,20; temperature=0.07",
	} {
		if n, err := ParseKNN(text); err != nil || n.String() != want {
			t.Errorf("%q: %s, %v, want %s", text, n, err, want)
		}
	}
	for _, c := range []struct {
		text   string
		column int
		says   string
	}{
		{"k=0", 1, "from 1"}, {"k=", 1, "from 1"}, {"k=1; temperature=0", 6, "0.001 to 1000"},
		{"temperature=NaN", 1, "0.001"}, {"k=1; lr=3", 6, `no setting "lr"`},
	} {
		_, err := ParseKNN(c.text)
		var syntax *transform.SyntaxError
		if !errors.As(err, &syntax) || syntax.Column != c.column || !strings.Contains(syntax.Reason, c.says) {
			t.Errorf("%q: %v, want %q in column %d", c.text, err, c.says, c.column)
		}
	}
}

func FuzzParseKNN(f *testing.F) {
	for _, text := range []string{"", "k=1,5; temperature=0.07", "k=,", ";k=1", "temperature=1e400"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseKNN(text)
		if err != nil {
			return
		}
		if again, err := ParseKNN(n.String()); err != nil || again.String() != n.String() {
			t.Errorf("%q becomes %s, then %s (%v)", text, n, again, err)
		}
	})
}

// angles is pictures with two features, by their angle in degrees and with some length.
func angles(degrees []float64, labels ...int) *FeatureSet {
	f := &FeatureSet{Dim: 2, Labels: labels}
	for i, d := range degrees {
		y, x := math.Sincos(d * math.Pi / 180)
		length := float64(1 + i%3) // cosines don't depend on it
		f.Values = append(f.Values, float32(length*x), float32(length*y))
	}
	return f
}

// TestKNN compares votes with sums worked out here.
func TestKNN(t *testing.T) {
	ctx := context.Background()
	training := angles([]float64{0, 10, 20, 90, 100, 60}, 0, 0, 0, 1, 1, 2)
	pictures := angles([]float64{5, 85, 42}, 0, 1, 0)
	n := KNN{Ks: []int{1, 3}, Temperature: 0.07}
	logits, err := n.Logits(ctx, training, pictures, 3, 3)
	if err != nil || len(logits) != 9 {
		t.Fatal(logits, err)
	}
	weight := func(degrees float64) float64 { return math.Exp((math.Cos(degrees*math.Pi/180) - 1) / 0.07) }
	for i, want := range [][]float64{
		{weight(5) + weight(5) + weight(15), 0, 0},
		{0, weight(5) + weight(15), weight(25)},
		{weight(22) + weight(32), 0, weight(18)},
	} {
		sum := want[0] + want[1] + want[2]
		for c, v := range want {
			if got := float64(logits[3*i+c]); math.Abs(got-math.Log(max(v/sum, 1e-6))) > 1e-3 {
				t.Errorf("picture %d, class %d: %g, want %g", i, c, got, math.Log(max(v/sum, 1e-6)))
			}
		}
	}
	nearest, err := n.Logits(ctx, training, pictures, 3, 1)
	if err != nil || nearest[0] != 0 || nearest[4] != 0 || nearest[8] != 0 {
		t.Errorf("by the nearest alone: %v, %v", nearest, err)
	}
}

// TestKNNChoose: k is chosen on training pictures without themselves.
func TestKNNChoose(t *testing.T) {
	ctx := context.Background()
	// One picture of each class lies within the other: alone, the nearest misleads.
	training := angles([]float64{0, 4, 8, 12, 6, 90, 94, 98, 102, 96}, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0)
	k, err := KNN{Ks: []int{1, 4, 500}, Temperature: 1}.Choose(ctx, training, 2)
	if err != nil || k != 4 {
		t.Errorf("k=%d, %v, want 4", k, err)
	}
	if k, err := (KNN{Ks: []int{4, 3}, Temperature: 1}).Choose(ctx, training, 2); err != nil || k != 4 {
		t.Errorf("of equals k=%d, %v, want the first, 4", k, err)
	}
	for name, c := range map[string]func() error{
		"too few":    func() error { _, err := KNN{Ks: []int{10}, Temperature: 1}.Choose(ctx, training, 2); return err },
		"class 1":    func() error { _, err := KNN{Ks: []int{1}, Temperature: 1}.Choose(ctx, training, 1); return err },
		"at least":   func() error { _, err := KNN{}.Choose(ctx, training, 2); return err },
		"neighbours": func() error { _, err := DefaultKNN().Logits(ctx, training, training, 2, 11); return err },
		"2 features": func() error {
			_, err := DefaultKNN().Logits(ctx, training, &FeatureSet{Dim: 1, Labels: []int{0}, Values: []float32{1}}, 2, 1)
			return err
		},
	} {
		if err := c(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
