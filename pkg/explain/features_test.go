package explain

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"

	"gaze/pkg/backend"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// goldenFeatures holds what scikit-learn, scikit-image and scipy computed
// (tools/golden/explain_features.py).
type goldenFeatures struct {
	PCA []struct {
		Grids      [][2]int
		Dim        int
		Features   []float32
		First      float64
		Threshold  float64
		Flipped    bool
		Scores     []float64
		Foreground []bool
		Ratios     []float64
		Colours    []float64
	}
	Otsu []struct {
		Values    []float64
		Threshold float64
	}
	Nearest struct {
		Grids   [2][2]int
		Dim     int
		A, B    []float32
		Query   []float64
		PairsA  []int `json:"pairs_a"`
		PairsB  []int `json:"pairs_b"`
		Cosines []float64
	}
	Norms struct {
		Grid        [2]int
		Prefix, Dim int
		Tokens      []float32
		Norms       []float64
		Median, MAD float64
		Outliers    []int
	}
	Geometry struct {
		Grid, Patch               [2]int
		Prefix, Heads             int
		Probabilities             []float32
		Distance, Entropy, Others []float64
		Class                     []float64
		Uniform                   float64
	}
}

func readFeatures(t testing.TB) (g goldenFeatures) {
	t.Helper()
	data, err := os.ReadFile("testdata/features.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// featuresOf makes features of a grid, with a grey picture.
func featuresOf(name string, rows, cols, dim int, values []float32) *Features {
	return &Features{Picture: name, Model: "made up", Seen: transform.NewImage(8*cols, 8*rows, 3), Rows: rows, Cols: cols, Dim: dim, Values: values}
}

// gaussian is n numbers of a normal distribution.
func gaussian(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

func TestPCAGolden(t *testing.T) {
	for i, g := range readFeatures(t).PCA {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			var pictures []*Features
			at := 0
			for _, grid := range g.Grids {
				n := grid[0] * grid[1] * g.Dim
				pictures = append(pictures, featuresOf("p", grid[0], grid[1], g.Dim, g.Features[at:at+n]))
				at += n
			}
			p, err := PCAOf(PCAOptions{}, pictures...)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "shares", append([]float64{p.First}, p.Colours[:]...), append([]float64{g.First}, g.Ratios...), 1e-8)
			near(t, "threshold", []float64{p.Threshold}, []float64{g.Threshold}, 1e-7)
			if p.Flipped != g.Flipped {
				t.Errorf("flipped: %v", p.Flipped)
			}
			var scores []float32
			var foreground []bool
			var colours []float64
			for _, q := range p.Pictures {
				scores, foreground, colours = append(scores, q.Scores.Values...), append(foreground, q.Foreground...), append(colours, q.Colours...)
			}
			near(t, "scores", scores, g.Scores, 1e-5)
			near(t, "colours", colours, g.Colours, 1e-7)
			if !slices.Equal(foreground, g.Foreground) {
				t.Errorf("foreground %v, want %v", foreground, g.Foreground)
			}
		})
	}
}

func TestOtsuGolden(t *testing.T) {
	for i, g := range readFeatures(t).Otsu {
		near(t, fmt.Sprint("threshold ", i), []float64{Otsu(g.Values)}, []float64{g.Threshold}, 1e-8)
	}
	if Otsu(nil) != 0 {
		t.Error("without values")
	}
}

// TestPrincipal compares the few components with those of all, for shapes and spectra that
// differ: more and fewer samples than dimensions, variances that hardly differ, one
// dimension.
func TestPrincipal(t *testing.T) {
	for _, c := range []struct {
		n, dim int
		decay  float64
	}{{300, 70, 0.9}, {40, 90, 0.8}, {200, 64, 1}, {5, 3, 1}, {9, 1, 1}, {3, 50, 1}} {
		x := gaussian(3, c.n*c.dim)
		var rows [][]float32
		for i := range c.n {
			row := x[i*c.dim : (i+1)*c.dim]
			for d := range row {
				row[d] *= float32(math.Pow(c.decay, float64(d)))
			}
			rows = append(rows, row)
		}
		s := centred(rows)
		full := make([][]float64, c.dim)
		for d := range full {
			full[d] = make([]float64, c.dim)
			for i := range c.n {
				addScaled(full[d], s.row(i)[d], s.row(i))
			}
		}
		values, _ := jacobi(full)
		got, err := s.principal(3)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		for k, g := range got {
			if d := math.Abs(g.variance - values[k]); d > 1e-9*values[0] {
				t.Errorf("%+v: component %d has %g, want %g", c, k, g.variance, values[k])
			}
			if d := math.Abs(dot(g.direction, g.direction) - 1); d > 1e-12 {
				t.Errorf("%+v: component %d has a length that is off by %g", c, k, d)
			}
		}
		if len(got) != min(3, c.dim) {
			t.Errorf("%+v: %d components", c, len(got))
		}
	}
}

