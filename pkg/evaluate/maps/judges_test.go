package maps

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/data/pets"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// judged is a small model of random weights with its explainer and cases.
func judged(t testing.TB, config string, n int) (*vit.Model, *explain.Explainer, []*Case) {
	t.Helper()
	cfg, err := vit.ParseConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 6
	m, err := vit.New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := explain.NewExplainer(b, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return m, e, manyCases(n, cfg.ImageSize[0], cfg.ImageSize[1], cfg.Classes)
}

// manyCases are noisy pictures with a pet somewhere.
func manyCases(n, h, w, classes int) (out []*Case) {
	for i := range n {
		r := random(11, 99, i)
		c := &Case{Name: fmt.Sprint("picture ", i), Stratum: fmt.Sprint(i % classes), Index: i, Class: i % classes, Right: true, Tensor: smooth(i%3, h, w)}
		for k := range c.Tensor.Data {
			c.Tensor.Data[k] += float32(0.5 * r.NormFloat64())
		}
		c.Pet = &data.Mask{Width: w, Height: h, Pix: make([]uint8, h*w)}
		y0, x0 := r.IntN(h/2), r.IntN(w/2)
		for k := range c.Pet.Pix {
			if y, x := k/w-y0, k%w-x0; y >= 0 && x >= 0 && y < h/2 && x < w/2 {
				c.Pet.Pix[k] = data.Inside
			}
		}
		out = append(out, c)
	}
	return out
}

// fixed is an entrant whose maps are a function of the case, not of the model.
func fixed(name string, rows, cols int, value func(c *Case, i int) float32) *Entrant {
	return &Entrant{Name: name, Make: func(_ context.Context, _ *explain.Explainer, cases []*Case) ([]explain.Map, error) {
		var out []explain.Map
		for _, c := range cases {
			m := explain.Map{Rows: rows, Cols: cols, Values: make([]float32, rows*cols)}
			for i := range m.Values {
				m.Values[i] = value(c, i)
			}
			out = append(out, m)
		}
		return out, nil
	}}
}

// noise is a random map.
func noise(seed uint64, rows, cols int) *Entrant {
	return fixed(fmt.Sprint("random ", seed), rows, cols, func(c *Case, i int) float32 {
		return random(seed, 1000+uint64(i), c.Index).Float32()
	})
}

// method is an entrant of a method.
func method(name string) *Entrant {
	return &Entrant{Name: name, Competes: true, Make: func(_ context.Context, e *explain.Explainer, cases []*Case) ([]explain.Map, error) {
		var list []*transform.Tensor
		var o explain.Options
		for _, c := range cases {
			list, o.Classes, o.Indices = append(list, c.Tensor), append(o.Classes, c.Class), append(o.Indices, c.Index)
		}
		x, err := e.Explain(name, list, o)
		if err != nil {
			return nil, err
		}
		return x.Maps, nil
	}}
}

// inverted is an entrant with the negative of another's maps.
func inverted(of *Entrant) *Entrant {
	return &Entrant{Name: "inverted " + of.Name, Make: func(ctx context.Context, e *explain.Explainer, cases []*Case) ([]explain.Map, error) {
		maps, err := of.Make(ctx, e, cases)
		for _, m := range maps {
			for i := range m.Values {
				m.Values[i] = -m.Values[i]
			}
		}
		return maps, err
	}}
}

// mapsOf are the maps of entrants, [cases][entrants].
func mapsOf(t testing.TB, e *explain.Explainer, entrants []*Entrant, cases []*Case) [][]explain.Map {
	t.Helper()
	out := make([][]explain.Map, len(cases))
	for _, n := range entrants {
		maps, err := n.Make(context.Background(), e, cases)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range maps {
			out[i] = append(out[i], m)
		}
	}
	return out
}

// backdrop is an operator that only some cases have.
func backdrop() Operator {
	return Replacing("background", "true background", "the scene without its animal", func(c *Case) (*transform.Tensor, error) {
		if c.Index%4 == 3 {
			return nil, nil
		}
		return smooth(2, c.Tensor.Shape[1], c.Tensor.Shape[2]), nil
	})
}

// allJudges is one of each kind, for a model.
func allJudges(t testing.TB, m *vit.Model, pool []*Case) []Judge {
	t.Helper()
	f, err := NewFaithfulness(FaithfulnessOptions{Operators: []Operator{TrainingMean(), Blur(0), LinearImputation(0.01, 2), TokenDrop(), backdrop()}, Subsets: 20, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSanity(m, SanityOptions{Stages: 2, Noisy: 2, Samples: 2, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return []Judge{f, s, LocalisationJudge{}, MosaicJudge{Pool: pool, Seed: 2}, ComplexityJudge{}}
}

// TestJudges: scores are within their columns' ranges and the same bits however cases are
// split over calls and whatever the number of workers; a constant map scores its column's
// chance, and so, over pictures, what a random map does where that isn't the same for every
// picture; columns have what a league needs.
func TestJudges(t *testing.T) {
	m, e, cases := judged(t, "vit:dim=24,depth=2,heads=3,patch=4,size=16", 9)
	entrants := []*Entrant{fixed("constant", 4, 4, func(*Case, int) float32 { return 0.3 }), noise(1, 4, 4), method("chefer")}
	maps := mapsOf(t, e, entrants, cases)
	keys := map[string]bool{}
	for _, j := range allJudges(t, m, cases) {
		whole, err := j.Judge(context.Background(), e, entrants, cases, maps)
		if err != nil {
			t.Fatal(err)
		}
		var parts [][][]float64
		for _, at := range [][2]int{{0, 1}, {1, 6}, {6, 9}} {
			part, err := j.Judge(context.Background(), e, entrants, cases[at[0]:at[1]], maps[at[0]:at[1]])
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part...)
		}
		for k, c := range j.Columns() {
			if keys[c.Key] || c.Name == "" || c.Family == "" || !strings.HasSuffix(c.About, ".") || !(c.Range[0] < c.Range[1]) {
				t.Errorf("a column that a league can't use: %+v", c)
			}
			keys[c.Key] = true
			for i := range cases {
				for n := range entrants {
					v, again := whole[i][n][k], parts[i][n][k]
					if math.Float64bits(v) != math.Float64bits(again) {
						t.Errorf("%s of %s is %g, but %g in a smaller call", c.Key, entrants[n].Name, v, again)
					}
					if missing := strings.HasSuffix(c.Key, "-head") || strings.HasSuffix(c.Key, "-background") && i%4 == 3; missing != math.IsNaN(v) || !missing && !(v >= c.Range[0]-1e-9 && v <= c.Range[1]+1e-9) {
						t.Errorf("%s of %s of %s is %g", c.Key, entrants[n].Name, cases[i].Name, v)
					}
				}
				if v := whole[i][0][k]; c.Chance != nil && !strings.HasPrefix(c.Key, "gap-") && !math.IsNaN(v) && math.Abs(v-*c.Chance) > 1e-12 {
					t.Errorf("%s of a constant map is %g", c.Key, v)
				}
			}
		}
	}
}

// TestConstantIsRandom: over many pictures a constant map scores what random maps score.
func TestConstantIsRandom(t *testing.T) {
	cases := manyCases(100, 12, 12, 5)
	entrants := []*Entrant{fixed("constant", 6, 6, func(*Case, int) float32 { return 2 }), noise(1, 6, 6), noise(2, 6, 6), noise(3, 6, 6)}
	maps := mapsOf(t, nil, entrants, cases)
	f, err := NewFaithfulness(FaithfulnessOptions{Operators: []Operator{TrainingMean(), LinearImputation(0.01, 1)}, Subsets: 30})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := f.judge(context.Background(), newLinear(5, 3*12*12), len(entrants), cases, maps)
	if err != nil {
		t.Fatal(err)
	}
	compareWithRandom(t, f.Columns(), scores)
	var l LocalisationJudge
	if scores, err = l.Judge(context.Background(), nil, entrants, cases, maps); err != nil {
		t.Fatal(err)
	}
	compareWithRandom(t, l.Columns()[:perKind], scores)
}

// compareWithRandom compares the first entrant's means with those of the others, random
// maps. Thresholds and squared sums favour a flat map a little: random maps are compared
// with it to a few hundredths.
func compareWithRandom(t *testing.T, columns []Column, scores [][][]float64) {
	t.Helper()
	for k, c := range columns {
		var flat, chance, both []float64
		for _, of := range scores {
			flat = append(flat, of[0][k])
			chance = append(chance, (of[1][k]+of[2][k]+of[3][k])/3)
			both = append(both, of[0][k]-(of[1][k]+of[2][k]+of[3][k])/3)
		}
		error := 0.0
		for _, d := range both {
			error += (d - mean(both)) * (d - mean(both))
		}
		error = math.Sqrt(error) / float64(len(both))
		t.Logf("%-20s constant %8.4f random %8.4f ± %.4f", c.Key, mean(flat), mean(chance), error)
		if d := math.Abs(mean(both)); d > 4*error && d > 0.03*(c.Range[1]-c.Range[0]) {
			t.Errorf("%s: a constant map scores %g, random ones %g ± %g", c.Key, mean(flat), mean(chance), error)
		}
	}
}

// TestInverted: an inverted map has the curves of the other end, and correlations of the
// other sign.
func TestInverted(t *testing.T) {
	cases := manyCases(5, 12, 12, 5)
	entrants := []*Entrant{noise(1, 6, 6), inverted(noise(1, 6, 6))}
	f, err := NewFaithfulness(FaithfulnessOptions{Operators: []Operator{TrainingMean()}, Parts: Curves | Subsets | Singles,
		Fractions: []float64{0, 0.25, 0.5, 0.75, 1}})
	if err != nil {
		t.Fatal(err)
	}
	scores, err := f.judge(context.Background(), newLinear(5, 3*12*12), 2, cases, mapsOf(t, nil, entrants, cases))
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range scores {
		for a, b := range map[string]string{"deletion-mean": "insertion-mean", "positive-mean": "negative-mean"} {
			a, b := columnOf(t, f, a), columnOf(t, f, b)
			if of[0][a] != of[1][b] || of[0][b] != of[1][a] {
				t.Errorf("%v and %v aren't mirrored", of[0], of[1])
			}
		}
		for _, key := range []string{"gap-mean", "sensitivity-n-mean", "single-mean"} {
			k := columnOf(t, f, key)
			closeTo(t, key+" of the inverted map", of[1][k], -of[0][k], 1e-9)
		}
	}
	// The linear model's own cells are the best map there is.
	model := newLinear(5, 3*12*12)
	own := fixed("contribution", 6, 6, func(c *Case, i int) float32 {
		sum := float32(0)
		for k, v := range c.Tensor.Data {
			if y, x := k/12%12, k%12; y/2*6+x/2 == i {
				sum += v * model.weights[c.Class*3*144+k]
			}
		}
		return sum
	})
	if scores, err = f.judge(context.Background(), model, 1, cases, mapsOf(t, nil, []*Entrant{own}, cases)); err != nil {
		t.Fatal(err)
	}
	for _, of := range scores {
		closeTo(t, "sensitivity-n of the contributions", of[0][columnOf(t, f, "sensitivity-n-mean")], 1, 1e-4)
		closeTo(t, "single deletion of the contributions", of[0][columnOf(t, f, "single-mean")], 1, 1e-2)
		closeTo(t, "infidelity of the contributions", of[0][columnOf(t, f, "infidelity-mean")], 0, 1e-4)
	}
}

// TestSanity: a map that doesn't depend on the model stays the same, one that does changes.
func TestSanity(t *testing.T) {
	m, e, cases := judged(t, "vit:dim=24,depth=2,heads=3,patch=4,size=24", 3)
	s, err := NewSanity(m, SanityOptions{Noisy: 3, Samples: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.stages(); !slices.Equal(got, []int{2, 1, 0, -1}) {
		t.Errorf("the cascade is %v", got)
	}
	entrants := []*Entrant{noise(1, 6, 6), method("gradcam")}
	scores, err := s.Judge(context.Background(), e, entrants, cases, mapsOf(t, e, entrants, cases))
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range scores {
		if !slices.Equal(of[0], []float64{1, 1, 1, 1, 1, 0, 0}) {
			t.Errorf("a map that doesn't depend on the model: %v", of[0])
		}
		if !(of[1][0] < 0.9 && of[1][4] < 0.9 && of[1][6] > 0) {
			t.Errorf("a map that does: %v", of[1])
		}
	}
	other, _, _ := judged(t, "vit:dim=24,depth=3,heads=3,patch=4,size=24", 1)
	if s, err = NewSanity(other, SanityOptions{Stages: 1}); err != nil || !slices.Equal(s.stages(), []int{-1}) {
		t.Fatalf("%v, %v", s.stages(), err)
	}
	if _, err := s.Judge(context.Background(), e, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "was made for") {
		t.Errorf("an explainer of another model: %v", err)
	}
}

// TestMosaic: a case's picture is where its map should lie, and three of other strata are
// beside it, whatever else is judged.
func TestMosaic(t *testing.T) {
	cases := manyCases(12, 8, 12, 6)
	for _, c := range cases {
		for i := range c.Tensor.Data {
			c.Tensor.Data[i] = float32(c.Index % 6)
		}
	}
	cases[11].Right = false
	find := fixed("finds it", 4, 6, func(c *Case, i int) float32 {
		if c.Tensor.Data[i/6*2*12+i%6*2] == float32(c.Class) {
			return 1
		}
		return -5
	})
	j := MosaicJudge{Pool: cases, Seed: 3}
	scores, err := j.Judge(context.Background(), nil, []*Entrant{find, inverted(find), fixed("none", 4, 6, func(*Case, int) float32 { return -1 })}, cases, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, of := range scores {
		want := []float64{1, 0, 0.25}
		if i == 11 {
			if !math.IsNaN(of[0][0]) {
				t.Errorf("a picture predicted wrong scores %g", of[0][0])
			}
			continue
		}
		for k := range want {
			closeTo(t, "GridPG", of[k][0], want[k], 1e-12)
		}
	}
	c, place, err := j.mosaic(cases[4])
	if err != nil {
		t.Fatal(err)
	}
	found := map[float32]int{}
	for _, v := range c.Tensor.Data {
		found[v]++
	}
	if len(found) != 4 || found[4] != 3*4*6 || c.Tensor.Data[place/2*4*12+place%2*6] != 4 {
		t.Errorf("the mosaic has %v, the picture in %d", found, place)
	}
}

// TestRoadEdges: everything removed, a single column or row, and a picture smaller than
// the coarse grids.
func TestRoadEdges(t *testing.T) {
	for _, c := range []struct {
		h, w int
		grid [2]int
		gone string
	}{{8, 8, [2]int{2, 2}, "1111"}, {1, 9, [2]int{1, 3}, "010"}, {9, 1, [2]int{3, 1}, "110"}, {3, 2, [2]int{3, 2}, "010111"}, {7, 33, [2]int{1, 3}, "101"}, {17, 5, [2]int{3, 1}, "010"}} {
		t.Run(fmt.Sprint(c.h, "x", c.w), func(t *testing.T) {
			pic := &Case{Tensor: smooth(1, c.h, c.w)}
			got, err := LinearImputation(0, 1).Apply(pic, c.grid, bools(c.gone))
			if err != nil {
				t.Fatal(err)
			}
			missing := make([]bool, c.h*c.w)
			eachGone([3]int{1, c.h, c.w}, c.grid, bools(c.gone), func(from, to int) {
				for i := from; i < to; i++ {
					missing[i] = true
				}
			})
			for i, gone := range missing {
				if want := meanAround(got.Data, i, c.h, c.w); gone && math.Abs(float64(got.Data[i])-want) > 1e-4 {
					t.Errorf("pixel %d is %g, its neighbours' mean %g", i, got.Data[i], want)
				} else if !gone && got.Data[i] != pic.Tensor.Data[i] {
					t.Errorf("pixel %d was there", i)
				}
			}
		})
	}
}

// meanAround is the weighted mean of a pixel's neighbours in the first channel.
func meanAround(values []float32, at, h, w int) float64 {
	sum, weights := 0.0, 0.0
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			y, x := at/w+dy, at%w+dx
			if (dy == 0 && dx == 0) || y < 0 || x < 0 || y >= h || x >= w {
				continue
			}
			weight := edgeWeight
			if dy != 0 && dx != 0 {
				weight = cornerWeight
			}
			sum += weight * float64(values[y*w+x])
			weights += weight
		}
	}
	return sum / weights
}

// TestTrueBackground: with everything removed, the picture is the scene without its animal,
// which differs where the animal was; a photograph isn't scored.
func TestTrueBackground(t *testing.T) {
	p, err := transform.Parse("totensor | normalize(0.5,0.5)")
	if err != nil {
		t.Fatal(err)
	}
	s, err := pets.Draw(1, 3, 0, 48, pets.Natural)
	if err != nil {
		t.Fatal(err)
	}
	c := &Case{Name: "drawing", Drawn: &Drawn{Seed: 1, Breed: 3, Size: 48, Options: pets.Natural, Pipeline: p}}
	if c.Tensor, err = p.Tensor(s.Image); err != nil {
		t.Fatal(err)
	}
	got, err := TrueBackground().Apply(c, [2]int{1, 1}, []bool{true})
	if err != nil {
		t.Fatal(err)
	}
	differ, animal := 0, 0
	for i, v := range s.Foreground.Pix {
		if v == 255 {
			animal++
			if got.Data[i] != c.Tensor.Data[i] {
				differ++
			}
		}
	}
	if animal == 0 || differ < animal*9/10 || got.Data[0] != c.Tensor.Data[0] {
		t.Errorf("of %d pixels of the animal %d differ", animal, differ)
	}
	c.Drawn = nil
	if _, err := TrueBackground().Apply(c, [2]int{1, 1}, []bool{true}); err == nil || !strings.Contains(err.Error(), "isn't known what to put") {
		t.Errorf("a photograph: %v", err)
	}
}

func TestJudgeErrors(t *testing.T) {
	cases := manyCases(2, 12, 12, 5)
	model := newLinear(5, 3*144)
	judge := func(o FaithfulnessOptions, cases []*Case, rows, cols int) error {
		f, err := NewFaithfulness(o)
		if err != nil {
			return err
		}
		m := explain.Map{Rows: rows, Cols: cols, Values: make([]float32, rows*cols)}
		_, err = f.judge(context.Background(), model, 1, cases, [][]explain.Map{{m}, {m}}[:len(cases)])
		return err
	}
	curves := FaithfulnessOptions{Operators: []Operator{TrainingMean()}, Parts: Curves}
	failing := Replacing("x", "x", "x", func(*Case) (*transform.Tensor, error) { return nil, errors.New("no scene") })
	check := func(m explain.Map) error {
		return checkMaps([]*Entrant{{Name: "some method"}}, cases[:1], [][]explain.Map{{m}})
	}
	for says, err := range map[string]error{
		"a fraction of 1.5":      judge(FaithfulnessOptions{Fractions: []float64{1.5}}, cases, 2, 2),
		"at least 2 are needed":  judge(FaithfulnessOptions{Subsets: 1}, cases, 2, 2),
		`key "mean" is empty or`: judge(FaithfulnessOptions{Operators: []Operator{TrainingMean(), TrainingMean()}}, cases, 2, 2),
		"pixels of picture 0":    judge(curves, cases, 13, 2),
		"for class 7, but":       judge(curves, []*Case{{Tensor: cases[0].Tensor, Class: 7}}, 2, 2),
		"has no tensor":          judge(curves, []*Case{{Name: "picture 9"}}, 2, 2),
		"no scene":               judge(FaithfulnessOptions{Operators: []Operator{failing}}, cases, 2, 2),
		"without a way":          judge(FaithfulnessOptions{Operators: []Operator{{Key: "x"}}}, cases, 2, 2),
		"must be alike":          judge(curves, []*Case{cases[0], manyCases(1, 6, 6, 5)[0]}, 2, 2),
		"some method of picture": check(explain.Map{Rows: 1, Cols: 2, Values: []float32{0, float32(math.NaN())}}),
		"a map of 3 values":      check(explain.Map{Rows: 1, Cols: 2, Values: make([]float32, 3)}),
		"needs the model":        func() error { _, err := NewSanity(nil, SanityOptions{}); return err }(),
		"a mosaic needs three":   func() error { _, _, err := MosaicJudge{Pool: cases}.mosaic(cases[0]); return err }(),
		"both must be even": func() error {
			p := smooth(0, 3, 4)
			_, err := mosaicOf([]*transform.Tensor{p, p, p, p})
			return err
		}(),
		"no picture with counted": func() error { _, _, _, err := new(Pooled).Scores(); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
}
