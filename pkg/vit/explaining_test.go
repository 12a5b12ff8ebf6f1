package vit

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
)

// explainedModels are small models of every kind of prefix and pooling.
func explainedModels() map[string]Config {
	plain := smallConfig()
	registers := smallConfig()
	registers.DistToken, registers.Pool, registers.Registers, registers.Positions = true, PoolClassDist, 4, PositionsAll
	registers.ImageSize = [2]int{12, 30}
	both := smallConfig()
	both.Pool, both.LayerScale = PoolClassMean, true
	mean := smallConfig()
	mean.Pool, mean.ClassToken, mean.PoolNorm, mean.FinalNorm = PoolMean, false, true, false
	return map[string]Config{"plain": plain, "distillation and registers": registers, "class and mean": both, "mean": mean}
}

// TestExplainingSameAsForward: the forward pass for explanations answers as the usual one,
// on every backend, and every intermediate is on the way to the logits.
func TestExplainingSameAsForward(t *testing.T) {
	for name, cfg := range explainedModels() {
		for _, b := range testBackends(t) {
			t.Run(name+"/"+b.Name(), func(t *testing.T) { sameAsForward(t, b, cfg) })
		}
	}
}

// explainingRunner is a runner of a model of random weights, for graphs with gradients.
func explainingRunner(t *testing.T, b compute.Backend, cfg Config) *Runner {
	t.Helper()
	m, err := New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	r, err := NewRunner(b, m, WithGradients)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func sameAsForward(t *testing.T, b compute.Backend, cfg Config) {
	r := explainingRunner(t, b, cfg)
	shape := [4]int{3, 3, cfg.ImageSize[0], cfg.ImageSize[1]}
	images := pictures(shape)
	want, err := r.Run(images, shape, Want{Logits: true})
	if err != nil {
		t.Fatal(err)
	}
	logits := func(how func(g *Graph) Explaining) []float32 {
		key := "zero"
		if how != nil {
			key = "drop"
		}
		got, err := r.Program(key, images, shape, func(scope *model.Scope, cfg Config, images *Node, _ []*Node) []*Node {
			e := Explaining{}
			if how != nil {
				e = how(images.Graph())
			}
			out := ForwardExplaining(scope, cfg, images, e)
			return []*Node{out.Logits, Identity(out.LogitsAfter(cfg.Depth - 1))}
		})
		if err != nil {
			t.Fatal(err)
		}
		within(t, "logits after the last layer", got.Arrays[1].Values, got.Arrays[0].Values, 1e-6)
		return got.Arrays[0].Values
	}
	within(t, "logits", logits(nil), want.Logits.Values, 1e-5)
	within(t, "logits with nothing dropped", logits(func(g *Graph) Explaining {
		return Explaining{Drop: BroadcastToDims(Const(g, false), 3, cfg.Patches())}
	}), want.Logits.Values, 1e-5)
	gradientsAreTrue(t, r, images, shape)
}

// gradientsAreTrue compares the gradient of a score along a direction with central
// differences, for every intermediate of the last but one block and for the pictures.
func gradientsAreTrue(t *testing.T, r *Runner, images []float32, shape [4]int) {
	names := []string{"pictures", "input", "norm", "queries, keys, values", "probabilities", "attended", "tokens"}
	got, err := r.Program("gradients", images, shape, func(scope *model.Scope, cfg Config, images *Node, _ []*Node) []*Node {
		e := ForwardExplaining(scope, cfg, images, Explaining{})
		weights := Sin(MulScalar(IotaFull(images.Graph(), shapes.Make(dtypes.Float32, e.Logits.Shape().Dimensions...)), 1.3))
		score := ReduceAllSum(Mul(e.Logits, weights))
		b := e.Blocks[cfg.Depth-1]
		nodes := []*Node{images, b.Input, b.Norm, b.QKV, b.Probabilities, b.Attended, b.Tokens}
		out := Gradient(score, nodes...)
		for i, g := range out {
			out[i] = ReduceMax(Abs(Reshape(g, g.Shape().Dim(0), -1)), 1)
		}
		gradient := Gradient(score, images)[0]
		direction := Sign(gradient) // along which the score changes most
		along := ReduceAllSum(Mul(gradient, direction))
		at := func(by float64) *Node {
			moved := ForwardExplaining(scope, cfg, Add(images, MulScalar(direction, by)), Explaining{})
			return ReduceAllSum(Mul(moved.Logits, weights))
		}
		const step = 1e-3
		return append(out, along, DivScalar(Sub(at(step), at(-step)), 2*step))
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if slices.Contains(got.Arrays[i].Values, 0) {
			t.Errorf("the gradient with respect to %s is zero for a picture", name)
		}
	}
	along, differences := float64(got.Arrays[len(names)].Values[0]), float64(got.Arrays[len(names)+1].Values[0])
	if math.Abs(along-differences) > 2e-3*math.Abs(differences) {
		t.Errorf("the gradient along a direction is %g, central differences say %g", along, differences)
	}
}

// TestDropSameAsShorter: dropping all but the left half of the patches equals a model
// whose pictures have only that half, at its positions.
func TestDropSameAsShorter(t *testing.T) {
	for name, cfg := range explainedModels() {
		for _, b := range testBackends(t) {
			t.Run(name+"/"+b.Name(), func(t *testing.T) { dropIsShorter(t, b, cfg) })
		}
	}
}

func dropIsShorter(t *testing.T, b compute.Backend, cfg Config) {
	r := explainingRunner(t, b, cfg)
	shape := [4]int{2, 3, cfg.ImageSize[0], cfg.ImageSize[1]}
	keep := []int{1, 3, 4}
	drop := make([]bool, 2*cfg.Patches())
	for i := range drop {
		drop[i] = !slices.Contains(keep, i%cfg.Patches())
	}
	input, err := tensors.FromRaw(b, 0, shapes.Make(dtypes.Bool, 2, cfg.Patches()), dtypes.UnsafeByteSliceFromAny(drop))
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Program("drop", pictures(shape), shape, func(scope *model.Scope, cfg Config, images *Node, more []*Node) []*Node {
		dropped := ForwardExplaining(scope, cfg, images, Explaining{Drop: more[0]}).Logits
		// The same without those tokens.
		m := newModule(scope, cfg, images, nn.Training{})
		x := m.embed(m.patchesOfPictures(images))
		parts := []*Node{}
		if cfg.Prefix() > 0 {
			parts = append(parts, span(x, 0, cfg.Prefix()))
		}
		for _, k := range keep {
			parts = append(parts, span(x, cfg.Prefix()+k, cfg.Prefix()+k+1))
		}
		x = Concatenate(parts, 1)
		for i := range cfg.Depth {
			x = m.in("block_%d", i).explained(x, i, nil, false).Tokens
		}
		m.cfg.ImageSize = [2]int{cfg.PatchSize[0], len(keep) * cfg.PatchSize[1]}
		x = m.finalNorm(x)
		return []*Node{dropped, m.head(m.pool(x), x)}
	}, input)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "logits", got.Arrays[0].Values, got.Arrays[1].Values, 1e-5)
}

// within compares with a tolerance relative to the greatest value.
func within(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, not %d", what, len(got), len(want))
	}
	top, worst := 0.0, 0.0
	for i := range want {
		top, worst = max(top, math.Abs(float64(want[i]))), max(worst, math.Abs(float64(got[i]-want[i])))
	}
	if !(worst <= tolerance*top) {
		t.Errorf("%s: off by %g of at most %g", what, worst, top)
	}
}

// TestProgramRefuses what can't be differentiated.
func TestProgramRefuses(t *testing.T) {
	m, err := New(smallConfig(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	r := &Runner{config: m.Config}
	r.how.BFloat16 = true
	if _, err := r.Program("x", make([]float32, 3*12*12), [4]int{1, 3, 12, 12}, nil); err == nil {
		t.Error("a program in bfloat16")
	}
	if _, err := r.Program("x", nil, [4]int{1, 3, 12, 12}, nil); err == nil {
		t.Error("a program on no pictures")
	}
}
