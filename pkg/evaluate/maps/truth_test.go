package maps

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/data/pets"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// fourParts is a truth on 3x4 cells: four parts of different sizes, a contrast and idle
// scenery.
func fourParts() *DrawnTruth {
	cells := func(at ...int) []float64 {
		out := make([]float64, 12)
		for _, i := range at {
			out[i] = 1
		}
		return out
	}
	return &DrawnTruth{Rows: 3, Cols: 4, Drop: 5, Parts: []Removal{
		{pets.PartEars, 2, cells(0)}, {pets.PartEyes, -1, cells(1, 2)}, {pets.PartTail, 3, cells(3, 4, 5)}, {pets.PartTrunk, 0.5, cells(6)},
	}, Contrast: &Contrast{Against: 1, Fall: 1.5, Cells: cells(0, 1, 2)}, Idle: cells(9, 10, 11)}
}

// TestTruthScores: a map of the drops themselves is right, its inverse is wrong, and a
// constant one scores chance.
func TestTruthScores(t *testing.T) {
	truth := fourParts()
	drops, inverse, dense := make([]float32, 12), make([]float32, 12), make([]float32, 12)
	for _, p := range truth.Parts {
		n := mean(p.Cells) * 12
		for i, v := range p.Cells {
			drops[i] += float32(v * (p.Drop + 1) / n)
			inverse[i] += float32(v * (4 - p.Drop) / n)
			dense[i] += float32(v * (p.Drop + 1))
		}
	}
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		values []float32
		change func(*DrawnTruth)
		want   [truthColumns]float64
	}{
		{"the drops", drops, nil, [...]float64{1, -1, (1 + 3/8.5 - 0.25) / 2, 0}},
		{"the drops in every cell", dense, nil, [...]float64{-1, 1, -1, 0}},
		{"their inverse", inverse, nil, [...]float64{0, -1, -1, 0}},
		{"constant", slices.Repeat([]float32{0.3}, 12), nil, [...]float64{-1, 0.5, 0.5, 0.25}},
		{"zero", make([]float32, 12), nil, [...]float64{-1, 0.5, 0.5, 0.25}},
		{"negative", slices.Repeat([]float32{-2}, 12), nil, [...]float64{-1, 0.5, 0.5, 0.25}},
		{"all idle", []float32{-1, -1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3}, nil, [...]float64{0.5, 0.5, (1 - 0.25) / 2, 1}},
		{"all where it changes", []float32{1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil, [...]float64{-1, -1, (2 - 0.25) / 2, 0}},
		{"three parts", drops, func(d *DrawnTruth) { d.Parts = d.Parts[:3] }, [...]float64{nan, nan, (1 + 3/8.5 - 0.25) / 2, 0}},
		{"no part counts", drops, func(d *DrawnTruth) {
			for i := range d.Parts {
				d.Parts[i].Drop = 1
			}
		}, [...]float64{nan, nan, (1 + 3/8.5 - 0.25) / 2, 0}},
		{"nothing else is known", drops, func(d *DrawnTruth) { d.Contrast, d.Idle = nil, nil }, [...]float64{1, -1, nan, nan}},
	} {
		d := fourParts()
		if c.change != nil {
			c.change(d)
		}
		m := explain.Map{Rows: 3, Cols: 4, Values: c.values}
		got, err := d.Score(m, m)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range c.want {
			switch {
			case want == -1: // isn't looked at
			case math.IsNaN(want) != math.IsNaN(got[k]), math.Abs(got[k]-want) > 1e-8:
				t.Errorf("%s: %s is %g, want %g", c.name, TruthJudge{}.Columns()[k].Key, got[k], want)
			}
		}
	}
}

// TestTruthScoresStayInRange: and a random map's densities and contrast are chance on the
// average.
func TestTruthScoresStayInRange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	columns := TruthJudge{}.Columns()
	var sums [truthColumns]float64
	const n = 4000
	for range n {
		m := explain.Map{Rows: 3, Cols: 4}
		for range 12 {
			m.Values = append(m.Values, float32(r.NormFloat64()))
		}
		got, err := fourParts().Score(m, m)
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range got {
			sums[k] += v
			if c := columns[k]; !(v >= c.Range[0] && v <= c.Range[1]) {
				t.Fatalf("%s is %g", c.Key, v)
			}
		}
	}
	for k, c := range columns {
		if c.Chance != nil && math.Abs(sums[k]/n-*c.Chance) > 0.02 {
			t.Errorf("random maps' %s is %.3f on the average", c.Key, sums[k]/n)
		}
	}
}

