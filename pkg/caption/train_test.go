package caption

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// TestGradients compares the gradients of a caption's cross entropy with differences of
// fourth order along two directions of each parameter, through every kind of layer, several
// captions for one picture.
func TestGradients(t *testing.T) {
	cfg := readConfig(t, "patch")
	var first [][]float32 // the first backend's gradients
	for _, b := range testBackends(t) {
		m := drawnModel(t, cfg)
		n, err := newNetwork(b, m, false)
		if err != nil {
			t.Fatal(err)
		}
		images := must(input(n, stream("picture", 3*24*20), 1, 3, 24, 20))
		tokens := must(input(n, []int32{1, 7, 9, 2, 0, 1, 5, 8, 8, 2}, 2, 5))
		loss := func(scope *model.Scope, images, tokens *Node) *Node {
			logits := Decode(scope, cfg, Encode(scope, cfg, images, nil), tokens, nil).Logits
			read := Slice(LogSoftmax(logits, -1), AxisRange(), AxisRange(0, 4))
			next := Slice(tokens, AxisRange(), AxisRange(1, 5))
			picked := ReduceSum(Mul(read, OneHot(next, cfg.Vocab, dtypes.Float32)), -1)
			counts := ConvertDType(NotEqual(next, Scalar(next.Graph(), dtypes.Int32, 0)), dtypes.Float32)
			return Neg(ReduceAllSum(Mul(picked, counts)))
		}
		names := []string{
			"backbone/stage_0/conv/weight", "backbone/stage_1/conv/weight", "backbone/stage_1/block_1/conv1/weight", "backbone/norm/weight",
			"project/weight", "encoder_0/self/in/weight", "positions", "words", "decoder_0/cross/in/weight", "decoder_1/self/out/weight", "head_0/bias",
		}
		gradients, err := run(n, "gradients", func(scope *model.Scope, images, tokens *Node) []*Node {
			value := loss(scope, images, tokens)
			var at []*Node
			for _, name := range names {
				at = append(at, n.store.GetVariable("/"+name).NodeValue(value))
			}
			return Gradient(value, at...)
		}, images, tokens)
		if err != nil {
			t.Fatal(err)
		}
		got := make([][]float32, len(names))
		for i, g := range gradients {
			got[i] = flat(t, g)
		}
		if first == nil {
			first = got
		} else { // the losses below would be compiled anew
			for i, name := range names {
				if d := apart(got[i], first[i]); !(d <= 1e-4) {
					t.Errorf("%s: the gradient of %s is off from the first backend's by %.2g of its norm", b.Name(), name, d)
				}
			}
			n.close()
			continue
		}
		lossWith := func(name string, values []float32) float64 {
			v := n.store.GetVariable("/" + name)
			if err := v.SetValue(tensors.FromFlatDataAndDimensions(values, v.Shape().Dimensions...)); err != nil {
				t.Fatal(err)
			}
			out, err := run(n, "loss", func(scope *model.Scope, images, tokens *Node) []*Node { return []*Node{loss(scope, images, tokens)} }, images, tokens)
			if err != nil {
				t.Fatal(err)
			}
			return float64(flat(t, out[0])[0])
		}
		for i, name := range names {
			values, _, _ := m.Parameter(name)
			// Differences are rounded like the loss and cross kinks of ReLUs: they were off by
			// at most 8e-4 of the gradient's norm.
			norm := apart(got[i], make([]float32, len(got[i])))
			for k, u := range directions(got[i]) {
				const h = 1e-3
				at := func(step float64) float64 {
					moved := slices.Clone(values)
					for j := range moved {
						moved[j] += float32(step * h * u[j])
					}
					return lossWith(name, moved)
				}
				want := (8*(at(1)-at(-1)) - (at(2) - at(-2))) / (12 * h)
				slope := 0.0
				for j, v := range got[i] {
					slope += float64(v) * u[j]
				}
				if !(math.Abs(slope-want) <= 2e-3*norm) {
					t.Errorf("%s, direction %d: slope %g, by difference %g, where the gradient's norm is %g", name, k, slope, want, norm)
				}
			}
			lossWith(name, values)
		}
		n.close()
	}
}

// apart is the norm of the difference between two gradients, relative to that of the
// second unless it is zero.
func apart(got, want []float32) float64 {
	difference, size := 0.0, 0.0
	for i, v := range got {
		difference += math.Pow(float64(v)-float64(want[i]), 2)
		size += float64(want[i]) * float64(want[i])
	}
	if size == 0 {
		return math.Sqrt(difference)
	}
	return math.Sqrt(difference / size)
}

// directions are two unit vectors: along a gradient, and at random, where elements with
// small gradients weigh as much as those with large ones.
func directions(gradient []float32) [2][]float64 {
	var all [2][]float64
	r := rand.New(rand.NewPCG(1, uint64(len(gradient))))
	for k := range all {
		u, sum := make([]float64, len(gradient)), 0.0
		for j, v := range gradient {
			if u[j] = float64(v); k == 1 {
				u[j] = r.NormFloat64()
			}
			sum += u[j] * u[j]
		}
		for j := range u {
			u[j] /= math.Sqrt(sum)
		}
		all[k] = u
	}
	return all
}

// TestFrozen checks which parameters of a ResNet training leaves alone.
func TestFrozen(t *testing.T) {
	var frozen []string
	cfg := readConfig(t, "resnet18")
	for _, p := range cfg.Parameters() {
		if Frozen(p.Name) {
			frozen = append(frozen, p.Name)
		}
	}
	if len(frozen) != 20*4 || !slices.Contains(frozen, "backbone/layer2/block_0/down/bn/mean") || slices.Contains(frozen, "backbone/conv1/weight") {
		t.Errorf("frozen are %d: %v", len(frozen), frozen)
	}
	for _, p := range Small(20).Parameters() {
		if Frozen(p.Name) {
			t.Errorf("%s of a patch network is frozen", p.Name)
		}
	}
}
