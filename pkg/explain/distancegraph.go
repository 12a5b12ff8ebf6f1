package explain

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/vit"
)

// geometryProgram measures every layer's attention, [layers, 4, heads].
func geometryProgram(scope *model.Scope, cfg vit.Config, images *Node, more []*Node) []*Node {
	var layers []*Node
	for _, b := range vit.Forward(scope, cfg, images).Blocks {
		class := 0
		if cfg.ClassToken {
			class = 1
		}
		layers = append(layers, measured(b.Attention.Probabilities(), class, cfg.Prefix(), more[0]))
	}
	return []*Node{Stack(layers, 0)}
}

// measured is one layer's distances, entropies and shares on class and other tokens, [4,
// heads], from its probabilities, [1, heads, tokens, tokens]. The first prefix tokens
// aren't patches, the first class of these are the class token; places is [patches, 2].
func measured(a *Node, class, prefix int, places *Node) *Node {
	patches := AxisRangeToEnd(prefix)
	a = Squeeze(SliceAxis(a, 2, patches), 0) // [heads, patches, tokens]
	keys := func(from, to int) *Node {
		if from == to {
			return ZerosLike(Squeeze(SliceAxis(a, 2, AxisElem(0)), 2))
		}
		return ReduceSum(SliceAxis(a, 2, AxisRange(from, to)), 2)
	}
	onClass, onOthers := keys(0, class), keys(class, prefix)
	a = SliceAxis(a, 2, patches)

	// Where a query gives the patches nothing but rounding, it looks nowhere: its distance
	// and entropy are 0.
	mass := ReduceAndKeep(a, ReduceSum, 2)
	a = Div(a, MaxScalar(mass, 1e-20))
	apart := func(axis int) *Node { // [patches, patches]
		x := SliceAxis(places, 1, AxisElem(axis))
		return Square(Sub(x, Transpose(x, 0, 1)))
	}
	far := Sqrt(Add(apart(0), apart(1)))
	distance := ReduceSum(Mul(a, ExpandAxes(far, 0)), 2)
	bits := MulScalar(Mul(a, Log(MaxScalar(a, 1e-30))), -1/math.Ln2)
	var means []*Node
	for _, x := range []*Node{distance, ReduceSum(bits, 2), onClass, onOthers} {
		means = append(means, ReduceMean(x, 1))
	}
	return Stack(means, 0)
}
