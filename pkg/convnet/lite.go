package convnet

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Lite describes an EfficientNet-Lite: a convolution of stride 2, stages of inverted
// residual blocks, and a 1×1 convolution. It is EfficientNet (Tan and Le, "EfficientNet:
// Rethinking Model Scaling for Convolutional Neural Networks", 2019) without squeeze and
// excitation and with ReLU6, as in models/official/efficientnet/lite of Google's tpu
// repository.
//
// Batch norm always uses the statistics of the checkpoint, in training too; its weights
// and biases can be trained ([Frozen]).
type Lite struct {
	Stem   int         `json:"stem"` // channels of the first convolution, 3×3 of stride 2
	Stages []LiteStage `json:"stages"`
	Head   int         `json:"head,omitempty"` // channels of the last convolution, 1×1; 0: features end before it

	// OutputStride is the number of pixels from one cell to the next, 0: what the stages'
	// strides make, 32 in all published variants. With 16, the last stage that has a
	// stride keeps the grid's size, and later kernels are dilated, as in timm.
	OutputStride int `json:"output_stride,omitempty"`

	// SymmetricPadding pads as torch does, as timm's efficientnet_lite* do. Otherwise it
	// is TensorFlow's 'SAME' for the size of the picture at hand, as in
	// efficientnet-lite-pytorch without an image_size and in timm's tf_efficientnet_lite*.
	SymmetricPadding bool    `json:"symmetric_padding,omitempty"`
	NormEps          float64 `json:"norm_eps"` // of the batch norms
}

// LiteStage is a number of blocks after each other. The first may have a stride.
type LiteStage struct {
	Blocks   int `json:"blocks"`
	Channels int `json:"channels"`
	Kernel   int `json:"kernel"` // of the depthwise convolution: 3 or 5
	Stride   int `json:"stride"` // 1 or 2
	Expand   int `json:"expand"` // the factor from a block's channels to those of its depthwise convolution
}

// tfEps is what TensorFlow's batch norm adds to the variance in these networks.
const tfEps = 1e-3

// liteVariants are the published multipliers of width and depth, and the side of the
// pictures that each was trained on.
var liteVariants = []struct {
	width, depth float64
	side         int
}{{1, 1, 224}, {1, 1.1, 240}, {1.1, 1.2, 260}, {1.2, 1.4, 280}, {1.4, 1.8, 300}}

// liteStages are the stages of variant 0.
var liteStages = []LiteStage{
	{1, 16, 3, 1, 1}, {2, 24, 3, 2, 6}, {2, 40, 5, 2, 6}, {3, 80, 3, 2, 6}, {3, 112, 5, 1, 6}, {4, 192, 5, 2, 6}, {1, 320, 3, 1, 6},
}

// EfficientNetLiteOf is the published EfficientNet-Lite of a variant, 0 to 4, with its last
// convolution. For another variant the result isn't valid.
func EfficientNetLiteOf(variant int) Config {
	c := Config{Kind: EfficientNetLite, Lite: &Lite{}}
	if variant < 0 || variant >= len(liteVariants) {
		return c
	}
	v := liteVariants[variant]
	*c.Lite = Lite{Stem: 32, Head: 1280, NormEps: tfEps, Stages: slices.Clone(liteStages)}
	for i := range c.Lite.Stages {
		s := &c.Lite.Stages[i]
		s.Channels = roundChannels(float64(s.Channels) * v.width)
		if i > 0 && i < len(liteStages)-1 { // stem, first stage, last stage and head keep their depth
			s.Blocks = int(math.Ceil(float64(s.Blocks) * v.depth))
		}
	}
	return c
}

// roundChannels rounds to a multiple of 8, but not down by more than a tenth.
func roundChannels(n float64) int {
	rounded := max(8, int(n+4)/8*8)
	if float64(rounded) < 0.9*n {
		rounded += 8
	}
	return rounded
}

// WithoutHead is the configuration without the last 1×1 convolution.
func (c Config) WithoutHead() Config {
	if c.Lite != nil {
		l := *c.Lite
		l.Head = 0
		c.Lite = &l
	}
	return c
}

// WithOutputStride is the configuration with another distance between cells: 16 for a grid
// twice as fine in each direction, of the same weights. Whether the network can have it is
// told by [Config.Check].
func (c Config) WithOutputStride(stride int) Config {
	if c.Lite != nil {
		l := *c.Lite
		l.OutputStride = stride
		c.Lite = &l
	}
	return c
}

