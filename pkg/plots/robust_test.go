package plots

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"io"
	"math"
	"strings"
	"testing"
)

// wellFormed parses a document to its end and returns its text and how many
// elements of each name it has.
func wellFormed(t *testing.T, doc string) (text string, elements map[string]int) {
	t.Helper()
	elements = map[string]int{}
	dec := xml.NewDecoder(strings.NewReader(doc))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return text, elements
		}
		if err != nil {
			t.Fatalf("the SVG is not well-formed: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			elements[x.Name.Local]++
			for _, a := range x.Attr {
				if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "data:image/png;base64,") {
					t.Errorf("the SVG refers to %.40q", a.Value)
				}
				if a.Name.Local == "href" || a.Name.Local == "aria-label" {
					continue
				}
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Errorf("%s %s is %q", x.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.CharData:
			text += string(x)
		}
	}
}

func TestSVG(t *testing.T) {
	for name, f := range figures() {
		t.Run(name, func(t *testing.T) {
			doc, err := f.SVG()
			if err != nil {
				t.Fatal(err)
			}
			if _, n := wellFormed(t, doc); n["text"] < 3 || n["svg"] != 1 {
				t.Errorf("elements %v", n)
			}
			again, _ := f.SVG()
			if doc != again {
				t.Error("the same figure gave another document")
			}
		})
	}
}

func TestPNGIsDeterministicAndScales(t *testing.T) {
	f := figures()["grid"]
	a, err := PNG(f, 2)
	if err != nil {
		t.Fatal(err)
	}
	b, err := PNG(f, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the same figure gave other bytes")
	}
	one, _ := f.Image(1)
	two, _ := f.Image(2)
	if d := two.Bounds().Dx() - 2*one.Bounds().Dx(); d < -1 || d > 1 {
		t.Errorf("width %d at scale 1 and %d at 2", one.Bounds().Dx(), two.Bounds().Dx())
	}
	for _, scale := range []float64{0, -1, 17, math.NaN(), math.Inf(1)} {
		if _, err := f.Image(scale); err == nil {
			t.Errorf("no error at scale %v", scale)
		}
	}
}

