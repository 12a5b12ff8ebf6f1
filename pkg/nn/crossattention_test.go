package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gaze/pkg/backend"
)

// TestMasks compares self-attention in which some tokens are masked with the attention
// to the other tokens alone, and self-attention with cross-attention of the same queries,
// keys and values.
func TestMasks(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	const tokens, kept = 9, 6 // the last are masked
	exec, err := NewExec(b, func(qkv *Node) []*Node {
		g := qkv.Graph()
		mask := GreaterOrEqual(Iota(g, shapes.Make(dtypes.Int32, 2, tokens), 1), Scalar(g, dtypes.Int32, kept))
		all := Attention{QKV: qkv, Heads: 3}
		masked := Attention{QKV: qkv, Heads: 3, Mask: mask}
		alone := Attention{QKV: SliceAxis(qkv, 1, AxisRange(0, kept)), Heads: 3}
		cross, probabilities := CrossAttention{Query: all.part(0), Key: all.part(1), Value: all.part(2)}.Apply()
		both, _ := CrossAttention{
			Query: all.part(0), Key: all.part(1), Value: all.part(2),
			Masks: []*Node{Reshape(mask, 2, 1, 1, tokens), LogicalNot(Reshape(LowerTriangular(g, tokens), 1, 1, tokens, tokens))},
		}.Apply()
		return []*Node{
			Sub(SliceAxis(masked.Output(), 1, AxisRange(0, kept)), alone.Output()),
			SliceAxis(masked.Probabilities(), 3, AxisRange(kept, tokens)),
			Sub(MergeHeads(cross), all.Output()),
			Sub(probabilities, all.Probabilities()),
			// The last query that is kept attends to all tokens that are kept, and to no other.
			Sub(SliceAxis(MergeHeads(both), 1, AxisRange(kept-1, kept)), SliceAxis(alone.Output(), 1, AxisRange(kept-1, kept))),
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	results, err := exec.Call(drawn(rand.New(rand.NewPCG(3, 4)), []int{2, tokens, 72}))
	if err != nil {
		t.Fatal(err)
	}
	for i, what := range []string{"masked output", "masked probabilities", "cross-attention's output", "its probabilities", "two masks"} {
		most := 2e-6
		if i == 1 {
			most = 0
		}
		for _, x := range tensors.MustCopyFlatData[float32](results[i]) {
			if !(math.Abs(float64(x)) <= most) {
				t.Errorf("%s: off by %g", what, x)
				break
			}
		}
	}
}

// TestMaskShape refuses a mask that isn't one of the tokens.
func TestMaskShape(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	exec, err := NewExec(b, func(qkv *Node) *Node {
		return Attention{QKV: qkv, Heads: 3, Mask: Const(qkv.Graph(), [][]bool{{true, false}})}.Output()
	})
	if err == nil {
		_, err = exec.Call(drawn(rand.New(rand.NewPCG(3, 4)), []int{1, 9, 72}))
	}
	if err == nil {
		t.Error("a mask of two tokens was taken for nine")
	}
}