// TestPCAProperties: the order of pictures only orders the results; a whole picture has
// no background; flipping and thresholds do what they say.
func TestPCAProperties(t *testing.T) {
	g := readFeatures(t).PCA[0]
	n := g.Grids[0][0] * g.Grids[0][1] * g.Dim
	a := featuresOf("a", g.Grids[0][0], g.Grids[0][1], g.Dim, g.Features[:n])
	b := featuresOf("b", g.Grids[1][0], g.Grids[1][1], g.Dim, g.Features[n:])
	p := sure(PCAOf(PCAOptions{}, a, b))
	q := sure(PCAOf(PCAOptions{}, b, a))
	near(t, "colours", append(slices.Clone(p.Pictures[0].Colours), p.Pictures[1].Colours...), append(slices.Clone(q.Pictures[1].Colours), q.Pictures[0].Colours...), 1e-9)

	// The same bits on one processor.
	processors := runtime.GOMAXPROCS(1)
	alone := sure(PCAOf(PCAOptions{}, a, b))
	runtime.GOMAXPROCS(processors)
	if alone.First != p.First || alone.Threshold != p.Threshold || !slices.Equal(alone.Pictures[1].Colours, p.Pictures[1].Colours) {
		t.Error("the components depend on the number of processors")
	}

	whole := sure(PCAOf(PCAOptions{Whole: true}, a, b))
	if whole.Share != 1 || slices.Contains(whole.Pictures[1].Foreground, false) {
		t.Errorf("%g of a whole picture is foreground", whole.Share)
	}
	flipped := sure(PCAOf(PCAOptions{Flip: true}, a, b))
	if flipped.Threshold != -p.Threshold || math.Abs(flipped.Share+p.Share-1) > 1e-12 {
		t.Errorf("flipped: %g of the patches above %g, before %g above %g", flipped.Share, flipped.Threshold, p.Share, p.Threshold)
	}
	high := p.Threshold + 1
	if got := sure(PCAOf(PCAOptions{Threshold: &high}, a, b)); got.Share > p.Share || got.Threshold != high {
		t.Errorf("a higher threshold leaves %g of the patches, before %g", got.Share, p.Share)
	}
	beyond := 1e6
	if _, err := PCAOf(PCAOptions{Threshold: &beyond}, a, b); err == nil || !strings.Contains(err.Error(), "no patch is above") {
		t.Errorf("a threshold beyond all: %v", err)
	}
	for name, f := range map[string]interface{ subtitle() string }{"flipped": p, "turned by you": flipped, "your threshold": sure(PCAOf(PCAOptions{Threshold: &high}, a))} {
		if strings.Contains(f.subtitle(), name) != (name != "flipped" || p.Flipped) {
			t.Errorf("%q doesn't say %q", f.subtitle(), name)
		}
	}
	draws(t, "figure", p.Figure(), nil)
	draws(t, "first component", p.FirstFigure(), nil)
	draws(t, "seven pictures", sure(PCAOf(PCAOptions{}, a, b, a, b, a, b, a)).Figure(), nil)
	if text := p.Table().String(); !strings.Contains(text, "5×6") {
		t.Errorf("table: %s", text)
	}
}

