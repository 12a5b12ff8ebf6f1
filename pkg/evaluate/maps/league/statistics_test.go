package league

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"gaze/pkg/evaluate/maps"
)

// golden is what tools/golden/league.py wrote.
type golden struct {
	Cases []struct {
		Rows, Cols                            int
		Values, Ranks, Friedman, P, Holm, Tau []float64
		Signed, Tails                         [][]float64
	}
	Bootstrap struct {
		Models, Pictures, Entrants int
		Values                     []float64
		Counts                     []int
		ModelWeights               [][]float64 `json:"model_weights"`
		PictureWeights             [][]float64 `json:"picture_weights"`
		Means                      []float64
		Intervals, Differences     [][]float64
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "statistics.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// near compares to 1e-9, relative to numbers above 1 and to p-values below it.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*max(1, math.Abs(want))) || want > 0 && want < 1e-3 && math.Abs(got/want-1) > 1e-8 {
		t.Errorf("%s is %.12g, want %.12g", what, got, want)
	}
}

func rows(values []float64, cols int) [][]float64 {
	return slices.Collect(slices.Chunk(values, cols))
}

// TestStatistics compares with scipy and statsmodels.
func TestStatistics(t *testing.T) {
	for _, c := range readGolden(t).Cases {
		x := rows(c.Values, c.Cols)
		for i, row := range rankRows(x, false) {
			if want := c.Ranks[i*c.Cols : (i+1)*c.Cols]; !reflect.DeepEqual(row, want) {
				t.Errorf("ranks of %v: %v, want %v", x[i], row, want)
			}
		}
		f, err := Friedman(x)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "Friedman's statistic", f.Statistic, c.Friedman[0])
		near(t, "its p", f.P, c.Friedman[1])
		pairs, at := ComparePairs(x), 0
		for i := range c.Cols {
			for j := i + 1; j < c.Cols; j++ {
				var d []float64
				for _, row := range x {
					d = append(d, row[i]-row[j])
				}
				w, s := Wilcoxon(d), c.Signed[at]
				near(t, "Wilcoxon's p", w.P, c.P[at])
				near(t, "Holm's p", pairs.P(j, i), c.Holm[at])
				if len(s) == 5 {
					near(t, "sum of positive ranks", w.Plus, s[0])
					near(t, "sum of negative ranks", w.Minus, s[1])
					near(t, "effect", w.Effect, s[4])
					if math.Abs(w.Z-s[3]) > 1e-6 {
						t.Errorf("z is %g, want %g", w.Z, s[3])
					}
				}
				at++
			}
		}
		for i, want := range c.Tau {
			got := Kendall(x[0], x[i+1])
			if math.IsNaN(got) {
				got = 9
			}
			near(t, "tau", got, want)
		}
		for _, tail := range c.Tails {
			near(t, "the tail of chi-squared", chiSquaredTail(tail[1], tail[0]), tail[2])
		}
	}
}

// TestBootstrapGolden compares means under given weights, and their intervals, with numpy.
func TestBootstrapGolden(t *testing.T) {
	g := readGolden(t).Bootstrap
	s := &sample{entrants: g.Entrants}
	for m := range g.Models {
		s.values = append(s.values, g.Values[m*g.Pictures*g.Entrants:(m+1)*g.Pictures*g.Entrants])
		var counts []bool
		for _, c := range g.Counts[m*g.Pictures : (m+1)*g.Pictures] {
			counts = append(counts, c == 1)
		}
		s.counts = append(s.counts, counts)
	}
	r := make(resampled, g.Entrants)
	sums, out := make([]float64, g.Entrants), make([]float64, g.Entrants)
	for b, models := range g.ModelWeights {
		s.mean(models, g.PictureWeights[b], sums, out)
		for k, v := range out {
			near(t, "a mean", v, g.Means[b*g.Entrants+k])
			r[k] = append(r[k], v)
		}
	}
	for k := range g.Entrants {
		i, d := interval(0, r[k], 0.05), interval(0, r.difference(k, 0, false), 0.05)
		near(t, "low", i.Low, g.Intervals[k][0])
		near(t, "high", i.High, g.Intervals[k][1])
		near(t, "difference's low", d.Low, g.Differences[k][0])
		near(t, "difference's high", d.High, g.Differences[k][1])
	}
}

