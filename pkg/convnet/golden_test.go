package convnet

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/hub"
	"gaze/pkg/weights"
)

// parity is how far a result may be from the reference's, relative to the greatest value
// of the reference's array.
const parity = 1e-4

// TestGolden runs small models of every layout against what efficientnet-lite-pytorch and
// timm computed from the same weights and pictures, of even, odd and unequal sides, on each
// backend.
func TestGolden(t *testing.T) {
	cases := []struct {
		folder string
		layout Layout
		derive func(Config) Config
	}{
		{"pytorch", LayoutPyTorch, nil},
		{"timm_tf", LayoutTimm, nil},
		{"timm_stride16", LayoutTimm, func(c Config) Config { return c.WithOutputStride(16) }},
		{"timm_symmetric", LayoutTimm, nil},
	}
	for _, c := range cases {
		for _, b := range testBackends(t) {
			t.Run(c.folder+"/"+b.Name(), func(t *testing.T) {
				m := loadFolder(t, c.folder)
				if m.Layout != c.layout || m.Classes != 5 {
					t.Fatalf("read as %s with %d classes", m.Layout, m.Classes)
				}
				if c.derive != nil {
					derived, err := m.Derive(c.derive(m.Config))
					if err != nil {
						t.Fatal(err)
					}
					m = derived
				}
				r, err := NewRunner(b, m, WithBatch(3)) // so that a batch of 2 is filled up
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				compareGolden(t, r, filepath.Join("testdata", c.folder, "golden.npz"))
			})
		}
	}
}

// loadFolder loads the model of a golden case.
func loadFolder(t testing.TB, folder string) *Model {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("testdata", folder, "weights.*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("weights in %s: %v, %v", folder, found, err)
	}
	m, err := Load(found[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func compareGolden(t *testing.T, r *Runner, path string) {
	t.Helper()
	golden := openGolden(t, path)
	sizes := 0
	for _, name := range golden.Names() {
		size, ok := strings.CutPrefix(name, "images_")
		if !ok {
			continue
		}
		sizes++
		images := goldenArray(t, golden, name)
		out, err := r.Run(context.Background(), images.Values, [4]int(images.Shape), Want{Map: true, Pooled: true, Logits: true})
		if err != nil {
			t.Fatal(err)
		}
		features := goldenArray(t, golden, "map_"+size)
		compare(t, "map "+size, out.Map, features)
		compare(t, "logits "+size, out.Logits, goldenArray(t, golden, "logits_"+size))
		if out.Grid != [2]int(features.Shape[1:3]) {
			t.Errorf("%s: grid %v, the map has %v", size, out.Grid, features.Shape)
		}
	}
	if sizes < 3 {
		t.Fatalf("%s has %d sizes of pictures", path, sizes)
	}
}

// TestPublished compares features and logits of the published weights with those of
// efficientnet-lite-pytorch, also for a picture of odd sides, and those at output stride 16
// with timm's. It needs the weights, as `gaze pull efficientnet-lite0` puts them into the
// cache.
func TestPublished(t *testing.T) {
	golden := openGolden(t, "testdata/published.npz")
	for variant, side := range []int{224, 240, 260} {
		t.Run(fmt.Sprint(variant), func(t *testing.T) {
			m := published(t, variant)
			if want := fmt.Sprintf("EfficientNet-Lite%d", variant); m.Name != want || m.Classes != 1000 {
				t.Fatalf("read as %s with %d classes", m.Name, m.Classes)
			}
			at := func(name string) Array { return goldenArray(t, golden, fmt.Sprintf("%d/%s", variant, name)) }
			out := runPattern(t, m, side, side)
			compare(t, "map", every(out.Map, 3), at("map"))
			compare(t, "logits", out.Logits, at("logits"))
			compare(t, "logits of odd sides", runPattern(t, m, 127, 193).Logits, at("odd_logits"))
			finer, err := m.Derive(m.Config.WithOutputStride(16))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, "map at stride 16", every(runPattern(t, finer, 127, 193).Map, 5), at("dilated_map"))
		})
	}
}

// published is a published model from the cache; the test is skipped if it isn't there.
func published(t testing.TB, variant int) *Model {
	t.Helper()
	name := fmt.Sprintf("efficientnet-lite%d", variant)
	path, ok := hub.Path(name)
	if !ok {
		t.Skipf("the published weights aren't in the cache: gaze pull %s", name)
	}
	m, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// runPattern runs a model on the picture that tools/golden/convnet.py makes of whole
// numbers.
func runPattern(t testing.TB, m *Model, height, width int) *Outputs {
	t.Helper()
	backends := testBackends(t)
	r, err := NewRunner(backends[len(backends)-1], m)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := r.Run(context.Background(), pattern(height, width), [4]int{1, 3, height, width}, Want{Map: true, Logits: true})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pattern is a picture by whole numbers, [3, height, width].
func pattern(height, width int) []float32 {
	var values []float32
	for c := range 3 {
		for y := range height {
			for x := range width {
				values = append(values, float32((3*x+5*y+40*c+x*y/16)%256-127)/128)
			}
		}
	}
	return values
}

// every keeps each n-th row and column of a map.
func every(a Array, n int) Array {
	out := Array{Shape: slices.Clone(a.Shape)}
	rows, columns, channels := a.Shape[1], a.Shape[2], a.Shape[3]
	for y := 0; y < rows; y += n {
		for x := 0; x < columns; x += n {
			out.Values = append(out.Values, a.Values[(y*columns+x)*channels:][:channels]...)
		}
	}
	out.Shape[1], out.Shape[2] = (rows+n-1)/n, (columns+n-1)/n
	return out
}

func openGolden(t testing.TB, path string) *weights.File {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func goldenArray(t testing.TB, f *weights.File, name string) Array {
	t.Helper()
	w, ok := f.Tensor(name)
	if !ok {
		t.Fatalf("%s has no %s", f.Path(), name)
	}
	values, err := w.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return Array{Shape: w.Shape, Values: values}
}

// compare fails the test if an array is further than parity from the reference.
func compare(t testing.TB, what string, got, want Array) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) || len(got.Values) != len(want.Values) {
		t.Errorf("%s: shape %v, want %v", what, got.Shape, want.Shape)
		return
	}
	largest, off := 0.0, 0.0
	for i, v := range want.Values {
		largest = max(largest, math.Abs(float64(v)))
		off = max(off, math.Abs(float64(v-got.Values[i])))
	}
	if !(off <= parity*largest) || largest == 0 {
		t.Errorf("%s: off by %.2g of the largest value, %.3g", what, off/largest, largest)
		return
	}
	t.Logf("%s: off by %.2g of the largest value", what, off/largest)
}