// odd are unusual inputs from which a figure must still be drawn, whatever it looks like.
func odd() map[string]Figure {
	nan, inf := math.NaN(), math.Inf(1)
	wide := make([][]float64, 1)
	wide[0] = make([]float64, 5000)
	tall := make([][]float64, 5000)
	for i := range tall {
		tall[i] = []float64{float64(i)}
		wide[0][i] = float64(i)
	}
	many := make([]float64, 20000)
	for i := range many {
		many[i] = math.Sin(float64(i) / 100)
	}
	awful := "Ünï\u0301cödé 猫 🐈 <&\">\x00\x1b[0m \xff\u200b\n" + strings.Repeat("endless", 80)
	long := strings.Repeat("many words ", 60)
	return map[string]Figure{
		"all NaN":       HeatMap{Values: [][]float64{{nan, nan}, {nan, nan}}},
		"all infinite":  HeatMap{Values: [][]float64{{inf, -inf}}},
		"one cell":      HeatMap{Values: [][]float64{{3}}, Title: awful, Subtitle: long, XLabel: long, YLabel: awful},
		"equal":         HeatMap{Values: [][]float64{{7, 7}, {7, 7}}},
		"zero":          HeatMap{Values: [][]float64{{0}}, NoAxes: true},
		"enormous":      HeatMap{Values: [][]float64{{-math.MaxFloat64, math.MaxFloat64}}},
		"tiny":          HeatMap{Values: [][]float64{{0, math.SmallestNonzeroFloat64}}},
		"close":         HeatMap{Values: [][]float64{{1e16, 1e16 + 2}}},
		"wide":          HeatMap{Values: wide},
		"tall":          HeatMap{Values: tall, Interpolation: Bilinear},
		"one pixel":     Overlay{Picture: scenery(1, 1), Values: [][]float64{{1}}, Title: long},
		"NaN overlay":   Overlay{Picture: scenery(20, 10), Values: [][]float64{{nan, 1}}, Alpha: 1, Scale: Scale{NoBar: true}},
		"banner":        Overlay{Picture: scenery(3000, 2), Values: [][]float64{{1, 2}}},
		"part of photo": Overlay{Picture: scenery(50, 50).(*image.RGBA).SubImage(image.Rect(10, 10, 30, 30)), Values: [][]float64{{1, 2}}},
		"grid of one":   Grid{Panels: [][]Panel{{{Values: [][]float64{{1}}, Title: awful}}}, RowLabels: []string{awful, "extra"}, ColLabels: []string{long, "extra"}},
		"blank panels":  Grid{Panels: [][]Panel{{{}, {}}, {}}},
		"no matches":    Matches{Left: scenery(400, 2), Right: scenery(2, 400), LeftTitle: long, RightTitle: long},
		"own ranges":    Atlas{Maps: [][][][]float64{{{{1, 1}}, {{nan, 2}}}, {nil}}, OwnRange: true, RowTitle: long},
		"empty lines":   LineChart{Series: []Series{{Name: "nothing"}, {Y: []float64{nan, inf}}}},
		"one point":     LineChart{Series: []Series{{Y: []float64{3}}}, LogY: true},
		"many points":   LineChart{Series: []Series{{Name: awful, Y: many, Low: many, High: many}}, Title: long, YLabel: long},
		"far outside":   LineChart{Series: []Series{{Y: []float64{-1e300, 1e300, 2}}}, YMin: 0, YMax: 1, Lines: []RefLine{{Value: 9, Label: long}}},
		"log from 3":    LineChart{Series: []Series{{X: []float64{3, 4}, Y: []float64{1e-9, 2e9}}}, LogX: true, LogY: true},
		"many series":   LineChart{Series: []Series{{Name: "a", Y: []float64{1, 2}}, {Name: "b", Y: []float64{1, 2}}, {Name: long, Y: []float64{1, 2}}, {}, {}, {}, {}, {}, {Name: "ninth", Y: []float64{2, 1}}}, Width: 1},
		"no bars high":  BarChart{Names: []string{awful, ""}, Series: []Bars{{Values: []float64{0, 0}}}, Title: long},
		"all bars low":  BarChart{Names: []string{"a", "b"}, Series: []Bars{{Values: []float64{-3, -1}}}, Horizontal: true, Format: func(v float64) string { return number(v, 3) }},
		"tilted names":  BarChart{Names: []string{strings.Repeat("long", 9), "b"}, Series: []Bars{{Values: []float64{3, nan}}}, Size: 60},
		"NaN lines":     LineChart{Series: []Series{{Y: []float64{1, 2}}}, LogY: true, YMin: 1, YMax: 3, Lines: []RefLine{{Value: nan, Label: "x"}, {Value: -1}, {Value: inf, Vertical: true, Label: "x"}}},
		"NaN bar lines": BarChart{Names: []string{"a"}, Series: []Bars{{Values: []float64{1}, Errors: []float64{inf}}}, Lines: []float64{nan, inf}},
		"NaN bar ends":  BarChart{Names: []string{"a", "b"}, Series: []Bars{{Values: []float64{1, 2}, Low: []float64{0, nan}, High: []float64{1.5, inf}}}, Format: func(v float64) string { return number(v, 3) }},
		"equal ranks":   CriticalDifference{Names: []string{awful, long}, Ranks: []float64{1, 1}, Groups: [][2]int{{0, 1}}, Title: long},
		"rank of zero":  CriticalDifference{Names: []string{"a", "b", "c"}, Ranks: []float64{0, 0.5, 900}, Mark: []int{0, 2}},
		"nothing right": Confusion{Counts: [][]int{{0}}},
	}
}

func TestOddInputIsDrawn(t *testing.T) {
	for name, f := range odd() {
		t.Run(name, func(t *testing.T) {
			img, err := f.Image(1)
			if err != nil {
				t.Fatal(err)
			}
			if s := img.Bounds().Size(); s.X < 40 || s.Y < 20 || s.X > 3000 || s.Y > 3000 {
				t.Errorf("the picture is %v", s)
			}
			doc, err := f.SVG()
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, doc)
		})
	}
}

