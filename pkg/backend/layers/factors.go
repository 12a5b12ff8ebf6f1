package layers

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// factors says how the factors of products are rounded.
type factors struct{ bfloat16 bool }

// product is that of a and b over an axis of each, for each element of their batch axes.
// It has no accumulator's dtype: half precision would get float32's, which backends add
// up in unasked, but whose gradients are then of float32 factors.
func (f factors) product(a, b *Node, batch []int, over, with int) *Node {
	full := a.DType()
	if f.bfloat16 {
		a, b = ConvertDType(a, dtypes.BFloat16), ConvertDType(b, dtypes.BFloat16)
	}
	product := Dot(a, b).WithAccumulatorDType(dtypes.InvalidDType).General([]int{over}, batch, []int{with}, batch)
	return ConvertDType(product, full)
}