// Bounds far beyond any model's. They keep a damaged configuration from asking for all
// the memory before the weights are read.
const (
	maxLiteStages   = 32
	maxLiteBlocks   = 1000
	maxLiteChannels = 1 << 16
)

func (l *Lite) check() error {
	if l.Stem < 1 || l.Stem > maxLiteChannels || l.Head < 0 || l.Head > maxLiteChannels {
		return fmt.Errorf("an EfficientNet-Lite of %d channels at its start and %d at its end: they must be at least 1 and 0, and at most %d", l.Stem, l.Head, maxLiteChannels)
	}
	if len(l.Stages) < 1 || len(l.Stages) > maxLiteStages {
		return fmt.Errorf("an EfficientNet-Lite of %d stages: 1 to %d are possible", len(l.Stages), maxLiteStages)
	}
	for i, s := range l.Stages {
		switch {
		case s.Blocks < 1 || s.Blocks > maxLiteBlocks || s.Channels < 1 || s.Channels > maxLiteChannels:
			return fmt.Errorf("stage %d has %d blocks of %d channels: at least one of each, at most %d and %d", i, s.Blocks, s.Channels, maxLiteBlocks, maxLiteChannels)
		case s.Kernel < 1 || s.Kernel > 15 || s.Kernel%2 == 0:
			return fmt.Errorf("stage %d has kernels of %d×%d: sizes are odd and at most 15", i, s.Kernel, s.Kernel)
		case s.Stride != 1 && s.Stride != 2:
			return fmt.Errorf("stage %d has stride %d: it is 1 or 2", i, s.Stride)
		case s.Expand < 1 || s.Expand > 16:
			return fmt.Errorf("stage %d expands %d times: 1 to 16 are possible", i, s.Expand)
		}
	}
	if !(l.NormEps > 0) || l.NormEps > 1 {
		return fmt.Errorf("the batch norms add %g to the variance: it must be above 0 and at most 1", l.NormEps)
	}
	return l.checkStride()
}

func (l *Lite) checkStride() error {
	switch full := l.fullStride(); {
	case l.OutputStride == 0 || l.OutputStride == full:
	case l.OutputStride < 2 || full%l.OutputStride != 0 || full/l.OutputStride > 4:
		return fmt.Errorf("output stride %d: the stages make %d, which can be halved once or twice", l.OutputStride, full)
	}
	if l.fullStride() > 1<<10 {
		return errors.New("the stages' strides leave one cell of more than 1024 pixels")
	}
	return nil
}

// fullStride is the number of pixels between cells that the strides make.
func (l *Lite) fullStride() int {
	stride := 2
	for _, s := range l.Stages {
		if stride > 1<<20 {
			break
		}
		stride *= s.Stride
	}
	return stride
}

func (l *Lite) stride() int {
	if l.OutputStride != 0 {
		return l.OutputStride
	}
	return l.fullStride()
}

func (l *Lite) channels() int {
	if l.Head > 0 {
		return l.Head
	}
	return l.Stages[len(l.Stages)-1].Channels
}

// liteBlock is one block as the graph computes it.
type liteBlock struct {
	stage, index     int
	in, inner, out   int // channels
	expands          bool
	kernel           int
	stride, dilation int
}

// residual says whether the block's input is added to its output.
func (b liteBlock) residual() bool { return b.stride == 1 && b.in == b.out }

// blocks lists all blocks in order. A stride that would make cells larger than the output
// stride is replaced by dilation in the blocks after it.
func (l *Lite) blocks() []liteBlock {
	var list []liteBlock
	in, stride, dilation := l.Stem, 2, 1
	for i, s := range l.Stages {
		for j := range s.Blocks {
			b := liteBlock{stage: i, index: j, in: in, inner: in * s.Expand, out: s.Channels, expands: s.Expand > 1, kernel: s.Kernel, stride: 1, dilation: dilation}
			if j == 0 && s.Stride > 1 {
				if stride*s.Stride > l.stride() {
					dilation *= s.Stride
				} else {
					b.stride = s.Stride
					stride *= s.Stride
				}
			}
			list = append(list, b)
			in = s.Channels
		}
	}
	return list
}
