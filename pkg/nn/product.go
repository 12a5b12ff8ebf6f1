package nn

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/backend"
)

// precision says whether products are rounded to bfloat16.
type precision struct{ bfloat16 bool }

// product multiplies a and b, contracting one axis of each (over and with) for each
// element of their batch axes. With bfloat16, factors and results are rounded to bfloat16
// and sums are float32, in the gradients' products too.
func (p precision) product(a, b *Node, batch []int, over, with int) *Node {
	full, multiplied := a.DType(), a.DType()
	if p.bfloat16 {
		a, b = ConvertDType(a, dtypes.BFloat16), ConvertDType(b, dtypes.BFloat16)
		multiplied = dtypes.BFloat16
		if !backend.MultipliesHalf(a.Graph().Backend()) {
			// The product of two bfloat16s is exact in float32. Converting back and
			// forth also rounds the factors of the gradients, since the gradient of a
			// conversion is the reverse conversion.
			a, b = ConvertDType(a, dtypes.Float32), ConvertDType(b, dtypes.Float32)
		}
	}
	// No dtype is given for the accumulator: backends use float32 for half precision
	// anyway, and naming it would make the factors of the gradients float32, too.
	product := Dot(a, b).WithAccumulatorDType(dtypes.InvalidDType).General([]int{over}, batch, []int{with}, batch)
	return ConvertDType(ConvertDType(product, multiplied), full)
}
