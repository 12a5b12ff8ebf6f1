package explorer

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// TestQuantise checks the ends, zero of signed maps, constant maps, and the error of values.
func TestQuantise(t *testing.T) {
	for _, c := range []struct {
		values []float32
		signed bool
		want   []byte
		lo, hi float32
	}{
		{[]float32{0.2, 0.4, 0.3}, false, []byte{0, 255, 127}, 0.2, 0.4},
		{[]float32{3, 3}, false, []byte{0, 0}, 3, 3},
		{[]float32{-1, 0, 2}, true, []byte{64, 128, 255}, -2, 2},
		{[]float32{-4, 2}, true, []byte{1, 192}, -4, 4},
		{[]float32{0, 0}, true, []byte{128, 128}, 0, 0},
		{[]float32{-math.MaxFloat32, math.MaxFloat32}, false, []byte{0, 255}, -math.MaxFloat32, math.MaxFloat32},
	} {
		got, lo, hi := quantise(c.values, c.signed)
		if c.values[0] == 0.2 { // a half is rounded either way
			got[2] = min(got[2], 127)
		}
		if !bytes.Equal(got, c.want) || lo != c.lo && lo != -c.lo || hi != c.hi {
			t.Errorf("%v: %v from %g to %g, want %v from %g to %g", c.values, got, lo, hi, c.want, c.lo, c.hi)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, 500)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	for _, signed := range []bool{false, true} {
		got, lo, hi := quantise(values, signed)
		for i, b := range got {
			back := float64(lo) + float64(hi-lo)*float64(b)/255
			if signed {
				back = float64(hi) * (float64(b) - 128) / 127
			}
			if math.Abs(back-float64(values[i])) > float64(hi-lo)/255 {
				t.Fatalf("signed %v: %g comes back as %g", signed, values[i], back)
			}
		}
	}
}

// unpacked is what the page's script gets.
func unpacked(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// noisy is a picture whose attention packs badly.
func noisy(rows, cols, layers, heads int) Picture {
	rng := rand.New(rand.NewPCG(3, 4))
	p := Picture{Name: "noise", Image: transform.NewImage(32, 32, 3), Rows: rows, Cols: cols, Tokens: []string{"[class]"}}
	for range layers {
		l := Layer{Heads: heads, Weights: make([]float32, heads*(1+rows*cols)*rows*cols)}
		for i := range l.Weights {
			l.Weights[i] = rng.Float32()
		}
		p.Layers = append(p.Layers, l)
	}
	return p
}

// TestFit checks that attention of any size fits, that a page has the last layer, and that
// queries are the mean of their patches.
func TestFit(t *testing.T) {
	for _, c := range []struct {
		rows, cols, layers, heads, room int
		step, kept, withHeads           int
	}{
		{6, 5, 3, 2, 1_000_000, 1, 3, 3},
		{6, 5, 3, 2, 9500, 1, 3, 1},
		{6, 5, 3, 1, 9500, 1, 3, 3},
		{12, 12, 4, 2, 30_000, 3, 4, 2},
		{12, 12, 4, 2, 2200, 12, 3, 1},
		{12, 12, 4, 2, 10, 12, 1, 0},
	} {
		p := noisy(c.rows, c.cols, c.layers, c.heads)
		f := p.fit(c.room)
		withHeads := 0
		for _, l := range f.layers {
			if l.heads[0] != "" {
				withHeads++
			}
			if got, want := len(unpacked(t, l.mean)), p.queries(f.step)*(8+c.rows*c.cols); got != want {
				t.Errorf("%+v: a block of %d bytes, not %d", c, got, want)
			}
		}
		if f.step != c.step || withHeads != c.withHeads || len(f.layers) > c.kept || f.layers[len(f.layers)-1].index != c.layers-1 {
			t.Errorf("%+v: step %d, %d layers, %d with heads", c, f.step, len(f.layers), withHeads)
		}
	}
	p := noisy(2, 2, 1, 2)
	row := p.row(0, -1, []int{1, 4})
	l := p.Layers[0].Weights
	for i := range row {
		want := (l[4+i] + l[16+i] + l[20+4+i] + l[20+16+i]) / 4
		if math.Abs(float64(row[i]-want)) > 1e-6 {
			t.Errorf("cell %d of a mean is %g, not %g", i, row[i], want)
		}
	}
}

// TestBudget checks that a page of a large model stays within its size.
func TestBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("packs 40 megabytes")
	}
	p := noisy(24, 24, 4, 3)
	var b bytes.Buffer
	if err := Page(&b, Options{}, p); err != nil {
		t.Fatal(err)
	}
	if b.Len() > Budget {
		t.Errorf("a page of %d bytes", b.Len())
	}
}

