// Package vit is the Vision Transformer of Dosovitskiy et al., "An Image is Worth 16x16
// Words" (2020), with the variations of later models: DeiT's distillation token, DINOv2's
// LayerScale, gated MLP and register tokens, timm's variants of pooling and normalisation.
//
// It knows the architecture ([Config]), its forward pass ([Forward], which returns every
// intermediate by name), the layouts of checkpoints ([Layout], found by [Load] from the
// tensors' names and shapes) and how pictures are prepared for a checkpoint; a [Runner]
// runs it. Layers, kernels and the storage of parameters are package nn's. What
// attention or logits mean, and how weights are trained, is for packages explain,
// evaluate and train.
//
// Shapes are written [batch, tokens, dim]. The order of tokens is the class token, the
// distillation token and the registers, as far as the model has them, then the patches row
// by row.
package vit

import (
	"fmt"
	"math"

	"gaze/pkg/convnet"
)

// Activation is the non-linearity of a block's MLP.
type Activation uint8

const (
	GELU      Activation = iota // exact, with erf
	GELUTanh                    // the tanh approximation, which JAX calls gelu
	QuickGELU                   // x·sigmoid(1.702x), of CLIP
	SwiGLU                      // silu(first half of fc1)·second half, of DINOv2 giant
)

var activationNames = [...]string{"gelu", "gelu_tanh", "quick_gelu", "swiglu"}

func (a Activation) String() string { return enumName(activationNames[:], int(a)) }

// Pool says which tokens the head reads after the last block.
type Pool uint8

const (
	PoolClass     Pool = iota // the class token
	PoolMean                  // the mean of the patches
	PoolClassMean             // the class token and the mean of the patches, concatenated (DINOv2)
	PoolClassDist             // the mean of the logits of two heads, over the class and the distillation token (DeiT)
)

var poolNames = [...]string{"class", "mean", "class+mean", "class+distillation"}

func (p Pool) String() string { return enumName(poolNames[:], int(p)) }

// Positions says which tokens have a position embedding; patches always do.
type Positions uint8

const (
	PositionsClass   Positions = iota // class, distillation token and patches, not the registers (DINOv2)
	PositionsAll                      // every token, registers too
	PositionsPatches                  // patches only (timm's no_embed_class)
)

var positionsNames = [...]string{"class", "all", "patches"}

func (p Positions) String() string { return enumName(positionsNames[:], int(p)) }

// PreLogits says where the tanh layer before the head is, if there is one.
type PreLogits uint8

const (
	NoPreLogits    PreLogits = iota
	PreLogitsToken           // on the pooled token, after the last norm (google-research)
	PreLogitsAll             // on all tokens, before the last norm (lukemelas)
)

var preLogitsNames = [...]string{"none", "after the norm", "before the norm"}

func (p PreLogits) String() string { return enumName(preLogitsNames[:], int(p)) }

