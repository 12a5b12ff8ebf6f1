package explain

import (
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"gaze/pkg/backend"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// methodsParity is how far a map may be from the reference's, relative to the greatest
// value of the reference's three maps.
const methodsParity = 1e-4

// goldenModel is a model with what every method should show (tools/golden/explain_methods.py).
type goldenModel struct {
	explainer *Explainer
	pictures  []*transform.Tensor
	logits    []float32
	entries   []string  // a method and its options each
	maps      []float32 // [entries, pictures, rows, cols]
	size      int       // of an entry
}

// TestMethodsSameAsReference: every method equals its formula, written down apart in
// float64, for three kinds of prefix, pooling and grid, for the predicted class, for a
// given one and for one against another. The Go backend has no programs to compile.
func TestMethodsSameAsReference(t *testing.T) {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"plain", "registers", "classmean"} {
		g := readGoldenModel(t, b, model)
		for i, entry := range g.entries {
			t.Run(model+"/"+entry, func(t *testing.T) { g.compare(t, i) })
		}
		for _, m := range Methods() {
			if !slices.ContainsFunc(g.entries, func(e string) bool { return strings.Fields(e)[0] == m.Name }) {
				t.Errorf("%s: the method %s has no reference: add it to tools/golden/explain_formulas.py", model, m.Name)
			}
		}
	}
}

// TestMethodsOnUsualBackend compares each method's longest entry on the backend that users
// have.
func TestMethodsOnUsualBackend(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program for each method")
	}
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	g := readGoldenModel(t, b, "registers")
	longest := map[string]int{}
	for i, entry := range g.entries {
		method := strings.Fields(entry)[0]
		if k, ok := longest[method]; !ok || len(entry) > len(g.entries[k]) {
			longest[method] = i
		}
	}
	for _, i := range slices.Sorted(maps.Values(longest)) {
		t.Run(g.entries[i], func(t *testing.T) { g.compare(t, i) })
	}
}

func (g *goldenModel) compare(t *testing.T, entry int) {
	words := strings.Fields(g.entries[entry])
	want := g.maps[entry*g.size : (entry+1)*g.size]
	method := words[0]
	if _, err := FindMethod(method); err != nil {
		t.Skipf("there is a reference, but no method %s yet", method)
	}
	x, err := g.explainer.Explain(method, g.pictures, goldenOptions(t, words[1:]))
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Maps) != len(g.pictures) || len(x.Logits) != len(g.pictures) {
		t.Fatalf("%d maps and %d rows of logits for %d pictures", len(x.Maps), len(x.Logits), len(g.pictures))
	}
	top, worst, at := 0.0, 0.0, 0
	n := len(want) / len(g.pictures)
	for i, w := range want {
		top = max(top, math.Abs(float64(w)))
		if d := math.Abs(float64(x.Maps[i/n].Values[i%n]) - float64(w)); !(d <= worst) {
			worst, at = d, i
		}
	}
	if !(worst <= methodsParity*top) {
		t.Errorf("picture %d is off by %g of at most %g\ngot  %v\nwant %v", at/n, worst, top, x.Maps[at/n].Values, want[at/n*n:(at/n+1)*n])
	}
	t.Logf("off by %.1e of the greatest value", worst/top)
	for i, logits := range x.Logits {
		near(t, "logits", logits, g.logits[i*len(logits):(i+1)*len(logits)], 1e-4)
	}
}

// goldenOptions reads an entry's options, such as "heads=max" or "class=1,4,3".
func goldenOptions(t *testing.T, words []string) Options {
	var o Options
	o.Settings.Samples = goldenSamples
	for _, word := range words {
		key, text, _ := strings.Cut(word, "=")
		number, _ := strconv.ParseFloat(text, 64)
		switch key {
		case "layer":
			layer := int(number)
			o.Settings.Layer = &layer
		case "heads":
			heads, err := ParseHeads(text)
			if err != nil {
				t.Fatal(err)
			}
			o.Settings.Heads = heads
		case "discard":
			o.Settings.Discard = number
		case "steps":
			o.Settings.Steps = int(number)
		case "window":
			o.Settings.Window = int(number)
		case "noise":
			o.Settings.Noise = number
		case "original":
			o.Settings.Original = true
		case "class":
			o.Classes = integers(t, text)
		case "against":
			o.Against = integers(t, text)
		case "query":
			q := [2]int(integers(t, text))
			o.Query = &q
		default:
			t.Fatalf("an unknown option %q", word)
		}
	}
	return o
}

