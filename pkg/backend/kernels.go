package backend

import (
	"strings"

	"github.com/gomlx/compute"

	"gaze/internal/environ"
	"gaze/internal/xla/kernels"
)

// Kernels says whether a backend's programs run Gaze's own kernels for products of float32
// matrices, convolutions, attention and layer norm. That is so for XLA on the CPU, opened by this
// package, on Linux and a processor with AVX2 or NEON, unless $GAZE_KERNELS is off. Package nn
// builds graphs that use them; docs/kernels.md describes them.
func Kernels(b compute.Backend) bool {
	x, ok := b.(interface{ PluginName() string })
	return ok && haveKernels(x.PluginName())
}

// KernelChoice says what computes XLA's programs on the CPU.
type KernelChoice struct {
	// Set is the name of the instruction set whose kernels of Gaze's compute linear layers,
	// convolutions, attention and norms; "" if XLA computes those, too.
	Set string `json:"set"`
	// Why says, in a clause, why it is that one, or why there is none.
	Why string `json:"why"`
	// Tiles says whether the products of matrices in those kernels run on AMX tiles.
	Tiles bool `json:"tiles"`
}

// kernelChoice is the choice for a backend that is in use; nil if that isn't XLA on the CPU.
func kernelChoice(c Candidate, b compute.Backend) *KernelChoice {
	if name, _, _ := strings.Cut(c.Spec, ":"); !isXLA(name) || isCUDA(c.Spec) || isCUDA(c.Path) {
		return nil
	}
	set, why := KernelSet()
	if set != "" && !Kernels(b) {
		return &KernelChoice{Why: "the plugin doesn't take them: its interface for custom calls is none that they know"}
	}
	if environ.Get(kernels.EnvTiles) != "" && set != "" && !Tiles() {
		why += ", and $" + kernels.EnvTiles + " is " + environ.Get(kernels.EnvTiles)
	}
	return &KernelChoice{Set: set, Why: why, Tiles: set != "" && Tiles()}
}

// KernelSet is the name of the instruction set whose kernels XLA's programs on the CPU run, ""
// if they run none, and a clause that says why.
func KernelSet() (set, why string) { return kernels.Set(), kernels.Why() }

// Tiles says whether the kernels multiply float32 matrices on AMX tiles, each number as the
// exact sum of three bfloat16s and with sums in float32. They do if the processor has AMX
// (Intel Xeons since Sapphire Rapids) and $GAZE_TILES isn't off. Results then differ from
// those of other processors in their last bits, as they do between plugins.
func Tiles() bool { return kernels.Tiles() }

// Share says that the caller is going to run programs side by side with others who say so, too,
// such as several trainings in one process, until it calls done. From two on, Gaze's kernels
// divide the processors among the programs, at least one for each: threads of different programs
// then don't wait for each other. It changes no result.
func Share() (done func()) { return kernels.Share() }

// MultipliesHalf says whether a backend's products in half precision are correct. XLA's are.
// Those of GoMLX's Go backend aren't on processors with AVX2 but without AVX-512, where its
// code leaves out terms of products of bfloat16 and float16 (see docs/backends.md). On other
// backends than XLA, package nn rounds factors to bfloat16 and multiplies in float32.
func MultipliesHalf(b compute.Backend) bool {
	_, xla := b.(interface{ PluginName() string })
	return xla
}

// PacksWeights says whether a linear layer's weights [out, in] can be packed once by
// [PackWeights] instead of in each run. Packed weights take no more memory, but only package
// nn's Linear with Packed can read them.
func PacksWeights(b compute.Backend, out, in int) bool { return Kernels(b) && kernels.Packs(out, in) }

// PackedRows is the number of rows of weights [out, in] that [PackWeights] has packed: a few
// more than out.
func PackedRows(out int) int { return kernels.PackedRows(out) }

// PackWeights packs weights [out, in] into dst, [PackedRows(out), in].
func PackWeights(dst, weights []float32, out, in int) { kernels.Pack(dst, weights, out, in) }