func TestRankCorrelation(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64 // scipy.stats.spearmanr
	}{
		{[]float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}, 1},
		{[]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1},
		{[]float64{1, 2, 2, 5, 7}, []float64{3, 1, 4, 4, 9}, 0.7631578947368421},
		{[]float64{1, 2, 3}, []float64{5, 5, 5}, 0}, // scipy has NaN
		{[]float64{0.3, -1, 2, 8, 8, 8}, []float64{1, 0, 1, 3, 2, 2}, 0.9379580992210835},
	} {
		if got := explain.Spearman(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v, %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// TestCellGrid compares with counts of pixels where cells are whole pixels, and the
// covered area where they aren't.
func TestCellGrid(t *testing.T) {
	s, err := pets.Draw(1, 3, 0, 60, pets.Natural)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pipeline       string
		x0, y0, x1, y1 int // of the drawing that is left
		rows, cols     int
	}{
		{"resize(48,48) | totensor", 0, 0, 60, 60, 5, 6},
		{"resize(60,60) | crop(10,10,40,40) | totensor", 10, 10, 50, 50, 4, 8},
		{"resize(96,96) | totensor", 0, 0, 60, 60, 8, 7},
	} {
		g, err := newCellGrid(parsed(t, c.pipeline), 60, c.rows, c.cols)
		if err != nil {
			t.Fatal(err)
		}
		got := g.of(s.Foreground)
		want, total := make([]float64, len(got)), 0.0
		for y := c.y0; y < c.y1; y++ {
			for x := c.x0; x < c.x1; x++ {
				v := float64(s.Foreground.Pix[60*y+x]) / 255 / float64((c.y1-c.y0)*(c.x1-c.x0))
				total += v
				want[(y-c.y0)*c.rows/(c.y1-c.y0)*c.cols+(x-c.x0)*c.cols/(c.x1-c.x0)] += v * float64(len(got))
			}
		}
		if math.Abs(mean(got)-total) > 1e-9 {
			t.Errorf("%s: %.6f of the picture is covered, want %.6f", c.pipeline, mean(got), total)
		}
		for i := range got {
			if (c.y1-c.y0)%c.rows+(c.x1-c.x0)%c.cols == 0 && math.Abs(got[i]-want[i]) > 1e-9 {
				t.Errorf("%s: cell %d is %g, want %g", c.pipeline, i, got[i], want[i])
			}
		}
	}
}

func parsed(t *testing.T, spec string) transform.Pipeline {
	t.Helper()
	p, err := transform.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// drawnCases are pictures with what a model of random weights predicts for them.
func drawnCases(t *testing.T, n int) (*explain.Explainer, []*Case) {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=24,depth=2,heads=2,patch=8,size=48")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 5
	m, err := vit.New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := explain.NewExplainer(b, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	p := parsed(t, "resize(48,48) | totensor | normalize(0.5,0.5)")
	var cases []*Case
	for i := range n {
		d := &Drawn{Seed: 2, Breed: 5 * i, Index: i, Size: 64, Options: pets.Natural, Pipeline: p}
		s, err := pets.Draw(d.Seed, d.Breed, d.Index, d.Size, d.Options)
		if err != nil {
			t.Fatal(err)
		}
		c := &Case{Name: fmt.Sprint("pet ", i), Index: i, Drawn: d}
		if c.Tensor, err = p.Tensor(s.Image); err != nil {
			t.Fatal(err)
		}
		c.Class = predicted(t, e, c.Tensor)
		cases = append(cases, c)
	}
	return e, cases
}

func predicted(t *testing.T, e *explain.Explainer, picture *transform.Tensor) int {
	t.Helper()
	x, err := e.Explain("attention", []*transform.Tensor{picture}, explain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Index(x.Logits[0], slices.Max(x.Logits[0]))
}

// logit asks the model about a single picture.
func logit(t *testing.T, e *explain.Explainer, picture *transform.Tensor, class int) float64 {
	t.Helper()
	s := picture.Shape
	out, err := e.Logits(picture.Data, [4]int{1, s[0], s[1], s[2]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return float64(out.Values[class])
}

// TestKnow compares what is found with single drawings and single runs, and wants the
// same for any split.
func TestKnow(t *testing.T) {
	e, cases := drawnCases(t, 6)
	cases = append(cases, &Case{Name: "a photograph", Tensor: cases[0].Tensor})
	truths, err := TruthJudge{}.Know(t.Context(), e, cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		alone, err := TruthJudge{Workers: 1}.Know(t.Context(), e, []*Case{c})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(alone[0], truths[i]) {
			t.Errorf("%s: another truth if it is alone", c.Name)
		}
	}
	if truths[6] != nil {
		t.Error("the truth of a photograph is known")
	}
	for i, c := range cases[:6] {
		d, truth := c.Drawn, truths[i]
		if len(truth.Parts) < 3 || len(truth.Scenery) < 2 || truth.Rows != 6 || truth.Cols != 6 {
			t.Errorf("%s: %+v", c.Name, truth)
		}
		whole := logit(t, e, c.Tensor, c.Class)
		for _, r := range append(truth.Parts, truth.Scenery...) {
			s, err := pets.DrawChanged(d.Seed, d.Breed, d.Index, d.Size, d.Options, pets.Change{Without: []pets.Part{r.Part}})
			if err != nil {
				t.Fatal(err)
			}
			changed, err := d.Pipeline.Tensor(s.Image)
			if err != nil {
				t.Fatal(err)
			}
			if want := whole - logit(t, e, changed, c.Class); math.Abs(r.Drop-want) > 1e-4 {
				t.Errorf("%s without %s: the logit drops by %g, want %g", c.Name, r.Part, r.Drop, want)
			}
			area := 0.0
			for _, v := range s.Changed.Pix {
				area += float64(v) / 255 / 64 / 64
			}
			if math.Abs(mean(r.Cells)-area) > 1e-9 {
				t.Errorf("%s: %s covers %.4f, want %.4f", c.Name, r.Part, mean(r.Cells), area)
			}
		}
		behind, err := Backdrop(c)
		if err != nil {
			t.Fatal(err)
		}
		if want := whole - logit(t, e, behind, c.Class); math.Abs(truth.Drop-want) > 1e-4 {
			t.Errorf("%s without the animal: the logit drops by %g, want %g", c.Name, truth.Drop, want)
		}
	}
}

// TestContrast: of attributes that decide it is the one that decides most.
func TestContrast(t *testing.T) {
	d := &DrawnTruth{}
	for _, c := range []struct {
		attribute int
		changed   []float64
		want      string
	}{
		{3, []float64{3, 1, 2, 0}, ""},            // 1 of the 2 that it was above class 2 is left: exactly half is taken
		{4, []float64{3.9, 1.2, 0, 0}, "ears"},    // hardly anything is taken
		{6, []float64{1, 1.5, 0, 0}, "eyes"},      // class 1 wins
		{8, []float64{0, -1, -1, -0.5}, "eyes"},   // all fall, the difference from class 3 less
		{10, []float64{-5, -6, -7, -5.1}, "eyes"}, // 3.5 of 3.6
	} {
		d.contrast(question{attribute: c.attribute}, 0, []float64{4, 1, 2, 0.4}, c.changed)
		if c.want == "" {
			c.want = pets.AttributeNames[c.attribute]
		}
		if d.Contrast == nil || d.Contrast.Attribute != c.want {
			t.Errorf("after attribute %d: %+v, want %s", c.attribute, d.Contrast, c.want)
		}
	}
	if d.Contrast.Against != 1 || math.Abs(d.Contrast.Fall-3.5/3) > 1e-12 {
		t.Errorf("%+v", d.Contrast)
	}
	none := &DrawnTruth{}
	none.contrast(question{attribute: 3}, 0, []float64{1, 2}, []float64{-4, 2}) // the class isn't the predicted one
	none.contrast(question{attribute: 3}, 0, []float64{1}, []float64{0})
	if none.Contrast != nil {
		t.Errorf("%+v", none.Contrast)
	}
}

// TestTruthJudge runs the whole: maps against the contrast's class are made of the right
// pictures, constant maps score chance, and a photograph gets NaN.
func TestTruthJudge(t *testing.T) {
	e, cases := drawnCases(t, 4)
	cases = append(cases, &Case{Name: "a photograph", Tensor: cases[0].Tensor})
	truths, err := TruthJudge{}.Know(t.Context(), e, cases)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	entrants := []*Entrant{{Name: "constant"}, {Name: "contrast's own", MakeAgainst: func(_ context.Context, _ *explain.Explainer, some []*Case, against []int) ([]explain.Map, error) {
		var out []explain.Map
		for i, c := range some {
			truth := truths[slices.Index(cases, c)]
			if truth.Contrast.Against != against[i] {
				t.Errorf("%s is held against class %d", c.Name, against[i])
			}
			asked++
			out = append(out, even(1))
			for k, v := range truth.Contrast.Cells {
				out[i].Values[k] = float32(v)
			}
		}
		return out, nil
	}}}
	maps := make([][]explain.Map, len(cases))
	for i := range maps {
		maps[i] = []explain.Map{even(2), even(0)}
	}
	scores, err := TruthJudge{}.Judge(t.Context(), e, entrants, cases, maps)
	if err != nil {
		t.Fatal(err)
	}
	contrasts := 0
	for i, of := range scores {
		for k, c := range (TruthJudge{}).Columns() {
			v := of[0][k]
			switch {
			case truths[i] == nil && !(math.IsNaN(v) && math.IsNaN(of[1][k])):
				t.Errorf("%s of a photograph is %g", c.Key, v)
			case c.Chance != nil && math.Abs(v-*c.Chance) > 1e-12:
				t.Errorf("%s of a constant map is %g", c.Key, v)
			}
		}
		if v := of[1][truthContrast]; !math.IsNaN(v) {
			if contrasts++; v <= 0.5 {
				t.Errorf("the contrast of its own cells is %g", v)
			}
		}
	}
	if asked == 0 || asked != contrasts {
		t.Errorf("%d maps against another class were made, %d scored", asked, contrasts)
	}
}

// even is a map of one value on 6x6 cells.
func even(v float32) explain.Map {
	return explain.Map{Rows: 6, Cols: 6, Values: slices.Repeat([]float32{v}, 36)}
}

func TestTruthErrors(t *testing.T) {
	e, cases := drawnCases(t, 2)
	judge := func(change func(c *Case), entrant Entrant, m explain.Map) error {
		c, d := *cases[0], *cases[0].Drawn
		c.Drawn = &d
		if change != nil {
			change(&c)
		}
		_, err := TruthJudge{}.Judge(t.Context(), e, []*Entrant{&entrant}, []*Case{&c}, [][]explain.Map{{m}})
		return err
	}
	bad := even(1)
	bad.Values[8] = float32(math.NaN())
	broken := Entrant{Name: "broken", MakeAgainst: func(context.Context, *explain.Explainer, []*Case, []int) ([]explain.Map, error) {
		return nil, errors.New("it broke")
	}}
	for _, c := range []struct {
		says string
		err  error
	}{
		{"NaN in row 1, column 2", judge(nil, Entrant{Name: "bad"}, bad)},
		{"the map by odd of pet 0", judge(nil, Entrant{Name: "odd"}, explain.Map{Rows: 1, Cols: 1, Values: []float32{1}})},
		{"class 9 is explained, but the model has 5", judge(func(c *Case) { c.Class = 9 }, Entrant{}, even(1))},
		{"differs by", judge(func(c *Case) { c.Tensor = cases[1].Tensor }, Entrant{}, even(1))},
		{"resizes and crops", judge(func(c *Case) { c.Drawn.Pipeline = append(parsed(t, "rotation(10)"), c.Drawn.Pipeline...) }, Entrant{}, even(1))},
		{"there is no breed -1", judge(func(c *Case) { c.Drawn.Breed = -1 }, Entrant{}, even(1))},
		{"[3 24 24]", judge(func(c *Case) { c.Drawn.Pipeline = parsed(t, "resize(24,24) | totensor") }, Entrant{}, even(1))},
		{"pet 0: ", judge(func(c *Case) { c.Drawn.Size = 4 }, Entrant{}, even(1))},
		{"one class against another: it broke", judge(nil, broken, even(1))},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%q: %v", c.says, c.err)
		}
	}
	if _, err := Backdrop(&Case{Name: "a photograph"}); err == nil || !strings.Contains(err.Error(), "a photograph") {
		t.Errorf("%v", err)
	}
}

// A map is scored by what is known of a drawn picture: its ears make the answer, its tail
// doesn't.
func ExampleDrawnTruth_Score() {
	truth := &DrawnTruth{Rows: 2, Cols: 2, Drop: 4, Idle: []float64{0, 0, 0, 0.5}, Parts: []Removal{
		{Part: pets.PartEars, Drop: 3, Cells: []float64{1, 0, 0, 0}},
		{Part: pets.PartEyes, Drop: 1, Cells: []float64{0, 0.5, 0, 0}},
		{Part: pets.PartTrunk, Drop: 0.5, Cells: []float64{0, 0.5, 0.5, 0}},
		{Part: pets.PartTail, Drop: 0, Cells: []float64{0, 0, 0.5, 0.5}},
	}}
	m := explain.Map{Rows: 2, Cols: 2, Values: []float32{5, 3, 1, 1}}
	scores, err := truth.Score(m, m)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, c := range (TruthJudge{}).Columns() {
		fmt.Printf("%s: %.2f\n", c.Name, scores[i])
	}
	// Output:
	// parts, mass: 0.90
	// parts, density: 1.00
	// contrast: NaN
	// idle scenery: 0.05
}
