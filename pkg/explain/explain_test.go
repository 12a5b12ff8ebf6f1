package explain

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// golden holds values computed by torch and scipy (tools/golden/explain.py).
type golden struct {
	Rows, Cols, Dim, Heads, Prefix int
	Embeddings, Probabilities      []float32
	Similarity, Mean, Max          []float64
	OnPatches                      []float64 `json:"on_patches"`
	EntropyBits                    []float64 `json:"entropy_bits"`
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func near[A, B float32 | float64](t *testing.T, what string, got []A, want []B, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance) {
			t.Fatalf("%s[%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestGolden(t *testing.T) {
	g := readGolden(t)
	sim, err := PositionSimilarity(g.Embeddings, g.Dim)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "similarity", sim, g.Similarity, 1e-7)

	row, err := ClassRowOf(g.Probabilities, g.Heads, g.Prefix, g.Rows, g.Cols)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		heads Heads
		want  []float64
	}{{MeanHeads, g.Mean}, {MaxHeads, g.Max}} {
		m, err := row.Map(c.heads)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.heads.String(), m.Values, c.want, 1e-8)
	}
	near(t, "on patches", row.OnPatches(), g.OnPatches, 1e-6)
	near(t, "entropy", row.Entropies(), g.EntropyBits, 1e-5)
}

func TestOneHead(t *testing.T) {
	g := readGolden(t)
	row, err := ClassRowOf(g.Probabilities, g.Heads, g.Prefix, g.Rows, g.Cols)
	if err != nil {
		t.Fatal(err)
	}
	last, err := row.Map(OneHead(-1))
	if err != nil {
		t.Fatal(err)
	}
	near(t, "last head", last.Values, row.Head(g.Heads-1).Values, 0)
	if _, err := row.Map(OneHead(3)); err == nil || !strings.Contains(err.Error(), "no head 3") {
		t.Errorf("head 3 of 3: error %v", err)
	}
}

func TestParseHeads(t *testing.T) {
	for _, c := range []struct {
		text string
		want Heads
		err  bool
	}{
		{"mean", MeanHeads, false},
		{"max", MaxHeads, false},
		{"min", MinHeads, false},
		{"0", OneHead(0), false},
		{"-1", OneHead(-1), false},
		{"all", Heads{}, true},
		{"", Heads{}, true},
	} {
		got, err := ParseHeads(c.text)
		if got != c.want || (err != nil) != c.err {
			t.Errorf("ParseHeads(%q) = %v, %v", c.text, got, err)
		}
	}
}

func TestIndex(t *testing.T) {
	for _, c := range []struct {
		i, n, want int
		ok         bool
	}{{0, 12, 0, true}, {-1, 12, 11, true}, {-12, 12, 0, true}, {12, 12, 0, false}, {-13, 12, 0, false}} {
		got, err := Index(c.i, c.n, "layer")
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("Index(%d, %d) = %d, %v", c.i, c.n, got, err)
		}
	}
}

