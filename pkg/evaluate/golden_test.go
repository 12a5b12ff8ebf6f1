package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// golden is testdata/golden.json; see tools/golden/evaluate.py.
type golden struct {
	Wilson []struct {
		Correct, Total int
		Interval       [2]float64
	}
	Means []struct {
		Values   []float64
		Interval [2]float64
		Quantile float64
	}
	McNemar []struct {
		OnlyFirst    int `json:"only_first"`
		OnlyOther    int `json:"only_other"`
		Exact        bool
		Statistic, P float64
	}
	Predictions struct {
		Labels         []int
		Logits         []float32
		Loss, ECE, MCE float64
		PerClass       []float64 `json:"per_class"`
		Top5           float64
		ConfidenceMean float64 `json:"confidence_mean"`
	}
	Orders []struct {
		Counts [][]int
		Order  []int
		Length float64
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(b))
}

func TestWilson(t *testing.T) {
	for _, c := range readGolden(t).Wilson {
		got := Wilson(c.Correct, c.Total)
		if !near(got.Low, c.Interval[0], 1e-12) || !near(got.High, c.Interval[1], 1e-12) || got.Value != float64(c.Correct)/float64(c.Total) {
			t.Errorf("%d of %d: %+v, statsmodels has %v", c.Correct, c.Total, got, c.Interval)
		}
	}
	if got := Wilson(0, 0); got != (Interval{High: 1}) {
		t.Errorf("without answers: %+v", got)
	}
}

func TestMeanInterval(t *testing.T) {
	for _, c := range readGolden(t).Means {
		got, err := MeanInterval(c.Values)
		if err != nil {
			t.Fatal(err)
		}
		if !near(got.Low, c.Interval[0], 1e-12) || !near(got.High, c.Interval[1], 1e-12) {
			t.Errorf("%d values: %+v, scipy has %v", len(c.Values), got, c.Interval)
		}
		if q := studentQuantile(0.975, float64(len(c.Values)-1)); !near(q, c.Quantile, 1e-12) {
			t.Errorf("%d values: quantile %.17g, scipy has %.17g", len(c.Values), q, c.Quantile)
		}
	}
	for _, bad := range [][]float64{nil, {1}, {1, math.NaN()}, {1, math.Inf(1)}} {
		if got, err := MeanInterval(bad); err == nil {
			t.Errorf("%v has the interval %+v", bad, got)
		}
	}
}

func TestMcNemar(t *testing.T) {
	for _, c := range readGolden(t).McNemar {
		var first, second []bool
		add := func(n int, a, b bool) {
			for range n {
				first, second = append(first, a), append(second, b)
			}
		}
		add(50, true, true)
		add(c.OnlyFirst, true, false)
		add(c.OnlyOther, false, true)
		add(20, false, false)
		got, err := McNemar(first, second)
		if err != nil {
			t.Fatal(err)
		}
		if got.OnlyFirst != c.OnlyFirst || got.OnlyOther != c.OnlyOther || got.Exact != c.Exact || got.Pictures != len(first) {
			t.Errorf("%+v for %+v", got, c)
		}
		if !near(got.Statistic, c.Statistic, 1e-12) || !near(got.P, c.P, 1e-12) {
			t.Errorf("%+v, statsmodels has statistic %g, p %g", got, c.Statistic, c.P)
		}
	}
	for _, bad := range [][2][]bool{{}, {{true}, nil}, {{true}, {true, false}}} {
		if got, err := McNemar(bad[0], bad[1]); err == nil {
			t.Errorf("%v: %+v", bad, got)
		}
	}
}

// goldenPredictions is the golden file's, with made-up names.
func goldenPredictions(t *testing.T) (*Predictions, golden) {
	t.Helper()
	g := readGolden(t)
	p := &Predictions{Labels: g.Predictions.Labels, Logits: g.Predictions.Logits}
	for i := range g.Predictions.PerClass {
		p.Classes = append(p.Classes, fmt.Sprintf("class %d: long description", i))
	}
	for i := range p.Labels {
		p.Names = append(p.Names, fmt.Sprintf("%d.png", i))
	}
	return p, g
}

func TestReport(t *testing.T) {
	p, all := goldenPredictions(t)
	g := all.Predictions
	r, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want float64
		tolerance float64
	}{
		{"loss", r.Loss, g.Loss, 1e-9},
		// torchmetrics adds the bins up in float32.
		{"ECE", r.Calibration.ECE, g.ECE, 1e-6},
		{"MCE", r.Calibration.MCE, g.MCE, 1e-6},
		{"top 5", r.Top5.Value, g.Top5, 1e-6},
	} {
		if !near(c.got, c.want, c.tolerance) {
			t.Errorf("%s is %.9g, the reference has %.9g", c.what, c.got, c.want)
		}
	}
	correct, pictures, mean := 0, 0, 0.0
	for i, c := range r.PerClass {
		if !near(c.Accuracy.Value, g.PerClass[i], 1e-6) {
			t.Errorf("class %d: accuracy %g, torchmetrics has %g", i, c.Accuracy.Value, g.PerClass[i])
		}
		correct, pictures = correct+c.Correct, pictures+c.Pictures
	}
	if correct != r.Correct || pictures != r.Pictures || pictures != len(p.Labels) {
		t.Errorf("%d of %d right by class, %d of %d in all", correct, pictures, r.Correct, r.Pictures)
	}
	for _, b := range r.Calibration.Bins {
		mean += b.Confidence * float64(b.Pictures) / float64(r.Pictures)
	}
	if !near(mean, g.ConfidenceMean, 1e-9) {
		t.Errorf("mean confidence %g, torch has %g", mean, g.ConfidenceMean)
	}
}

func TestSimilarityOrder(t *testing.T) {
	for _, c := range readGolden(t).Orders {
		got, err := SimilarityOrder(c.Counts)
		if err != nil {
			t.Fatal(err)
		}
		d, err := distances(c.Counts)
		if err != nil {
			t.Fatal(err)
		}
		length := 0.0
		for i := 1; i < len(got); i++ {
			length += d[got[i-1]][got[i]]
		}
		if !slices.Equal(got, c.Order) || !near(length, c.Length, 1e-12) {
			t.Errorf("%d classes: %v of length %.12g, scipy has %v of length %.12g", len(c.Counts), got, length, c.Order, c.Length)
		}
	}
}
