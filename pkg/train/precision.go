package train

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// Precision is what the products of matrices of a training step are computed in.
// Everything else, above all the weights, what the optimiser keeps and what is
// saved, is float32 in any case, and so are validation and [Trainer.Logits].
type Precision uint8

const (
	// Float32 computes all in float32.
	Float32 Precision = iota
	// BFloat16 rounds the factors of the products, and the products, to bfloat16:
	// eight bits of each number instead of 24, of the same range, so that losses need
	// no scaling. It is torch.autocast(dtype=torch.bfloat16). Cards with bfloat16
	// units are faster by it; XLA's CPU backend is slower.
	BFloat16
)

// String is the name that [ParseSettings] knows.
func (p Precision) String() string {
	switch p {
	case Float32:
		return "float32"
	case BFloat16:
		return "bfloat16"
	}
	return fmt.Sprintf("Precision(%d)", uint8(p))
}

// check is an error if a backend can't compute so.
func (p Precision) check(backend compute.Backend) error {
	switch {
	case p > BFloat16:
		return fmt.Errorf("there is no %s", p)
	case p == BFloat16 && !backend.Capabilities().DTypes[dtypes.BFloat16]:
		return fmt.Errorf("%s has no bfloat16: train in float32", backend.Description())
	}
	return nil
}