func TestWrongShapes(t *testing.T) {
	sim := make([]float32, 16)
	for name, call := range map[string]func() error{
		"map":           func() error { _, err := NewMap(2, 2, make([]float32, 3)); return err },
		"class row":     func() error { _, err := ClassRowOf(sim, 1, 1, 2, 2); return err },
		"no class":      func() error { _, err := ClassRowOf(sim, 1, 0, 2, 2); return err },
		"similarity":    func() error { _, err := PositionSimilarity(make([]float32, 5), 2); return err },
		"no embeddings": func() error { _, err := PositionSimilarity(nil, 2); return err },
		"one map":       func() error { _, err := SimilarityMap(sim, 3, 2, 0, 0); return err },
		"outside":       func() error { _, err := SimilarityMap(sim, 2, 2, 2, 0); return err },
		"curve":         func() error { _, err := SimilarityByDistance(sim, 3, 2); return err },
		"summary":       func() error { _, err := SummarisePositions(sim, 3, 2); return err },
	} {
		if call() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestMap(t *testing.T) {
	m, err := NewMap(2, 2, []float32{1, 0, 4, 3})
	if err != nil {
		t.Fatal(err)
	}
	if r, c := m.Peak(); r != 1 || c != 0 {
		t.Errorf("peak at (%d, %d), want (1, 0)", r, c)
	}
	if got := m.TopShare(2); got != 7.0/8 {
		t.Errorf("TopShare(2) = %v, want 0.875", got)
	}
	if got := m.TopShare(0); got != 0 {
		t.Errorf("TopShare(0) = %v", got)
	}
	if got := m.Matrix(); got[1][1] != 3 || got[0][0] != 1 {
		t.Errorf("Matrix() = %v", got)
	}
}

func TestEntropyBounds(t *testing.T) {
	for _, c := range []struct {
		weights []float32
		want    float64
	}{
		{[]float32{0, 0, 5, 0}, 0},
		{[]float32{2, 2, 2, 2}, 2},
		{[]float32{0, 0}, 0},
		{nil, 0},
	} {
		if got := Entropy(c.weights); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("Entropy(%v) = %v, want %v", c.weights, got, c.want)
		}
	}
}

// TestDistance uses a similarity that is a known function of the distance.
func TestDistance(t *testing.T) {
	const rows, cols = 3, 4
	n := rows * cols
	sim := make([]float32, n*n)
	for i := range n {
		for j := range n {
			d := math.Round(math.Hypot(float64(i/cols-j/cols), float64(i%cols-j%cols)))
			sim[i*n+j] = float32(1 - d/4)
		}
	}
	c, err := SimilarityByDistance(sim, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	for k, d := range c.Distance {
		if want := 1 - d/4; math.Abs(c.Mean[k]-want) > 1e-7 || c.Std[k] > 1e-7 {
			t.Errorf("distance %v: %v ± %v, want %v ± 0", d, c.Mean[k], c.Std[k], want)
		}
		pairs += c.Pairs[k]
	}
	if pairs != n*n || c.Pairs[0] != n {
		t.Errorf("%d pairs, %d at distance 0; want %d and %d", pairs, c.Pairs[0], n*n, n)
	}
	s, err := SummarisePositions(sim, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	if s.Neighbours != 0.75 || s.NearestIsNext != 1 || s.Lowest != 0 {
		t.Errorf("summary %+v", s)
	}
	if a, b := s.LowestA, s.LowestB; a != 0 || b != n-1 {
		t.Errorf("lowest between %d and %d, want the corners", a, b)
	}
}

func TestZeroEmbeddingIsNaN(t *testing.T) {
	sim, err := PositionSimilarity([]float32{0, 0, 1, 0}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if v := float64(sim[1]); !math.IsNaN(v) {
		t.Errorf("similarity with a zero vector is %v, want NaN", v)
	}
	if _, err := SimilarityByDistance(sim, 1, 2); err != nil {
		t.Error(err)
	}
}

func TestMedian(t *testing.T) {
	in := []float64{3, 1, 2}
	if Median(in) != 2 || in[0] != 3 {
		t.Errorf("median of %v is %v", in, Median(in))
	}
	if Median([]float64{4, 1, 2, 3}) != 2.5 || !math.IsNaN(Median(nil)) {
		t.Error("median of an even or empty list")
	}
}

func ExampleClassRow_Map() {
	// Two heads, a [class] token and a grid of 1x2 patches: 3 tokens. Only the
	// first row of each head, the [class] query's, matters here.
	probabilities := []float32{
		0.50, 0.25, 0.25, 0, 0, 1, 0, 0, 1,
		0.00, 0.75, 0.25, 0, 0, 1, 0, 0, 1,
	}
	row, _ := ClassRowOf(probabilities, 2, 1, 1, 2)
	m, _ := row.Map(MeanHeads)
	fmt.Println(m.Values, row.OnPatches())
	// Output: [0.5 0.25] [0.5 1]
}