func sure[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestPCAOfFewDirections: patches that vary in fewer directions than there are colours.
func TestPCAOfFewDirections(t *testing.T) {
	values := make([]float32, 16*4)
	for i := range 16 {
		values[i*4] = 1
		if i == 5 || i == 6 {
			values[i*4+1] = 1
		}
	}
	p := sure(PCAOf(PCAOptions{}, featuresOf("two", 4, 4, 4, values)))
	if p.Share != 2./16 || math.Abs(p.First-1) > 1e-12 || p.Pictures[0].Colours[15] != 0.5 {
		t.Errorf("%+v, colours %v", p, p.Pictures[0].Colours)
	}
}

func TestFeatureErrors(t *testing.T) {
	fine := featuresOf("fine", 2, 2, 2, gaussian(1, 8))
	same := featuresOf("same", 2, 2, 2, []float32{1, 2, 1, 2, 1, 2, 1, 2})
	one := featuresOf("one", 1, 1, 2, []float32{1, 2})
	other := featuresOf("other", 2, 2, 3, gaussian(1, 12))
	nan := featuresOf("bad", 2, 2, 2, []float32{1, 2, 3, 4, 5, float32(math.NaN()), 7, 8})
	for says, call := range map[string]func() error{
		"all 4 patches have the same features": func() error { _, err := PCAOf(PCAOptions{}, same); return err },
		"no pictures":                          func() error { _, err := PCAOf(PCAOptions{}); return err },
		"one is a grid of 1×1 patch":           func() error { _, err := PCAOf(PCAOptions{}, fine, one); return err },
		"of one model":                         func() error { _, err := PCAOf(PCAOptions{}, fine, other); return err },
		"bad: the final norm of the patch in row 1, column 0 isn't finite": func() error { _, err := PCAOf(PCAOptions{}, nan); return err },
		"grid of 1×1":            func() error { _, err := NearestPatches(one, fine); return err },
		"they must be of one":    func() error { _, err := NearestPatches(fine, other); return err },
		"two pictures":           func() error { _, err := NearestPatches(fine, nil); return err },
		"rows 0 to 1":            func() error { _, err := sure(NearestPatches(fine, fine)).QueryFigure(2, 0); return err },
		"at least 1":             func() error { _, err := sure(NearestPatches(fine, fine)).Figure(0); return err },
		"no lengths":             func() error { _, err := NormChart(); return err },
		"no attention":           func() error { _, err := MeanGeometry(); return err },
		"1×1 patch has no other": func() error { _, err := normsOf([]float32{1, 2}, 2, 0, [2]int{1, 1}); return err },
		"output isn't finite":    func() error { _, err := normsOf([]float32{1, float32(math.Inf(1))}, 1, 0, [2]int{1, 2}); return err },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want an error that says %q, not %v", says, err)
		}
	}
}

func TestNearestGolden(t *testing.T) {
	g := readFeatures(t).Nearest
	a := featuresOf("a", g.Grids[0][0], g.Grids[0][1], g.Dim, g.A)
	b := featuresOf("b", g.Grids[1][0], g.Grids[1][1], g.Dim, g.B)
	x := sure(NearestPatches(a, b))
	var as, bs []int
	var cosines []float64
	for _, p := range x.Pairs {
		as, bs, cosines = append(as, p.A), append(bs, p.B), append(cosines, p.Cosine)
	}
	near(t, "cosines", cosines, g.Cosines, 1e-8)
	if !slices.Equal(as, g.PairsA) || !slices.Equal(bs, g.PairsB) {
		t.Errorf("pairs of %v and %v, want %v and %v", as, bs, g.PairsA, g.PairsB)
	}
	_, inB, err := x.Query(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "query", inB.Values, g.Query, 1e-6)
	swapped := sure(NearestPatches(b, a))
	if len(swapped.Pairs) != len(x.Pairs) {
		t.Errorf("%d pairs one way, %d the other", len(x.Pairs), len(swapped.Pairs))
	}
}

// TestNearestOfEqualPictures: each patch is its own nearest, also where several patches
// have the same features, and the chosen pairs are spread.
func TestNearestOfEqualPictures(t *testing.T) {
	values := gaussian(5, 6*8*7)
	for i := range 20 {
		copy(values[i*7:], values[:7]) // as a clear sky
	}
	f := featuresOf("p", 6, 8, 7, values)
	x := sure(NearestPatches(f, f))
	if len(x.Pairs) != 48 {
		t.Fatalf("%d pairs of 48", len(x.Pairs))
	}
	for _, p := range x.Pairs {
		if p.A != p.B || p.Cosine != 1 {
			t.Errorf("patch %d is nearest to %d with %v", p.A, p.B, p.Cosine)
		}
	}
	chosen := x.Strongest(4)
	if len(chosen) != 4 || len(x.Strongest(1000)) != 48 {
		t.Fatalf("%d and %d pairs", len(chosen), len(x.Strongest(1000)))
	}
	for i, p := range chosen {
		for _, q := range chosen[:i] {
			if math.Hypot(float64(p.A/8-q.A/8)/6, float64(p.A%8-q.A%8)/8) < 0.3 {
				t.Errorf("patches %d and %d are close", p.A, q.A)
			}
		}
	}
	f2, err := x.Figure(12)
	draws(t, "pairs", f2, err)
	f2, err = x.QueryFigure(5, 0)
	draws(t, "query", f2, err)
	if text := x.Table(4).String(); !strings.Contains(text, "1.000") {
		t.Errorf("table: %s", text)
	}
	zeros := sure(NearestPatches(f, featuresOf("zeros", 2, 2, 7, make([]float32, 28))))
	for _, p := range zeros.Pairs {
		if p.Cosine != 0 {
			t.Errorf("cosine %v with zeros", p.Cosine)
		}
	}
}

