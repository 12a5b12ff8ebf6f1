package caption

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// TestGradients compares the gradients of a caption's cross entropy with finite
// differences, through every kind of layer, several captions for one picture.
func TestGradients(t *testing.T) {
	cfg := readConfig(t, "patch")
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
		n.close()
		if b != testBackends(t)[0] {
			continue // the rest would compile anew for every difference
		}
		for i, name := range names {
			at := 0 // the greatest gradient is told best from the noise of float32
			for j, v := range got[i] {
				if math.Abs(float64(v)) > math.Abs(float64(got[i][at])) {
					at = j
				}
			}
			const h = 1e-2
			var values [2]float64
			for side := range 2 {
				moved := drawnModel(t, cfg)
				data, _, _ := moved.Parameter(name)
				data[at] += h * float32(2*side-1)
				mn, err := newNetwork(b, moved, false)
				if err != nil {
					t.Fatal(err)
				}
				out, err := run(mn, "loss", func(scope *model.Scope, images, tokens *Node) []*Node { return []*Node{loss(scope, images, tokens)} }, images, tokens)
				if err != nil {
					t.Fatal(err)
				}
				values[side] = float64(flat(t, out[0])[0])
				mn.close()
			}
			want := (values[1] - values[0]) / (2 * h)
			if math.Abs(float64(got[i][at])-want) > 0.03*math.Abs(want)+1e-2 {
				t.Errorf("%s[%d]: gradient %g, by difference %g", name, at, got[i][at], want)
			}
		}
	}
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
