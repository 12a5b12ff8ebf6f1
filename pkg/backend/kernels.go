package backend

import (
	"github.com/gomlx/compute"

	"gaze/pkg/backend/internal/kernels"
)

// Kernels says whether a backend's programs run Gaze's own kernels: products of float32
// matrices, attention and layer normalisation with vectors of 512 bits. It is so for XLA
// on the CPU, on Linux, where the processor has them (AVX-512), unless $GAZE_KERNELS is
// "off", for backends that this package opened. package nn builds graphs that use them.
func Kernels(b compute.Backend) bool {
	x, ok := b.(interface{ PluginName() string })
	return ok && haveKernels(x.PluginName())
}

// Tiles says whether kernels multiply float32 matrices on AMX tiles here: each number as
// the exact sum of three bfloat16s, added up in float32. They do where the processor has
// them (Intel's Xeons since Sapphire Rapids) unless $GAZE_TILES is "off". Results then
// differ from those of other processors in their last bits, as they do between plugins.
func Tiles() bool { return kernels.Tiles() }

// MultipliesHalf says whether a backend's products of half-precision numbers can be relied
// on: XLA's can. Those of GoMLX's Go backend can't: its vector code for AVX2, used where
// there is no AVX-512, leaves out terms of products of bfloat16 and float16 (see
// docs/backends.md). Package nn converts factors to float32 on other backends than
// XLA, after it has rounded them.
func MultipliesHalf(b compute.Backend) bool {
	_, xla := b.(interface{ PluginName() string })
	return xla
}

// PacksWeights says whether a linear layer's weights [out, in] may be given to a backend
// packed, by [PackWeights], if nothing but package nn's Linear with Packed reads them.
// They take as much memory so, and products needn't pack them in each run.
func PacksWeights(b compute.Backend, out, in int) bool { return Kernels(b) && kernels.Packs(out, in) }

// PackWeights writes weights [out, in] to dst, which has their number, packed.
func PackWeights(dst, weights []float32, out, in int) { kernels.Pack(dst, weights, out, in) }

// KernelFunction is the name of a function that stands for a kernel in a program; see
// package nn, which alone needs it.
func KernelFunction(kernel string, numbers []int64, id int) string {
	return kernels.Function(kernel, numbers, id)
}