// TestResample: the same numbers for any number of workers; a wider interval with several
// models; strata keep their sizes.
func TestResample(t *testing.T) {
	const pictures, entrants = 60, 2
	s := &sample{entrants: entrants}
	var of []string
	for i := range pictures {
		of = append(of, string(rune('a'+i/7))) // the last stratum is small
	}
	s.strata = maps.Strata(of)
	for m := range 3 {
		var values []float64
		var counts []bool
		for i := range pictures {
			values = append(values, float64(m)+math.Sin(float64(i)), math.Cos(float64(7*i)))
			counts = append(counts, i%9 != m)
		}
		s.values, s.counts = append(s.values, values), append(s.counts, counts)
	}
	one, err := s.resample(context.Background(), 450, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	four, err := s.resample(context.Background(), 450, 3, 4)
	if err != nil || !reflect.DeepEqual(one, four) {
		t.Errorf("the number of workers matters (%v)", err)
	}
	if a, b := spread(one[0]), spread(one[1]); a < 3*b {
		t.Errorf("models that differ by 1 have a spread of %g, those that don't one of %g", a, b)
	}
	if n := len(s.strata); n != 9 {
		t.Errorf("%d strata", n)
	}
}

// TestSimultaneous: the least certain of several intervals is an ordinary one, the others
// are wider.
func TestSimultaneous(t *testing.T) {
	var a []float64
	for i := range 1001 {
		a = append(a, float64(i)/1000)
	}
	b := slices.Clone(a)
	got := simultaneous([]float64{0.5, 0.9}, [][]float64{a, b}, 0.1)
	near(t, "the least certain's low", got[0].Low, 0.05)
	near(t, "the other's low", got[1].Low, 0.025)
	near(t, "the other's high", got[1].High, 0.975)
}

// TestCliques: groups are as long as they can be, and no group lies within another.
func TestCliques(t *testing.T) {
	p := Pairs{n: 4, p: []float64{0.5, 0.01, 0.01, 0.4, 0.01, 0.9}} // 0~1, 1~2, 2~3
	order, groups := Cliques([]float64{1, 2, 3, 4}, p, 0.05)
	if !reflect.DeepEqual(order, []int{0, 1, 2, 3}) || !reflect.DeepEqual(groups, [][2]int{{0, 1}, {1, 2}, {2, 3}}) {
		t.Errorf("%v, %v", order, groups)
	}
	p = Pairs{n: 4, p: []float64{0.5, 0.01, 0.01, 0.01, 0.01, 0.9}}
	order, groups = Cliques([]float64{4, 3, 1, 2}, p, 0.05)
	if !reflect.DeepEqual(order, []int{2, 3, 1, 0}) || !reflect.DeepEqual(groups, [][2]int{{0, 1}, {2, 3}}) {
		t.Errorf("%v, %v", order, groups)
	}
	all := Pairs{n: 3, p: []float64{1, 1, 1}}
	if _, groups = Cliques([]float64{1, 2, 3}, all, 0.05); !reflect.DeepEqual(groups, [][2]int{{0, 2}}) {
		t.Errorf("%v", groups)
	}
}

func TestFriedmanErrors(t *testing.T) {
	for _, x := range [][][]float64{{{1, 2, 3}}, {{1, 2}, {1, 2}}, {{1, 2, 3}, {1, 2}}} {
		if _, err := Friedman(x); err == nil {
			t.Errorf("%v is tested", x)
		}
	}
	f, err := Friedman([][]float64{{1, 1, 1}, {2, 2, 2}})
	if err != nil || f.P != 1 {
		t.Errorf("of ties alone: %+v, %v", f, err)
	}
}
