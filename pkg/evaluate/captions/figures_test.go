package captions

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// madeReport is the report on the captions made by hand.
func madeReport(t *testing.T) *Report {
	t.Helper()
	list, results := madeScenes()
	r, err := Measure(list, results, testConfig)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// drawn checks that a figure can be drawn.
func drawn(t *testing.T, f plots.Figure) {
	t.Helper()
	if _, err := f.Image(1); err != nil {
		t.Error(err)
	}
}

func TestPointingFigure(t *testing.T) {
	r := madeReport(t)
	f, err := r.PointingFigure(-1)
	if err != nil {
		t.Fatal(err)
	}
	drawn(t, f)
	if want := []string{"all (4)", "nouns (3)", "animal (1)", "thing (2)", "colour (1)"}; !slices.Equal(f.Names, want) {
		t.Errorf("names %v, want %v", f.Names, want)
	}
	for i, want := range [][]float64{{50, 200.0 / 3, 100, 50, 0}, {200.0 / 3, 50, 100, 0, 100}, {0, 0, 0, 0, 0}, {31.25, 100.0 / 3, 25, 37.5, 25}} {
		for k, v := range f.Series[i].Values {
			near(t, f.Series[i].Name+" of "+f.Names[k], v, want[k])
		}
	}
	if s := f.Series[0]; math.Abs(s.High[2]-100) > 1e-9 || s.Low[2] <= 0 || f.Series[3].Low != nil {
		t.Errorf("intervals %v to %v", s.Low, s.High)
	}
	if _, err := r.PointingFigure(5); err == nil {
		t.Error("layer 5 has a figure")
	}
}

func TestLayersFigure(t *testing.T) {
	r := madeReport(t)
	f, err := LayersFigure("animal", []string{"one", "two"}, r, r)
	if err != nil {
		t.Fatal(err)
	}
	drawn(t, f)
	if len(f.Names) != 1 || len(f.Series) != 4 || f.Series[1].Name != "two" || f.Series[1].Values[0] != 100 || f.Series[3].Values[0] != 25 {
		t.Errorf("series %+v", f.Series)
	}
	for what, run := range map[string]func() error{
		"no layers":   func() error { _, err := LayersFigure("person", []string{"one"}, r); return err },
		"fewer names": func() error { _, err := LayersFigure("animal", nil, r); return err },
		"other layers": func() error {
			_, err := LayersFigure("animal", []string{"one", "none"}, r, &Report{})
			return err
		},
	} {
		if run() == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestTables(t *testing.T) {
	r := madeReport(t)
	for _, c := range []struct {
		table plots.Table
		want  []string
	}{
		{r.Table(), []string{"2 captions", "CIDEr", "equal to a reference", "50.0 %", "count right of 2, 1 pictures", "5.5"}},
		{r.PointingTable(), []string{"animal", "70.0", "100.0", "thing", "37.5"}},
		{r.ArticleTable(), []string{"0.73"}},
	} {
		text := c.table.String()
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("the table has no %q:\n%s", want, text)
			}
		}
	}
}

// TestOcclusionReportFigure sums occlusions by hand.
func TestOcclusionReportFigure(t *testing.T) {
	var r OcclusionReport
	if _, err := r.Figure(1); err == nil {
		t.Error("nothing has a figure")
	}
	cells := []bool{true, false, false, false}
	r.sum([]Occlusion{
		{Word: "dog", Kind: 1, Cells: cells, StillNamed: false, StillNamedElsewhere: true},
		{Word: "bike", Kind: 2, Cells: cells, StillNamed: true, StillNamedElsewhere: true},
		{Word: "dog", Kind: 1, Cells: []bool{true, true, true, false}, StillNamed: true, StillNamedElsewhere: false},
		{Word: "red", Kind: 4, Cells: cells, StillNamed: true, StillNamedElsewhere: true},
	})
	f, err := r.Figure(2)
	if err != nil {
		t.Fatal(err)
	}
	drawn(t, f)
	if want := []string{"all objects (3)", "animal (2)", "thing (1)", "colour (1)", "dog (2)"}; !slices.Equal(f.Names, want) {
		t.Errorf("names %v, want %v", f.Names, want)
	}
	for i, want := range [][]float64{{200.0 / 3, 50, 100, 100, 50}, {200.0 / 3, 50, 100, 100, 50}} {
		for k, v := range f.Series[i].Values {
			near(t, f.Series[i].Name+" of "+f.Names[k], v, want[k])
		}
	}
	near(t, "cells", r.Cells, 5.0/12)
	if r.Words[0].Name != "dog" || r.Words[0].Elsewhere != evaluate.Wilson(1, 2) {
		t.Errorf("words %+v", r.Words)
	}
	if text := r.Table(1).String(); !strings.Contains(text, "bike") || !strings.Contains(text, "66.7") {
		t.Errorf("the table is\n%s", text)
	}
}

// TestOcclusionFigure checks that blocked cells, and only those, are painted over.
func TestOcclusionFigure(t *testing.T) {
	picture := transform.NewImage(16, 16, 3)
	for i := range picture.Pix {
		picture.Pix[i] = 7
	}
	d := Occlusion{Picture: picture, Word: "dog", Input: [2]int{16, 16}, Stride: 8, Cells: []bool{false, true, false, false}, Elsewhere: []bool{false, false, true, false}, StillNamed: true}
	drawn(t, d.Figure())
	im := d.painted(d.Cells)
	for y := range 16 {
		for x := range 16 {
			want := uint32(7)
			if y < 8 && x >= 8 {
				want = 0x80
			}
			if got, _, _, _ := im.At(x, y).RGBA(); got>>8 != want {
				t.Fatalf("pixel %d, %d is %d, want %d", x, y, got>>8, want)
			}
		}
	}
	if f := d.Figure(); !strings.Contains(f.Title, "still named") || len(f.Panels[0]) != 3 {
		t.Errorf("%s, %d panels", f.Title, len(f.Panels[0]))
	}
}