func TestNormsGolden(t *testing.T) {
	g := readFeatures(t).Norms
	n, err := normsOf(g.Tokens, g.Dim, g.Prefix, g.Grid)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "prefix", n.Prefix, g.Norms[:g.Prefix], 1e-8)
	near(t, "patches", n.Patches.Values, g.Norms[g.Prefix:], 1e-5)
	near(t, "median, MAD", []float64{n.Median, n.MAD, n.Threshold}, []float64{g.Median, g.MAD, g.Median + 6*g.MAD}, 1e-7)
	if !slices.Equal(n.Outliers, g.Outliers) {
		t.Errorf("outliers %v, want %v", n.Outliers, g.Outliers)
	}
	flat, err := normsOf([]float32{3, 3, 3.0000002, 3}, 1, 0, [2]int{2, 2})
	if err != nil || len(flat.Outliers) != 0 {
		t.Errorf("outliers among equal lengths: %+v, %v", flat, err)
	}
}

// featureRunner is a model of random weights on the default backend.
func featureRunner(t testing.TB, cfg vit.Config, options ...vit.RunnerOption) *vit.Runner {
	t.Helper()
	m, err := vit.New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	r, err := vit.NewRunner(b, m, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); m.Close() })
	return r
}

// TestFeaturesOfModels looks at models of every kind of token on a rectangle of
// rectangular patches: without a head, without a class token, with registers.
func TestFeaturesOfModels(t *testing.T) {
	plain := vit.Config{
		ImageSize: [2]int{18, 20}, PatchSize: [2]int{6, 4}, Channels: 3, Dim: 8, Depth: 2, Heads: 2, MLPDim: 16,
		ClassToken: true, NormEps: 1e-6, QKVBias: true, PatchBias: true, FinalNorm: true,
	}
	registers, mean := plain, plain
	registers.DistToken, registers.Registers, registers.Classes, registers.Pool = true, 4, 5, vit.PoolClassDist
	mean.ClassToken, mean.Pool, mean.FinalNorm = false, vit.PoolMean, false
	for name, cfg := range map[string]vit.Config{"headless": plain, "registers": registers, "mean": mean} {
		t.Run(name, func(t *testing.T) { testFeatures(t, cfg) })
	}
}

func testFeatures(t *testing.T, cfg vit.Config) {
	r, im := featureRunner(t, cfg), stripes(40, 36)
	p := sure(transform.Parse("resize(18,20) | totensor | normalize(0.5,0.5)"))
	tensor := sure(p.Tensor(im))
	o := sure(r.Run(tensor.Data, [4]int{1, 3, 18, 20}, vit.Want{Norm: true, Tokens: cfg.AllLayers(), Attention: cfg.AllLayers()}))

	f, _, err := FeaturesOf(r, p, "stripes", im)
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows != 3 || f.Cols != 5 || !slices.Equal(f.Values, o.Norm.Values[cfg.Prefix()*8:]) {
		t.Errorf("features of %d×%d patches differ from the final norm's", f.Rows, f.Cols)
	}
	draws(t, "components", sure(PCAOf(PCAOptions{}, f)).Figure(), nil)

	n, _, err := NormsOf(r, p, "stripes", im)
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Layers) != 2 || len(n.Layers[1].Prefix) != cfg.Prefix() {
		t.Fatalf("%d layers, %d tokens before the patches", len(n.Layers), len(n.Layers[1].Prefix))
	}
	last := o.Tokens[1].Values[(cfg.Prefix()+14)*8:]
	var sum float64
	for _, v := range last {
		sum += float64(v) * float64(v)
	}
	near(t, "the last patch", n.Layers[1].Patches.Values[14:], []float64{math.Sqrt(sum)}, 1e-6)
	figure, err := n.Figure(-1)
	draws(t, "norms", figure, err)
	figure, err = NormChart(n, n)
	draws(t, "norms by layer", figure, err)
	for _, name := range cfg.PrefixTokens() {
		if !strings.Contains(n.Table().String(), name) {
			t.Errorf("the table doesn't list %s", name)
		}
	}
	if _, err := n.Figure(2); err == nil {
		t.Error("layer 2 of 2 is drawn")
	}
	testGeometry(t, cfg, r, p, o)
}