func TestBadInputIsAnError(t *testing.T) {
	ok := [][]float64{{1, 2}}
	photo := scenery(4, 4)
	tests := map[string]struct {
		f    Figure
		want string
	}{
		"no matrix":         {HeatMap{}, "no values"},
		"empty row":         {HeatMap{Values: [][]float64{{}}}, "no values"},
		"ragged":            {HeatMap{Values: [][]float64{{1}, {1, 2}}}, "row 1 has 2"},
		"range upside down": {HeatMap{Values: ok, Scale: Scale{Min: 2, Max: 1}}, "2 to 1"},
		"infinite range":    {HeatMap{Values: ok, Scale: Scale{Min: math.Inf(-1), Max: 1}}, "finite"},
		"mark outside":      {HeatMap{Values: ok, Marks: []Cell{{0, 2}}}, "(0, 2) is outside"},
		"row names":         {HeatMap{Values: ok, RowNames: []string{"a", "b"}}, "2 row names"},
		"column names":      {HeatMap{Values: ok, ColNames: []string{"a"}}, "1 column names"},
		"no picture":        {Overlay{Values: ok}, "needs a picture"},
		"no map":            {Overlay{Picture: photo}, "needs a picture and values"},
		"empty picture":     {Overlay{Picture: image.NewRGBA(image.Rectangle{}), Values: ok}, "no pixels"},
		"alpha":             {Overlay{Picture: photo, Values: ok, Alpha: 1.5}, "alpha"},
		"no panels":         {Grid{}, "no panels"},
		"bad panel":         {Grid{Panels: [][]Panel{{{}, {Values: [][]float64{{}}}}}}, "row 0, column 1"},
		"mark on a photo":   {Grid{Panels: [][]Panel{{{Picture: photo, Marks: []Cell{{}}}}}}, "marks need Values"},
		"bad own range":     {Grid{Panels: [][]Panel{{{Values: ok}}}, OwnRange: true, Scale: Scale{Min: 2, Max: 1}}, "2 to 1"},
		"no maps":           {Atlas{Maps: [][][][]float64{{nil}}}, "no maps"},
		"atlas rows":        {Atlas{Maps: [][][][]float64{{ok}}, RowNames: []string{"a", "b"}}, "row names"},
		"groups' rows":      {Atlas{Maps: [][][][]float64{{ok}}, GroupOf: [][]int{{-1}, {-1}}}, "2 rows of maps, but 1"},
		"groups' maps":      {Atlas{Maps: [][][][]float64{{ok}}, GroupOf: [][]int{{-1, -1}}}, "2 maps, but 1"},
		"unknown group":     {Atlas{Maps: [][][][]float64{{ok}}, GroupOf: [][]int{{1}}, Groups: []string{"a"}}, "of group 1"},
		"one picture":       {Matches{Left: scenery(2, 2)}, "two pictures"},
		"no pixels":         {Matches{Left: scenery(2, 2), Right: image.NewRGBA(image.Rectangle{})}, "no pixels"},
		"a line outside":    {Matches{Left: scenery(2, 2), Right: scenery(2, 2), Lines: []Match{{0, 0, 1, math.NaN()}}}, "from 0 to 1"},
		"atlas columns":     {Atlas{Maps: [][][][]float64{{ok}}, ColNames: []string{"a", "b"}}, "column names"},
		"no series":         {LineChart{}, "no series"},
		"lengths":           {LineChart{Series: []Series{{X: []float64{1}, Y: []float64{1, 2}}}}, "1 x, 2 y"},
		"half a band":       {LineChart{Series: []Series{{Y: []float64{1}, Low: []float64{1}}}}, "0 high"},
		"log of zero":       {LineChart{Series: []Series{{Y: []float64{0, 1}}}, LogY: true}, "above 0"},
		"log range":         {LineChart{Series: []Series{{Y: []float64{1}}}, LogX: true, XMin: -1, XMax: 1}, "can't begin at -1"},
		"axis upside down":  {LineChart{Series: []Series{{Y: []float64{1}}}, XMin: 2, XMax: 1}, "from 2 to 1"},
		"no bars":           {BarChart{}, "no bars"},
		"bar values":        {BarChart{Names: []string{"a"}, Series: []Bars{{}}}, "0 values"},
		"half a bar's ends": {BarChart{Names: []string{"a"}, Series: []Bars{{Values: []float64{1}, Low: []float64{1}}}}, "1 Low and 0 High values"},
		"one name":          {CriticalDifference{Names: []string{"a"}, Ranks: []float64{1}}, "1 names"},
		"rank of NaN":       {CriticalDifference{Names: []string{"a", "b"}, Ranks: []float64{1, math.NaN()}}, "NaN"},
		"ranks unsorted":    {CriticalDifference{Names: []string{"a", "b"}, Ranks: []float64{2, 1}}, "sort them"},
		"group outside":     {CriticalDifference{Names: []string{"a", "b"}, Ranks: []float64{1, 2}, Groups: [][2]int{{0, 2}}}, "0 to 2"},
		"mark of nothing":   {CriticalDifference{Names: []string{"a", "b"}, Ranks: []float64{1, 2}, Mark: []int{2}}, "mark"},
		"no classes":        {Confusion{}, "no classes"},
		"not square":        {Confusion{Counts: [][]int{{1, 2}}}, "square"},
		"negative":          {Confusion{Counts: [][]int{{-1}}}, "negative"},
		"class names":       {Confusion{Counts: [][]int{{1}}, Names: []string{"a", "b"}}, "class names"},
		"too large":         {Grid{Panels: [][]Panel{{{Values: ok}}}, PanelWidth: 1e5}, "pixels"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			img, err := tt.f.Image(1)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if img != nil && err != nil {
				t.Error("a picture beside an error")
			}
			if name == "too large" {
				return
			}
			if _, err := tt.f.SVG(); err == nil {
				t.Error("no error for SVG")
			}
		})
	}
}
