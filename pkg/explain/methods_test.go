package explain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/backend"
	"gaze/pkg/convnet"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// kinds are small models of every kind of prefix and pooling.
func kinds() map[string]vit.Config {
	plain := vit.Config{
		ImageSize: [2]int{12, 12}, PatchSize: [2]int{4, 4}, Channels: 3,
		Dim: 12, Depth: 2, Heads: 3, MLPDim: 20, Classes: 5,
		ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
	}
	registers := plain
	registers.DistToken, registers.Pool, registers.Registers = true, vit.PoolClassDist, 4
	registers.ImageSize, registers.PatchSize = [2]int{12, 30}, [2]int{4, 6}
	both := plain
	both.Pool, both.LayerScale, both.ImageSize = vit.PoolClassMean, true, [2]int{8, 16}
	mean := plain
	mean.Pool, mean.ClassToken, mean.PoolNorm, mean.FinalNorm = vit.PoolMean, false, true, false
	return map[string]vit.Config{"plain": plain, "distillation and registers": registers, "class and mean": both, "mean": mean}
}

// explainerOf is an explainer of a model of random weights, changed by change.
func explainerOf(t testing.TB, cfg vit.Config) *Explainer {
	t.Helper()
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewExplainer(b, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// drawn are pictures with something in them, the same each time.
func drawn(cfg vit.Config, n int) []*transform.Tensor {
	var list []*transform.Tensor
	for i := range n {
		p := &transform.Tensor{Shape: [3]int{cfg.Channels, cfg.ImageSize[0], cfg.ImageSize[1]}}
		r := rand.New(rand.NewPCG(7, uint64(i)))
		for range cfg.Channels * cfg.ImageSize[0] * cfg.ImageSize[1] {
			p.Data = append(p.Data, float32(r.NormFloat64()))
		}
		list = append(list, p)
	}
	return list
}

// quick are settings that ask less of the methods with many pictures.
var quick = Settings{Samples: 40, Steps: 10}

// off is the greatest difference of two maps, relative to the greatest value.
func off(got, want []float32) float64 {
	top, worst := 1e-12, 0.0
	for i := range want {
		top, worst = max(top, math.Abs(float64(want[i]))), max(worst, math.Abs(float64(got[i]-want[i])))
	}
	if len(got) != len(want) {
		return math.Inf(1)
	}
	return worst / top
}

// TestEveryKind: a picture's map doesn't depend on the pictures beside it, their order and
// their number. (The golden files have the other kinds. Compiling takes most of the time, so
// the tests below ask for programs that this one compiled.)
func TestEveryKind(t *testing.T) {
	for _, name := range []string{"mean", "distillation and registers"} {
		cfg := kinds()[name]
		e, pictures := explainerOf(t, cfg), drawn(cfg, 3)
		for _, m := range Methods() {
			t.Run(name+"/"+m.Name, func(t *testing.T) {
				o := Options{Seed: 5, Settings: quick}
				if m.OfClass {
					o.Classes, o.Against = []int{1, 2, 1}, []int{0}
				}
				all, err := e.Explain(m.Name, pictures, o)
				if err != nil {
					t.Fatal(err)
				}
				if m.OfClass {
					o.Classes = []int{1, 1, 2}
				}
				o.Indices = []int{2, 0, 1}
				permuted, err := e.Explain(m.Name, []*transform.Tensor{pictures[2], pictures[0], pictures[1]}, o)
				if err != nil {
					t.Fatal(err)
				}
				alone := permuted
				if m.search != nil || name == "mean" { // the others would compile many programs
					o.Indices, o.Classes = o.Indices[:1], o.Classes[:min(1, len(o.Classes))]
					if alone, err = e.Explain(m.Name, pictures[2:], o); err != nil {
						t.Fatal(err)
					}
				}
				grid := cfg.Grid()
				for i, from := range []int{2, 0, 1} {
					got, want := permuted.Maps[i], all.Maps[from]
					if d := off(got.Values, want.Values); got.Rows != grid[0] || got.Cols != grid[1] || d > 2e-5 {
						t.Errorf("picture %d elsewhere in the batch: %d×%d, off by %g", from, got.Rows, got.Cols, d)
					}
				}
				if d := off(alone.Maps[0].Values, all.Maps[2].Values); d > 2e-5 {
					t.Errorf("picture 2 alone: off by %g", d)
				}
				// One probability less another is what "vitcx" scores where a class is held against one.
				if !m.Signed && m.Name != "vitcx" && slices.ContainsFunc(all.Maps[0].Values, func(v float32) bool { return v < 0 }) {
					t.Errorf("%v is signed", all.Maps[0].Values)
				}
			})
		}
	}
}

// matrices are the attention of every layer and head and its gradient for the predicted
// class, [layer][head][query*key], of one picture.
func matrices(t *testing.T, e *Explainer, picture *transform.Tensor) (a, g [][][]float64) {
	t.Helper()
	cfg := e.Config()
	r, err := e.runner.Program("matrices", picture.Data, [4]int{1, picture.Shape[0], picture.Shape[1], picture.Shape[2]},
		func(scope *model.Scope, cfg vit.Config, images *Node, _ []*Node) []*Node {
			x := vit.ForwardExplaining(scope, cfg, images, vit.Explaining{})
			var all []*Node
			for _, b := range x.Blocks {
				all = append(all, b.Probabilities)
			}
			all = append(all, Gradient(ReduceAllSum(ReduceMax(x.Logits, -1)), all...)...)
			for i := range all {
				all[i] = Identity(all[i])
			}
			return all
		})
	if err != nil {
		t.Fatal(err)
	}
	split := func(values []float32) [][]float64 {
		heads := make([][]float64, cfg.Heads)
		for i, v := range values {
			h := i / (len(values) / cfg.Heads)
			heads[h] = append(heads[h], float64(v))
		}
		return heads
	}
	for i := range cfg.Depth {
		a, g = append(a, split(r.Arrays[i].Values)), append(g, split(r.Arrays[cfg.Depth+i].Values))
	}
	return a, g
}

// timesMatrix is a·b of square matrices.
func timesMatrix(a, b []float64, n int) []float64 {
	out := make([]float64, n*n)
	for i := range n {
		for k := range n {
			for j := range n {
				out[i*n+j] += a[i*n+k] * b[k*n+j]
			}
		}
	}
	return out
}

// overHeads is a value for each query and key from those of the heads.
func overHeads(a, g [][]float64, f func(a, g []float64) float64) []float64 {
	var out []float64
	for i := range a[0] {
		var as, gs []float64
		for h := range a {
			as, gs = append(as, a[h][i]), append(gs, g[h][i])
		}
		out = append(out, f(as, gs))
	}
	return out
}

// rowsOfRollout are rownorm(½A+½I).
func rowsOfRollout(a []float64, n int) []float64 {
	out := slices.Clone(a)
	for q := range n {
		out[q*n+q]++
		sum := 0.0
		for _, v := range out[q*n : (q+1)*n] {
			sum += v
		}
		for k := range n {
			out[q*n+k] /= sum
		}
	}
	return out
}

// discardedByHand is what the setting Discard leaves.
func discardedByHand(a []float64, n, prefix int, share float64) []float64 {
	var among []int
	for i := range a {
		if i/n != i%n && i%n >= prefix {
			among = append(among, i)
		}
	}
	slices.SortFunc(among, func(i, j int) int {
		return int(math.Copysign(1, a[i]-a[j]))
	})
	out := slices.Clone(a)
	for _, i := range among[:min(len(among), int(share*float64(n*n)))] {
		out[i] = 0
	}
	return out
}

// TestRowsSameAsProducts: the row of the query alone equals the product of whole matrices,
// and rollout's rows sum to one.
func TestRowsSameAsProducts(t *testing.T) {
	mean := func(values []float64) float64 {
		sum := 0.0
		for _, v := range values {
			sum += v / float64(len(values))
		}
		return sum
	}
	weighted := func(a, g []float64) (out []float64) {
		for i := range a {
			out = append(out, a[i]*g[i])
		}
		return out
	}
	rolled := func(r, a []float64, n int) []float64 { return timesMatrix(r, rowsOfRollout(a, n), n) }
	cases := []struct {
		name     string
		method   string
		settings Settings
		heads    func(a, g []float64) float64
		step     func(r, a []float64, n int) []float64
	}{
		{"rollout", "rollout", Settings{}, func(a, _ []float64) float64 { return mean(a) }, rolled},
		{"max", "rollout", Settings{Heads: MaxHeads}, func(a, _ []float64) float64 { return slices.Max(a) }, rolled},
		{"min", "rollout", Settings{Heads: MinHeads}, func(a, _ []float64) float64 { return slices.Min(a) }, rolled},
		{"one head", "rollout", Settings{Heads: OneHead(-1)}, func(a, _ []float64) float64 { return a[len(a)-1] }, rolled},
		{"discard", "rollout", Settings{Discard: 0.4}, func(a, _ []float64) float64 { return mean(a) }, rolled},
		{"discard all", "rollout", Settings{Discard: 0.99, Heads: MaxHeads}, func(a, _ []float64) float64 { return slices.Max(a) }, rolled},
		{"gradrollout", "gradrollout", Settings{}, func(a, g []float64) float64 { return max(mean(weighted(a, g)), 0) }, rolled},
		{"gradrollout, discard", "gradrollout", Settings{Discard: 0.7}, func(a, g []float64) float64 { return max(mean(weighted(a, g)), 0) }, rolled},
		{"chefer", "chefer", Settings{}, func(a, g []float64) float64 {
			w := weighted(a, g)
			for i := range w {
				w[i] = max(w[i], 0)
			}
			return mean(w)
		}, func(r, a []float64, n int) []float64 {
			step := timesMatrix(r, a, n)
			for i := range step {
				step[i] += r[i]
			}
			return step
		}},
	}
	for name, cfg := range kinds() {
		e, picture := explainerOf(t, cfg), drawn(cfg, 1)
		a, g := matrices(t, e, picture[0])
		n, prefix := cfg.Tokens(), cfg.Prefix()
		for _, c := range cases {
			if name != "distillation and registers" && c.name != c.method {
				continue // settings, for one kind
			}
			t.Run(name+"/"+c.name, func(t *testing.T) {
				r := make([]float64, n*n)
				for i := range n {
					r[i*n+i] = 1
				}
				for l := cfg.Depth - 1; l >= 0; l-- {
					r = c.step(r, discardedByHand(overHeads(a[l], g[l], c.heads), n, prefix, c.settings.Discard), n)
				}
				x, err := e.Explain(c.method, picture, Options{Settings: c.settings})
				if err != nil {
					t.Fatal(err)
				}
				want := make([]float32, cfg.Patches())
				for q, weight := range (&job{cfg: cfg}).startRow() {
					for p := range want {
						want[p] += weight * float32(r[q*n+prefix+p])
					}
				}
				if d := off(x.Maps[0].Values, want); d > 1e-6 {
					t.Errorf("off by %g", d)
				}
			})
		}
		if name == "distillation and registers" {
			rowSums(t, e, picture)
		}
	}
}

// rowSums checks that rollout's row, over all tokens, sums to one.
func rowSums(t *testing.T, e *Explainer, pictures []*transform.Tensor) {
	for i, s := range []Settings{{}, {Heads: MaxHeads}, {Heads: MinHeads, Discard: 0.5}} {
		m, _ := FindMethod("rollout")
		j, err := e.job(m, pictures, Options{Settings: s})
		if err != nil {
			t.Fatal(err)
		}
		row, err := j.passed(fmt.Sprint("row ", i), vit.Explaining{}, func(p *pass) *Node {
			var layers []*Node
			for _, b := range p.Blocks {
				layers = append(layers, p.discarded(p.heads(b.Probabilities)))
			}
			return p.rolled(layers)
		})
		if err != nil {
			t.Fatal(err)
		}
		if sum := (Map{Values: row}).Sum(); math.Abs(sum-1) > 1e-6 {
			t.Errorf("settings %d: a row of rollout sums to %v", i, sum)
		}
	}
}

// TestIntegratedGradientsAreComplete: they sum to the answer less that to the baseline.
func TestIntegratedGradientsAreComplete(t *testing.T) {
	for _, name := range []string{"mean", "distillation and registers"} {
		cfg := kinds()[name]
		e, pictures := explainerOf(t, cfg), drawn(cfg, 3)
		o := Options{Classes: []int{3}, Against: []int{1}, Settings: Settings{Steps: 64}}
		x, err := e.Explain("ig", pictures, o)
		if err != nil {
			t.Fatal(err)
		}
		shape := [4]int{1, cfg.Channels, cfg.ImageSize[0], cfg.ImageSize[1]}
		empty, err := e.Logits(make([]float32, len(pictures[0].Data)), shape, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range x.Maps {
			f := x.Logits[i]
			want := float64(f[3] - f[1] - empty.Values[3] + empty.Values[1])
			if got := m.Sum(); math.Abs(got-want) > 0.01*math.Abs(want) {
				t.Errorf("%s, picture %d: the map sums to %g, the answers differ by %g", name, i, got, want)
			}
		}
	}
}

// TestLegendre: the rule of n points is exact for polynomials of degree 2n-1.
func TestLegendre(t *testing.T) {
	for _, n := range []int{1, 2, 5, 32, 64} {
		points, weights := legendre(n)
		for _, degree := range []int{0, 1, 2*n - 1} {
			sum := 0.0
			for i, x := range points {
				sum += weights[i] * math.Pow(x, float64(degree))
			}
			if want := 1 / float64(degree+1); math.Abs(sum-want) > 1e-13 {
				t.Errorf("%d points, degree %d: %v, want %v", n, degree, sum, want)
			}
		}
		if !slices.IsSorted(points) {
			t.Errorf("points %v", points)
		}
	}
}

// TestMasksByHand computes what the masking methods say from the answers to changed
// pictures, asked one by one, with random numbers that the test gives.
func TestMasksByHand(t *testing.T) {
	cfg := kinds()["distillation and registers"]
	e, pictures := explainerOf(t, cfg), drawn(cfg, 2)
	size, grid, patch := cfg.ImageSize, cfg.Grid(), cfg.PatchSize
	const n, class = 9, 2
	// Mask i keeps a share of each patch that depends on both.
	share := func(i, p int) float32 { return float32((i*7+p*3)%11) / 10 }
	patchOf := func(pixel int) int {
		pixel %= size[0] * size[1]
		return pixel/size[1]/patch[0]*grid[1] + pixel%size[1]/patch[1]
	}
	e.chance.mask = func(_ *rand.Rand, _, sample int, _ [2]int, to []float32) {
		for k := range to {
			to[k] = share(sample, patchOf(k))
		}
	}
	e.chance.drop = func(_ *rand.Rand, _, sample int, to []bool) {
		for p := range to {
			to[p] = share(sample, p) < 0.5
		}
	}
	answer := func(picture int, change func(k int, v float32) float32, drop []bool) float64 {
		var data []float32
		for k, v := range pictures[picture].Data {
			data = append(data, change(k, v))
		}
		got, err := e.Logits(data, [4]int{1, 3, size[0], size[1]}, drop)
		if err != nil {
			t.Fatal(err)
		}
		return float64(got.Values[class])
	}
	same := func(_ int, v float32) float32 { return v }
	for _, name := range []string{"occlusion", "rise", "rise-tokens", "original rise"} {
		original := strings.HasPrefix(name, "original")
		x, err := e.Explain(strings.TrimPrefix(name, "original "), pictures, Options{Classes: []int{class}, Settings: Settings{Samples: n, Original: original}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range pictures {
			want := make([]float32, cfg.Patches())
			switch name {
			case "occlusion":
				for p := range want {
					want[p] = float32(answer(i, same, nil) - answer(i, func(k int, v float32) float32 {
						if patchOf(k) == p {
							return 0
						}
						return v
					}, nil))
				}
			default:
				tokens, area := name == "rise-tokens", 1.0
				var f []float64
				mean := 0.0
				for s := range n {
					if tokens {
						drop := make([]bool, cfg.Patches())
						e.chance.drop(nil, 0, s, drop)
						f = append(f, answer(i, same, drop))
					} else {
						area = float64(patch[0] * patch[1])
						f = append(f, answer(i, func(k int, v float32) float32 { return v * share(s, patchOf(k)) }, nil))
					}
					mean += f[s] / n
				}
				for p := range want {
					sum := 0.0
					for s := range n {
						kept := float64(share(s, p)) * area
						if tokens {
							kept = map[bool]float64{true: 1}[share(s, p) >= 0.5]
						}
						if original {
							sum += f[s] * kept / (n * 0.5)
						} else {
							sum += (f[s] - mean) * (kept - 0.5*area) / (n * 0.25)
						}
					}
					want[p] = float32(sum)
				}
			}
			if d := off(x.Maps[i].Values, want); d > 1e-4 {
				t.Errorf("%s, picture %d: off by %g", name, i, d)
			}
		}
	}
}

// TestChance: what is drawn depends on the seed and the picture's index only.
func TestChance(t *testing.T) {
	cfg := kinds()["mean"]
	e, pictures := explainerOf(t, cfg), drawn(cfg, 1)
	for _, name := range []string{"smoothgrad", "rise", "rise-tokens", "vitcx"} {
		maps := func(seed uint64, index int) []float32 {
			x, err := e.Explain(name, []*transform.Tensor{pictures[0], pictures[0]}, Options{Seed: seed, Indices: []int{99, index}, Settings: quick})
			if err != nil {
				t.Fatal(err)
			}
			return x.Maps[1].Values
		}
		first := maps(1, 4)
		if !slices.Equal(first, maps(1, 4)) {
			t.Errorf("%s: the same seed and index, another map", name)
		}
		if slices.Equal(first, maps(2, 4)) || slices.Equal(first, maps(1, 5)) {
			t.Errorf("%s: another seed or index, the same map", name)
		}
	}
}

// TestRiseMask: half of a mask is kept on average, it is smooth and from 0 to 1.
func TestRiseMask(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	size := [2]int{40, 61}
	mask := make([]float32, size[0]*size[1])
	sum := 0.0
	for range 300 {
		riseMask(r, 0, 0, size, mask)
		for i, v := range mask {
			if v < 0 || v > 1 || i%size[1] > 0 && math.Abs(float64(v-mask[i-1])) > 1.0/7 {
				t.Fatalf("a mask has %v beside %v", v, mask[max(i-1, 0)])
			}
			sum += float64(v)
		}
	}
	if mean := sum / 300 / float64(len(mask)); math.Abs(mean-0.5) > 0.02 {
		t.Errorf("masks keep %v", mean)
	}
}

// TestEnlarger: maps are scaled as by plots.Upsample, and products of scaled maps can be
// had from the maps.
func TestEnlarger(t *testing.T) {
	m, _ := NewMap(3, 4, []float32{1, 5, 2, 0, 3, 3, -1, 2, 9, 4, 4, 1})
	values := make([]float64, 12)
	for i, v := range m.Values {
		values[i] = float64(v)
	}
	e := newEnlarger([2]int{3, 4}, [2]int{13, 8})
	got := make([]float32, 13*8)
	e.whole(values, got)
	want, err := plots.Upsample(m.Matrix(), 13, 8, plots.Bilinear)
	if err != nil {
		t.Fatal(err)
	}
	direct := 0.0
	for i, v := range got {
		if math.Abs(float64(v)-want[i/8][i%8]) > 1e-6 {
			t.Fatalf("row %d, column %d: %v, want %v", i/8, i%8, v, want[i/8][i%8])
		}
		direct += float64(v) * float64(v)
	}
	rows, cols := e.products(0), e.products(1)
	sum := 0.0
	for i, a := range values {
		for k, b := range values {
			sum += a * b * rows[i/4][k/4] * cols[i%4][k%4]
		}
	}
	if math.Abs(sum-direct) > 1e-5*direct {
		t.Errorf("products of the maps say %v, of the scaled maps %v", sum, direct)
	}
}

// TestCompleteLinkage compares with merging the nearest pair again and again.
func TestCompleteLinkage(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		n := 1 + r.IntN(40)
		distance := make([][]float64, n)
		for i := range distance {
			distance[i] = make([]float64, n)
			for k := range i {
				distance[i][k] = r.Float64()
				distance[k][i] = distance[i][k]
			}
		}
		groups := make([][]int, n)
		for i := range groups {
			groups[i] = []int{i}
		}
		const limit = 0.6
		for {
			best, at := limit, [2]int{-1}
			for a := range groups {
				for b := range a {
					far := 0.0
					for _, i := range groups[a] {
						for _, k := range groups[b] {
							far = max(far, distance[i][k])
						}
					}
					if far < best {
						best, at = far, [2]int{a, b}
					}
				}
			}
			if at[0] < 0 {
				break
			}
			groups[at[1]] = append(groups[at[1]], groups[at[0]]...)
			groups = slices.Delete(groups, at[0], at[0]+1)
		}
		want := make([]int, n)
		for g, members := range groups {
			for _, i := range members {
				want[i] = g
			}
		}
		got := completeLinkage(distance, limit)
		for i := range n {
			for k := range n {
				if (got[i] == got[k]) != (want[i] == want[k]) {
					t.Fatalf("seed %d: groups %v, want %v", seed, got, want)
				}
			}
		}
	}
}

// TestHybrid explains a model with a convolutional stem.
func TestHybrid(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s")
	}
	cfg := kinds()["plain"]
	cfg.Stem = &convnet.Config{Kind: convnet.ResNetV2, ResNet: &convnet.ResNet{Width: 32, Stages: []convnet.ResNetStage{{Blocks: 1, Channels: 128}}}}
	stride := cfg.Stem.Stride()
	cfg.PatchSize, cfg.ImageSize = [2]int{stride, stride}, [2]int{2 * stride, 3 * stride}
	e, pictures := explainerOf(t, cfg), drawn(cfg, 1)
	for _, name := range []string{"gradcam", "occlusion", "rise-tokens", "saliency"} {
		x, err := e.Explain(name, pictures, Options{Settings: quick})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if x.Maps[0].Rows != 2 || x.Maps[0].Cols != 3 {
			t.Errorf("%s: %d×%d patches", name, x.Maps[0].Rows, x.Maps[0].Cols)
		}
	}
}