// testGeometry compares what is reduced in the graph with the attention on the host.
func testGeometry(t *testing.T, cfg vit.Config, r *vit.Runner, p transform.Pipeline, o *vit.Outputs) {
	g, _, err := GeometryOf(r, p, "stripes", stripes(40, 36))
	if err != nil {
		t.Fatal(err)
	}
	tokens, prefix := cfg.Tokens(), cfg.Prefix()
	for l, a := range o.Attention {
		for h := range cfg.Heads {
			var want HeadGeometry
			for q := prefix; q < tokens; q++ {
				row := a.Values[(h*tokens+q)*tokens:][:tokens]
				keys := Map{Rows: 3, Cols: 5, Values: row[prefix:]}
				for j, v := range keys.Values {
					d := math.Hypot(float64(6*(j/5-(q-prefix)/5)), float64(4*(j%5-(q-prefix)%5)))
					want.Distance += d * float64(v) / keys.Sum() / 15
				}
				want.Entropy += keys.Entropy() / 15
				for j, v := range row[:prefix] {
					if j == 0 {
						want.Class += float64(v) / 15
					} else {
						want.Others += float64(v) / 15
					}
				}
			}
			got := g.Layers[l][h]
			near(t, fmt.Sprintf("layer %d, head %d", l, h), []float64{got.Distance, got.Entropy, got.Class, got.Others},
				[]float64{want.Distance, want.Entropy, want.Class, want.Others}, 1e-4)
		}
	}
	if g.HasClass != cfg.ClassToken || g.Others != max(prefix-1, 0) {
		t.Errorf("class token: %v, others: %d", g.HasClass, g.Others)
	}
	draws(t, "distances", g.Chart(), nil)
	if text := g.Table().String(); strings.Contains(text, "or more on distillation") != (g.Others > 0) {
		t.Errorf("table: %s", text)
	}
}

func TestGeometryGolden(t *testing.T) {
	g := readFeatures(t).Geometry
	cfg := vit.Config{ImageSize: [2]int{g.Grid[0] * g.Patch[0], g.Grid[1] * g.Patch[1]}, PatchSize: g.Patch, ClassToken: true, Registers: g.Prefix - 1, Heads: g.Heads}
	got := sure(measuredOf(g.Probabilities, cfg))
	near(t, "distance", got[:g.Heads], g.Distance, 1e-4)
	near(t, "entropy", got[g.Heads:2*g.Heads], g.Entropy, 1e-5)
	near(t, "class", got[2*g.Heads:3*g.Heads], g.Class, 1e-6)
	near(t, "others", got[3*g.Heads:], g.Others, 1e-6)
	uniform := (&Geometry{Grid: g.Grid, PatchSize: g.Patch}).UniformDistance()
	near(t, "uniform", []float64{uniform}, []float64{g.Uniform}, 1e-6)

	// A query that gives patches nothing has neither distance nor entropy.
	for i := range g.Probabilities {
		g.Probabilities[i] = 0
		if i%cfg.Tokens() == 0 {
			g.Probabilities[i] = 1
		}
	}
	near(t, "nowhere", sure(measuredOf(g.Probabilities, cfg)), []float64{0, 0, 0, 0, 1, 1, 0, 0}, 0)
}

func TestHeadKinds(t *testing.T) {
	g := &Geometry{Grid: [2]int{4, 4}, PatchSize: [2]int{10, 10}, HasClass: true, Others: 1}
	far, wide := g.UniformDistance(), 4.0
	want := []HeadKind{ClassHead, RegisterHead, LocalHead, GlobalHead, OtherHead, OtherHead}
	g.Layers = [][]HeadGeometry{{
		{Class: 0.5, Distance: far, Entropy: wide}, {Others: 0.6}, {Distance: 0.5 * far, Entropy: wide},
		{Distance: 0.9 * far, Entropy: wide}, {Distance: far, Entropy: 1}, {Distance: 0.6 * far, Entropy: 3},
	}}
	for h, k := range want {
		if got := g.Kind(0, h, DefaultHeadThresholds); got != k {
			t.Errorf("head %d is %s, want %s", h, got, k)
		}
	}
	if HeadKind(9).String() != "unknown(9)" {
		t.Error(HeadKind(9).String())
	}
}

