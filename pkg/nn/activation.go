package nn

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/internal/xla/kernels"
)

// Activation is a function that is applied to each element.
type Activation int64

// The kernels know all but the last.
const (
	NoActivation Activation = kernels.ActivationNone
	GELU         Activation = kernels.ActivationGELU          // x·Φ(x) with the normal distribution's Φ, torch's GELU
	GELUTanh     Activation = kernels.ActivationGELUTanh      // GELU, approximated by tanh
	QuickGELU    Activation = kernels.ActivationQuickGELU     // x·sigmoid(1.702x), CLIP's
	ReLU         Activation = kernels.ActivationQuickGELU + 1 // max(x, 0)
)

// Apply applies the function.
func (a Activation) Apply(x *Node) *Node {
	switch a {
	case NoActivation:
		return x
	case GELU:
		return activation.Gelu(x)
	case GELUTanh:
		return activation.GeluApproximate(x)
	case QuickGELU:
		return Mul(x, Sigmoid(MulScalar(x, 1.702)))
	case ReLU:
		return MaxScalar(x, 0)
	}
	exceptions.Panicf("nn: there is no activation %d", a)
	return nil
}

// inKernel says whether the kernels can apply the function.
func (a Activation) inKernel() bool { return a <= QuickGELU }