func integers(t *testing.T, text string) []int {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		i, err := strconv.Atoi(part)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, i)
	}
	return out
}

// goldenSamples is how many samples draws.npz has of each picture.
const goldenSamples = 4

// goldenChance gives the numbers of draws.npz instead of random ones. Where more are asked for,
// they begin anew.
func goldenChance(t *testing.T, pictures int) chance {
	a := goldenArrays(t, filepath.Join("testdata", "methods", "draws.npz"), "noise", "cells", "shifts", "kept")
	of := func(name string, index, sample int) []float32 {
		n := len(a[name].Values) / (goldenSamples * pictures)
		at := (sample%goldenSamples*pictures + index) * n
		return a[name].Values[at : at+n]
	}
	return chance{
		noise: func(_ *rand.Rand, index, sample int, to []float32) { copy(to, of("noise", index, sample)) },
		mask: func(_ *rand.Rand, index, sample int, size [2]int, to []float32) {
			var kept []float64
			for _, v := range of("cells", index, sample) {
				kept = append(kept, float64(v))
			}
			var cell, at [2]int
			for i, share := range of("shifts", index, sample) {
				cell[i] = (size[i] + riseCells - 1) / riseCells
				at[i] = int(share * float32(cell[i]))
			}
			whole := newEnlarger([2]int{riseCells, riseCells}, [2]int{(riseCells + 1) * cell[0], (riseCells + 1) * cell[1]})
			whole.window(kept, at, size, to)
		},
		drop: func(_ *rand.Rand, index, sample int, to []bool) {
			for i, v := range of("kept", index, sample)[:len(to)] {
				to[i] = v == 0
			}
		},
	}
}

func readGoldenModel(t *testing.T, b compute.Backend, name string) *goldenModel {
	t.Helper()
	dir := filepath.Join("testdata", "methods", name)
	m, err := vit.Load(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	g := &goldenModel{}
	if g.explainer, err = NewExplainer(b, m); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.explainer.Close() })
	g.explainer.chance = goldenChance(t, 3)

	arrays := goldenArrays(t, filepath.Join(dir, "golden.npz"), "pictures", "logits", "maps")
	shape := [3]int(arrays["pictures"].Shape[1:])
	each := shape[0] * shape[1] * shape[2]
	for part := range slices.Chunk(arrays["pictures"].Values, each) {
		g.pictures = append(g.pictures, &transform.Tensor{Shape: shape, Data: part})
	}
	g.logits, g.maps = arrays["logits"].Values, arrays["maps"].Values
	text, err := os.ReadFile(filepath.Join(dir, "entries.txt"))
	if err != nil {
		t.Fatal(err)
	}
	g.entries = strings.Split(strings.TrimSpace(string(text)), "\n")
	g.size = len(g.maps) / len(g.entries)
	if grid := m.Config.Grid(); g.size != len(g.pictures)*grid[0]*grid[1] {
		t.Fatalf("%d values for each of %d entries", g.size, len(g.entries))
	}
	return g
}

// goldenArrays reads arrays of an .npz file.
func goldenArrays(t *testing.T, path string, names ...string) map[string]vit.Array {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]vit.Array{}
	for _, name := range names {
		a, ok := f.Tensor(name)
		if !ok {
			t.Fatalf("%s has no %s", path, name)
		}
		values, err := a.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = vit.Array{Shape: a.Shape, Values: slices.Clone(values)}
	}
	return out
}