func TestKindAtlas(t *testing.T) {
	cfg := tiny(t, 3, 4).Config
	r := featureRunner(t, cfg)
	p := sure(transform.Parse("resize(12,16) | totensor | normalize(0.5,0.5)"))
	a, _, err := Attend(r, p, "stripes", stripes(16, 12))
	if err != nil {
		t.Fatal(err)
	}
	g, _, err := GeometryOf(r, p, "stripes", stripes(16, 12))
	if err != nil {
		t.Fatal(err)
	}
	f, err := a.KindAtlas(g)
	draws(t, "atlas", f, err)
	wide := sure(transform.Parse("resize(12,20) | totensor | normalize(0.5,0.5)"))
	other, warnings, err := GeometryOf(r, wide, "wide", stripes(16, 12))
	if err != nil || len(warnings) != 1 {
		t.Fatal(warnings, err)
	}
	if _, err := MeanGeometry(g, other); err == nil || !strings.Contains(err.Error(), "one size") {
		t.Errorf("grids of different sizes: %v", err)
	}
	if m := sure(MeanGeometry(g, g)); m.Layers[1][0] != g.Layers[1][0] || len(m.Pictures) != 2 {
		t.Errorf("the mean of equal ones is %+v, each %+v", m.Layers[1][0], g.Layers[1][0])
	}
	if b, err := backend.Default(); err == nil && b.Capabilities().DTypes[dtypes.BFloat16] {
		if _, _, err := GeometryOf(featureRunner(t, cfg, vit.InBFloat16), p, "stripes", stripes(16, 12)); err == nil || !strings.Contains(err.Error(), "without InBFloat16") {
			t.Errorf("in bfloat16: %v", err)
		}
	}
	g.Layers = g.Layers[:1]
	if _, err := a.KindAtlas(g); err == nil {
		t.Error("the kinds of another model")
	}
	if _, _, err := GeometryOf(r, sure(transform.Parse("resize(4,4) | totensor")), "dot", stripes(16, 12)); err == nil || !strings.Contains(err.Error(), "1×1") {
		t.Errorf("one patch: %v", err)
	}
	if _, _, err := NormsOf(r, sure(transform.Parse("resize(4,4) | totensor")), "dot", stripes(16, 12)); err == nil || !strings.Contains(err.Error(), "1×1") {
		t.Errorf("one patch: %v", err)
	}
	if _, _, err := FeaturesOf(r, sure(transform.Parse("resize(5,5) | totensor")), "odd", stripes(16, 12)); err == nil || !strings.Contains(err.Error(), "patches of 4 pixels") {
		t.Errorf("a size that patches don't tile: %v", err)
	}
}

func ExamplePCAOf() {
	// Sixteen patches, of which the middle four differ from the others in two ways.
	f := &Features{Picture: "square", Rows: 4, Cols: 4, Dim: 3, Values: make([]float32, 48)}
	for i, v := range map[int]float32{5: 1, 6: 1, 9: 2, 10: 2} {
		f.Values[3*i], f.Values[3*i+1] = 5, v
	}
	p, err := PCAOf(PCAOptions{}, f)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.0f %% of the variance, %.0f %% foreground\n", 100*p.First, 100*p.Share)
	fmt.Println(p.Pictures[0].Foreground[4:8])
	// Output:
	// 99 % of the variance, 25 % foreground
	// [false true true false]
}

func ExampleNearestPatches() {
	left := &Features{Picture: "left", Rows: 1, Cols: 3, Dim: 2, Values: []float32{1, 0, 0, 1, 1, 1}}
	right := &Features{Picture: "right", Rows: 1, Cols: 3, Dim: 2, Values: []float32{0, 2, 3, 0.1, -1, 0}}
	x, err := NearestPatches(left, right)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range x.Pairs {
		fmt.Printf("patch %d is like patch %d: %.3f\n", p.A, p.B, p.Cosine)
	}
	// Output:
	// patch 1 is like patch 0: 1.000
	// patch 0 is like patch 1: 0.999
}