// TestRefused checks that what can't be shown is an error that says why.
func TestRefused(t *testing.T) {
	im := transform.NewImage(8, 8, 3)
	square := func(v ...float32) explain.Map { return explain.Map{Rows: 2, Cols: 2, Values: v} }
	good := Named{Name: "a", Map: square(1, 2, 3, 4)}
	for _, c := range []struct {
		p    Picture
		want string
	}{
		{Picture{Rows: 2, Cols: 2, Maps: []Named{good}}, "no photograph"},
		{Picture{Image: &transform.Image{Width: 2, Height: 2, Channels: 3}, Rows: 2, Cols: 2, Maps: []Named{good}}, "0 bytes for 2×2"},
		{Picture{Image: im, Maps: []Named{good}}, "grid of 0×0"},
		{Picture{Image: im, Rows: 9999, Cols: 1, Maps: []Named{good}}, "more than 512"},
		{Picture{Image: im, Rows: 2, Cols: 2}, "no maps"},
		{Picture{Image: im, Rows: 2, Cols: 2, Covered: [2]float64{3, 2}, Maps: []Named{good}}, "3 rows and 2 columns"},
		{Picture{Image: im, Rows: 3, Cols: 2, Maps: []Named{good}}, "a map of 2×2"},
		{Picture{Image: im, Rows: 2, Cols: 2, Maps: []Named{good, good}}, "two maps by a"},
		{Picture{Image: im, Rows: 2, Cols: 2, Maps: []Named{{Map: square(1, 2, 3, 4)}}}, "no name"},
		{Picture{Image: im, Rows: 2, Cols: 2, Maps: []Named{{Name: "a", Map: square(1, 2, float32(math.NaN()), 4)}}}, "row 1, column 0 isn't finite"},
		{Picture{Image: im, Rows: 2, Cols: 2, Layers: []Layer{{Heads: 1, Weights: make([]float32, 15)}}}, "15 weights"},
		{Picture{Image: im, Rows: 1, Cols: 2, Layers: []Layer{{Heads: 1, Weights: []float32{1, 2, 3, float32(math.Inf(1))}}}}, "layer 0, head 0, query 1"},
	} {
		if err := Page(io.Discard, Options{}, c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
	if err := Page(io.Discard, Options{}); err == nil {
		t.Error("no pictures make a page")
	}
	one := Picture{Image: im, Rows: 1, Cols: 1, Maps: []Named{{Name: "a", Map: explain.Map{Rows: 1, Cols: 1, Values: []float32{2}}}}}
	if err := Page(io.Discard, Options{}, one); err != nil {
		t.Errorf("a grid of one patch: %v", err)
	}
}

// TestAnswer checks what a cell tells the page.
func TestAnswer(t *testing.T) {
	m := &Named{Group: hostile, Key: "chefer", Name: "Chefer", Map: explain.Map{Rows: 1, Cols: 2, Values: []float32{0, 1}}}
	for _, c := range []struct {
		made   *Named
		failed error
		want   string
	}{{m, nil, hostile}, {nil, errors.New(hostile), hostile}, {nil, nil, ""}} {
		text, err := Answer("an id", 1, "chefer", Group{Name: hostile}, c.made, c.failed)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(text, `data-answer="`)
		quoted, _, _ := strings.Cut(rest, `"`)
		var a answer
		if err := json.Unmarshal([]byte(html.UnescapeString(quoted)), &a); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if a.Group.Name != hostile || a.Picture != 1 || (a.Map != nil) != (c.made != nil) || c.failed != nil && a.Error != c.want {
			t.Errorf("the answer is %+v", a)
		}
		if strings.ContainsAny(quoted, "<>\n") {
			t.Errorf("the answer isn't escaped: %s", quoted)
		}
	}
	m.Map.Values[0] = float32(math.NaN())
	if _, err := Answer("", 0, "", Group{}, m, nil); err == nil {
		t.Error("a map that isn't finite is an answer")
	}
}

// FuzzNames checks that no name breaks out of the page.
func FuzzNames(f *testing.F) {
	f.Add(hostile, "x")
	f.Add("{{script}}", "\x00\xff\u2029")
	f.Fuzz(func(t *testing.T, name, group string) {
		p := Picture{Name: name, Credit: group, Image: transform.NewImage(4, 4, 3), Rows: 1, Cols: 2, GroupLabel: "Word", Groups: []Group{{group, name}},
			Maps: []Named{{Group: group, Name: "a" + name, Map: explain.Map{Rows: 1, Cols: 2, Values: []float32{0, 1}}}}}
		var b bytes.Buffer
		if err := Page(&b, Options{Title: name}, p); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(strings.ToLower(b.String()), "</script"); n != 2 {
			t.Fatalf("%d ends of scripts", n)
		}
		if got := dataOf(t, b.String()).Pictures[0].Name; got != strings.ToValidUTF8(name, "\ufffd") && name == strings.ToValidUTF8(name, "") {
			t.Fatalf("%q comes back as %q", name, got)
		}
		frame, err := Frame(Options{Title: name}, p)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(frame, "<"); n != 5 {
			t.Fatalf("a frame of %d tags", n)
		}
	})
}

func ExamplePage() {
	picture := Picture{
		Name: "a picture", Image: transform.NewImage(32, 32, 3), Rows: 2, Cols: 2,
		Layers: []Layer{{Heads: 1, Weights: []float32{
			0.7, 0.1, 0.1, 0.1, // where the patch in row 0, column 0 looks
			0.1, 0.7, 0.1, 0.1,
			0.1, 0.1, 0.7, 0.1,
			0.1, 0.1, 0.1, 0.7,
		}}},
		Maps: []Named{{Group: "cat", Name: "Chefer et al.", Map: explain.Map{Rows: 2, Cols: 2, Values: []float32{0, 1, 2, 3}}}},
	}
	var page strings.Builder
	err := Page(&page, Options{}, picture)
	fmt.Println(strings.HasPrefix(page.String(), "<!DOCTYPE html>"), page.Len() < Budget, err)
	// Output: true true <nil>
}
