package evaluate

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/plots"
)

// TestReportListsTheWorst on a case that can be worked out by hand.
func TestReportListsTheWorst(t *testing.T) {
	p := &Predictions{
		Classes: []string{"cat", "dog", "owl", "cow"}, Names: []string{"a", "b", "c", "d", "e", "f"},
		Labels: []int{0, 0, 1, 1, 2, 2},
		Logits: []float32{
			9, 0, 0, 0, // right
			0, 2, 0, 0, // cat as dog
			5, 0, 0, 0, // dog as cat
			1, 0, 0, 0, // dog as cat, less sure
			0, 0, 0, 0, // equal: the first counts, so owl as cat
			0, 0, 1, 0, // right
		},
	}
	r, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	if r.Correct != 2 || r.Accuracy != Wilson(2, 6) || r.Top5 != nil {
		t.Errorf("%d right, %+v, top 5 %v", r.Correct, r.Accuracy, r.Top5)
	}
	wantPairs := []Pair{{1, 0, 2, 1}, {0, 1, 1, 0.5}, {2, 0, 1, 0.5}}
	if !slices.Equal(r.Pairs, wantPairs) {
		t.Errorf("pairs %+v, want %+v", r.Pairs, wantPairs)
	}
	var order []int
	for _, l := range r.TopLosses {
		order = append(order, l.Index)
	}
	if !slices.Equal(order, []int{2, 1, 3, 4}) {
		t.Errorf("top losses %v", order)
	}
	e5 := math.Exp(5)
	if l := r.TopLosses[0]; l.True != 1 || l.Predicted != 0 || !near(l.Probability, e5/(e5+3), 1e-12) || !near(l.Loss, math.Log(e5+3), 1e-12) || !near(l.TrueProbability, 1/(e5+3), 1e-9) {
		t.Errorf("the worst is %+v", l)
	}
	dog := r.PerClass[1]
	if dog.Class != "dog" || dog.Pictures != 2 || dog.Correct != 0 || dog.Predicted != 1 || dog.Precision != Wilson(0, 1) {
		t.Errorf("dogs: %+v", dog)
	}
	if cow := r.PerClass[3]; cow.Pictures != 0 || cow.Accuracy != (Interval{High: 1}) {
		t.Errorf("cows: %+v", cow)
	}
	if text := r.String(); !strings.Contains(text, "2 of 6 right: 33.3 % (") {
		t.Error(text)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(text, &back); err != nil || back.Correct != 2 || len(back.Confusion) != 4 {
		t.Errorf("%s comes back as %+v (%v)", text, back, err)
	}
}

func TestPredictionsErrors(t *testing.T) {
	good := func() *Predictions {
		return &Predictions{Classes: []string{"cat", "dog"}, Names: []string{"a", "b"}, Labels: []int{0, 1}, Logits: []float32{1, 0, 0, 1}}
	}
	for _, c := range []struct {
		what string
		make func(*Predictions)
		says string
	}{
		{"no pictures", func(p *Predictions) { p.Labels, p.Logits, p.Names = nil, nil, nil }, "no pictures"},
		{"missing logits", func(p *Predictions) { p.Logits = p.Logits[:3] }, "have 3 logits"},
		{"missing name", func(p *Predictions) { p.Names = p.Names[:1] }, "1 names"},
		{"no classes", func(p *Predictions) { p.Classes = nil }, "0 classes"},
		{"label beyond", func(p *Predictions) { p.Labels[1] = 2 }, "b has class 2"},
		{"NaN", func(p *Predictions) { p.Logits[2] = float32(math.NaN()) }, "b: the model answers NaN for class cat"},
		{"infinity", func(p *Predictions) { p.Logits[1] = float32(math.Inf(1)) }, "a: the model answers +Inf for class dog"},
	} {
		p := good()
		c.make(p)
		if _, err := New(p); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.what, err)
		}
		if _, err := p.Right(); err == nil {
			t.Errorf("%s: Right says nothing", c.what)
		}
	}
	right, err := good().Right()
	if err != nil || !slices.Equal(right, []bool{true, true}) {
		t.Errorf("%v (%v)", right, err)
	}
}

func TestBadInput(t *testing.T) {
	for _, c := range [][]float64{nil, {0.5}, {0.5, 1.5}, {0.5, math.NaN()}, {-0.1, 0}} {
		if got, err := Calibrate(c, []bool{true, false}, 15); err == nil {
			t.Errorf("%v: %+v", c, got)
		}
	}
	if _, err := Calibrate([]float64{1}, []bool{true}, 0); err == nil {
		t.Error("no bins are fine")
	}
	for _, c := range [][][]int{nil, {{1, 2}}, {{1}, {2}}} {
		if got, err := SimilarityOrder(c); err == nil {
			t.Errorf("%v: %v", c, got)
		}
	}
}

