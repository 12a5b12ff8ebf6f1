package explain

import (
	"math"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

func TestRankCorrelation(t *testing.T) {
	row := func(values ...float32) Map { return Map{Rows: 1, Cols: len(values), Values: values} }
	for _, c := range []struct {
		a, b Map
		want float64
	}{
		{row(1, 2, 3, 4), row(10, 20, 30, 1000), 1},
		{row(1, 2, 3, 4), row(4, 3, 2, 1), -1},
		{row(1, 2, 3, 4), row(7, 7, 7, 7), 0},
		{row(1, 1, 2, 2), row(0, 0, 5, 5), 1},
		{row(1, 2, 2, 4), row(1, 3, 2, 4), 0.9486832980505138}, // scipy.stats.spearmanr
	} {
		if got := RankCorrelation(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v and %v: %g, want %g", c.a.Values, c.b.Values, got, c.want)
		}
	}
}

// TestAgreement: the pair that disagrees most is found, and comparisons that don't fit are
// refused.
func TestAgreement(t *testing.T) {
	a, b, c := methods[0], methods[1], methods[2]
	of := func(maps ...[]float32) *Comparison {
		out := &Comparison{Picture: "cat"}
		for i, values := range maps {
			out.Entries = append(out.Entries, Entry{Method: methods[i], Map: Map{Rows: 2, Cols: 2, Values: values}})
		}
		return out
	}
	got, err := AgreementOf(of([]float32{1, 2, 3, 4}, []float32{2, 3, 4, 5}, []float32{1, 2, 4, 3}), of([]float32{1, 2, 3, 4}, []float32{1, 2, 3, 4}, []float32{4, 3, 2, 1}))
	if err != nil {
		t.Fatal(err)
	}
	if got.Mean[0][1] != 1 || got.Mean[0][0] != 1 || math.Abs(got.Mean[0][2]-(0.8-1)/2) > 1e-12 {
		t.Errorf("means %v", got.Mean)
	}
	worst, rho := got.Worst()
	if rho != -1 || worst.Entries[0].Method != a && worst.Entries[0].Method != b || worst.Entries[1].Method != c {
		t.Errorf("%g: %+v", rho, worst.Entries)
	}
	if _, err := got.Figure().Image(1); err != nil {
		t.Error(err)
	}
	if _, err := AgreementOf(of([]float32{1, 2, 3, 4})); err == nil {
		t.Error("one method agrees with itself")
	}
	if _, err := AgreementOf(of([]float32{1, 2, 3, 4}, []float32{1, 2, 3, 4}), of([]float32{1, 2, 3, 4})); err == nil {
		t.Error("other methods")
	}
}

// TestCascade: the head alone doesn't touch attention, which changes when the blocks
// are permuted; a gradient's map changes at once.
func TestCascade(t *testing.T) {
	cfg, err := vit.ParseConfig("vit:dim=24,depth=3,heads=3,patch=4,size=16")
	if err != nil {
		t.Fatal(err)
	}
	headless, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer headless.Close()
	cfg.Classes = 5
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewExplainer(b, m)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p, err := transform.Parse("resize(16,16) | totensor | normalize(0.5,0.5)")
	if err != nil {
		t.Fatal(err)
	}
	im := transform.NewImage(20, 20, 3)
	for i := range im.Pix {
		im.Pix[i] = uint8(i * 31)
	}
	c, err := CascadeOf(e, m, p, "cat", im, []string{"attention", "chefer"}, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Stages) != 5 || c.Stages[0] != "trained" || c.Stages[1] != "head" || c.Stages[4] != "all weights" {
		t.Errorf("stages %q", c.Stages)
	}
	if s := c.Similar; s[0][0] != 1 || s[0][1] != 1 || s[0][4] > 0.99 || s[1][1] > 0.999 {
		t.Errorf("similarities %v", s)
	}
	if _, err := c.Figure().Image(1); err != nil {
		t.Error(err)
	}
	if _, err := c.Chart().Image(1); err != nil {
		t.Error(err)
	}
	if _, err := CascadeOf(e, headless, p, "cat", im, []string{"attention"}, 4, 1); err == nil || !strings.Contains(err.Error(), "no head") {
		t.Errorf("a model without a head: %v", err)
	}
}
