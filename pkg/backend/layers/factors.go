package layers

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/backend"
)

// factors says how the factors of products are rounded.
type factors struct{ bfloat16 bool }

// product multiplies a and b over one axis of each, for each element of their batch axes.
// With bfloat16, factors and products are rounded to that and sums are made in float32,
// and the same holds for the gradients' products.
func (f factors) product(a, b *Node, batch []int, over, with int) *Node {
	full, multiplied := a.DType(), a.DType()
	if f.bfloat16 {
		a, b = ConvertDType(a, dtypes.BFloat16), ConvertDType(b, dtypes.BFloat16)
		multiplied = dtypes.BFloat16
		if !backend.MultipliesHalf(a.Graph().Backend()) {
			// The product of two bfloat16s is exact in float32. Converting back and
			// forth also rounds what the gradients multiply: a conversion's gradient
			// is the reverse conversion.
			a, b = ConvertDType(a, dtypes.Float32), ConvertDType(b, dtypes.Float32)
		}
	}
	// No accumulator's dtype is given: for half precision it would be float32's, which
	// backends use anyway, but then the gradients' factors would be float32, too.
	product := Dot(a, b).WithAccumulatorDType(dtypes.InvalidDType).General([]int{over}, batch, []int{with}, batch)
	return ConvertDType(ConvertDType(product, multiplied), full)
}
