package explain

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

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
// given one and for one against another.
func TestMethodsSameAsReference(t *testing.T) {
	for _, model := range []string{"plain", "registers", "classmean"} {
		g := readGoldenModel(t, filepath.Join("testdata", "methods", model))
		t.Run(model, func(t *testing.T) {
			for i, entry := range g.entries {
				t.Run(entry, func(t *testing.T) { g.compare(t, entry, g.maps[i*g.size:(i+1)*g.size]) })
			}
			for _, m := range Methods() {
				if !slices.ContainsFunc(g.entries, func(e string) bool { return strings.Fields(e)[0] == m.Name }) {
					t.Errorf("the method %s has no reference: add it to tools/golden/explain_formulas.py", m.Name)
				}
			}
		})
	}
}

func (g *goldenModel) compare(t *testing.T, entry string, want []float32) {
	words := strings.Fields(entry)
	method := words[0]
	if _, err := FindMethod(method); err != nil {
		t.Skipf("there is a reference, but no method %s yet", method)
	}
	x, err := g.explainer.Explain(method, g.pictures, goldenOptions(t, words[1:]))
	if err != nil {
		t.Fatal(err)
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

func readGoldenModel(t *testing.T, dir string) *goldenModel {
	t.Helper()
	m, err := vit.Load(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
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