func enumName(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

// Config is the architecture: everything [Forward] needs besides the weights.
type Config struct {
	ImageSize [2]int // height and width of the pictures, in pixels
	PatchSize [2]int // height and width of a patch, the pixels from one token to the next; they divide ImageSize
	Channels  int    // of the pictures: 3, or 1 for grey ones

	Dim, Depth, Heads int // width of a token, number of blocks, heads of each
	MLPDim            int // width inside the MLP; with SwiGLU, after the gate
	Classes           int // 0: no head

	ClassToken bool // false only in some models with PoolMean
	DistToken  bool // DeiT's distillation token
	Registers  int  // register tokens (Darcet et al. 2023)
	Positions  Positions

	NormEps    float64 // epsilon of every LayerNorm
	Activation Activation
	QKVBias    bool
	PatchBias  bool // bias of the patch embedding
	LayerScale bool // a learned factor per channel on each residual branch

	PreNorm   bool // a LayerNorm between the embeddings and the first block
	FinalNorm bool // a LayerNorm after the last block
	PoolNorm  bool // a LayerNorm on the pooled token (timm's fc_norm)

	Pool           Pool
	PreLogits      PreLogits
	Representation int // width of the pre-logits; 0 without them

	// Stem is the convolutional network of a hybrid, from whose feature map the patches are
	// cut; nil: they are cut from the picture. PatchSize is then a multiple of its stride.
	Stem *convnet.Config `json:",omitempty"`
}

// Grid is the number of patches: rows and columns.
func (c Config) Grid() [2]int {
	return [2]int{c.ImageSize[0] / c.PatchSize[0], c.ImageSize[1] / c.PatchSize[1]}
}

// Patches is the number of patches, rows times columns.
func (c Config) Patches() int { g := c.Grid(); return g[0] * g[1] }

// Prefix is the number of tokens before the first patch: class token,
// distillation token and registers.
func (c Config) Prefix() int {
	n := c.Registers
	if c.ClassToken {
		n++
	}
	if c.DistToken {
		n++
	}
	return n
}

// Tokens is the number of all tokens, Prefix()+Patches().
func (c Config) Tokens() int { return c.Prefix() + c.Patches() }

// positionPrefix is the number of position embeddings before the patches'.
func (c Config) positionPrefix() int {
	switch c.Positions {
	case PositionsAll:
		return c.Prefix()
	case PositionsPatches:
		return 0
	}
	return c.Prefix() - c.Registers
}

// headInput is the width of the head's input.
func (c Config) headInput() int {
	dim := c.Dim
	if c.PreLogits != NoPreLogits {
		dim = c.Representation
	}
	if c.Pool == PoolClassMean {
		dim *= 2
	}
	return dim
}

// WithImageSize returns the configuration for pictures of another size, which
// the patches must tile.
func (c Config) WithImageSize(height, width int) (Config, error) {
	c.ImageSize = [2]int{height, width}
	return c, c.checkImageSize()
}

func (c Config) checkImageSize() error {
	for i, what := range []string{"height", "width"} {
		size, patch := c.ImageSize[i], c.PatchSize[i]
		if patch <= 0 {
			return fmt.Errorf("patch %s %d isn't positive", what, patch)
		}
		if size <= 0 || size%patch != 0 {
			near := max(patch, size-size%patch)
			return fmt.Errorf("pictures of %s %d can't be cut into patches of %d pixels: use %d or %d", what, size, patch, near, near+patch)
		}
	}
	return nil
}

// Validate returns an error that says what makes the configuration impossible.
func (c Config) Validate() error {
	if err := c.checkImageSize(); err != nil {
		return err
	}
	if err := c.validateStem(); err != nil {
		return err
	}
	positive := []struct {
		name  string
		value int
	}{{"Channels", c.Channels}, {"Dim", c.Dim}, {"Depth", c.Depth}, {"Heads", c.Heads}, {"MLPDim", c.MLPDim}}
	for _, p := range positive {
		if p.value <= 0 {
			return fmt.Errorf("%s is %d, must be positive", p.name, p.value)
		}
	}
	switch {
	case c.Dim%c.Heads != 0:
		return fmt.Errorf("%d heads don't divide the width %d", c.Heads, c.Dim)
	case c.Classes < 0 || c.Registers < 0:
		return fmt.Errorf("%d classes and %d registers: neither can be negative", c.Classes, c.Registers)
	case !(c.NormEps >= 0) || math.IsInf(c.NormEps, 0): // NaN too
		return fmt.Errorf("the LayerNorm epsilon is %g: it must be a small positive number", c.NormEps)
	case !c.ClassToken && c.Pool != PoolMean:
		return fmt.Errorf("pooling %q needs a class token", c.Pool)
	case !c.DistToken && c.Pool == PoolClassDist:
		return fmt.Errorf("pooling %q needs a distillation token", c.Pool)
	case (c.PreLogits != NoPreLogits) != (c.Representation > 0):
		return fmt.Errorf("pre-logits %q of width %d", c.PreLogits, c.Representation)
	}
	return nil
}