// TestCalibrationBorders: a confidence on a border belongs to the bin below.
func TestCalibrationBorders(t *testing.T) {
	c, err := Calibrate([]float64{0, 0.5, 0.500001, 1}, []bool{true, true, true, false}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if c.Bins[0].Pictures != 2 || c.Bins[1].Pictures != 2 || c.Bins[0].Accuracy.Value != 1 || c.Bins[1].Accuracy.Value != 0.5 {
		t.Errorf("%+v", c)
	}
	if !near(c.MCE, 0.75, 1e-12) || !near(c.ECE, (0.75+0.2500005)/2, 1e-6) {
		t.Errorf("ECE %g, MCE %g", c.ECE, c.MCE)
	}
}

// TestOrderOfOneAndOfStrangers: a class alone, and classes that are never
// confused, keep their places.
func TestOrderOfOneAndOfStrangers(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		counts := make([][]int, n)
		for i := range counts {
			counts[i] = make([]int, n)
			counts[i][i] = i // class 0 has no pictures at all
		}
		order, err := SimilarityOrder(counts)
		if err != nil {
			t.Fatal(err)
		}
		again, err := SimilarityOrder(counts)
		sorted := slices.Sorted(slices.Values(order))
		for i, v := range sorted {
			if v != i {
				t.Fatalf("%v is no order of %d classes", order, n)
			}
		}
		if err != nil || len(order) != n || !slices.Equal(order, again) {
			t.Errorf("%v, then %v (%v)", order, again, err)
		}
	}
}

// breeds is made-up predictions of 37 classes in pairs that look alike, one of
// them without pictures.
func breeds() *Predictions {
	r := rand.New(rand.NewPCG(1, 2))
	p := &Predictions{}
	for c := range 37 {
		p.Classes = append(p.Classes, "breed "+string(rune('A'+c%26))+string(rune('a'+c%7))+": described at length")
	}
	for i := range 740 {
		label := i % 36
		row := make([]float32, 37)
		for c := range row {
			row[c] = float32(r.NormFloat64())
		}
		row[label] += 3
		row[(label+18)%36] += 2
		p.Labels, p.Logits, p.Names = append(p.Labels, label), append(p.Logits, row...), append(p.Names, "x.jpg")
	}
	return p
}

// TestFigures draws every figure; with GAZE_FIGURES=DIR they are left there.
func TestFigures(t *testing.T) {
	r, err := New(breeds())
	if err != nil {
		t.Fatal(err)
	}
	losses, err := r.LossesFigure(12, func(i int) (image.Image, error) {
		im := image.NewUniform(color.RGBA{uint8(i), uint8(i * 7), 200, 255})
		out := image.NewRGBA(image.Rect(0, 0, 60, 40+i%30))
		for y := range out.Rect.Dy() {
			for x := range 60 {
				out.Set(x, y, im.C)
			}
		}
		return out, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(losses.Panels) != 3 || len(losses.Panels[0]) != 4 {
		t.Errorf("%d rows of pictures", len(losses.Panels))
	}
	for name, figure := range map[string]plots.Figure{
		"confusion": r.ConfusionFigure(), "reliability": r.ReliabilityFigure(), "classes": r.ClassFigure(), "losses": losses,
	} {
		im, err := figure.Image(1)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if dir := os.Getenv("GAZE_FIGURES"); dir != "" {
			if err := plots.SavePNG(filepath.Join(dir, name+".png"), im); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := r.LossesFigure(3, func(int) (image.Image, error) { return nil, errors.New("gone") }); err == nil || err.Error() != "gone" {
		t.Errorf("a picture that is gone: %v", err)
	}
	if _, err := r.LossesFigure(0, nil); err == nil {
		t.Error("a figure of nothing")
	}
	for _, table := range []plots.Table{r.Table(), r.ClassTable(), r.PairTable()} {
		if text := table.String(); strings.Contains(text, "NaN") || strings.Contains(text, "described") || len(table.Rows) == 0 {
			t.Error(text)
		}
	}
}

// TestFiguresOfManyClasses: they show those with the most mistakes.
func TestFiguresOfManyClasses(t *testing.T) {
	p := &Predictions{}
	for c := range 100 {
		p.Classes = append(p.Classes, fmt.Sprint("class ", c))
		row := make([]float32, 100)
		row[c] = 1
		if c%25 == 7 { // 7 as 8, 32 as 33, …
			row[c+1] = 2
		}
		p.Labels, p.Logits, p.Names = append(p.Labels, c), append(p.Logits, row...), append(p.Names, "x")
	}
	r, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	m, bars := r.ConfusionFigure(), r.ClassFigure()
	if len(m.Counts) != 60 || len(m.Counts[0]) != 60 || len(m.Names) != 60 || !strings.Contains(m.Title, "of 100") {
		t.Errorf("%d rows, %d names, %q", len(m.Counts), len(m.Names), m.Title)
	}
	for _, name := range []string{"class 7", "class 8", "class 32", "class 33", "class 57", "class 58", "class 82", "class 83"} {
		if !slices.Contains(m.Names, name) {
			t.Errorf("%s isn't among %v", name, m.Names)
		}
	}
	if len(bars.Names) != 60 || bars.Names[0] != "class 7" || bars.Series[0].Values[3] != 0 || bars.Series[0].Values[4] != 100 || !strings.Contains(bars.Title, "worst 60 of 100") {
		t.Errorf("%v, %v, %q", bars.Names[:4], bars.Series[0].Values[:5], bars.Title)
	}
}

func TestShortName(t *testing.T) {
	for name, want := range map[string]string{
		"breed 07: cream": "breed 07", "  owl ": "owl", "": "",
		"american staffordshire terrier": "american sta…e terrier", "öäüöäüöäüöäüöäüöäüöäüöäü": "öäüöäüöäüöäü…öäüöäüöäü",
	} {
		if got := ShortName(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
