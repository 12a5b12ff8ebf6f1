package vit

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/nn"
)

// This file is the Vision Transformer of Dosovitskiy et al., "An Image Is Worth 16x16
// Words", 2021, from pictures to logits, with the variations of later models:
//
//	x = [class; patches·E] + positions    where a hybrid cuts the patches from the feature
//	                                      map of a convolutional network
//	x = x + Attention(Norm(x))    in each block,
//	x = x + MLP(Norm(x))          followed by this
//	logits = Head(Norm(x)[class])

// Intermediates is everything that a forward pass computes, by name. What the caller
// doesn't use, the compiler drops.
type Intermediates struct {
	// StemFeatures is a hybrid's feature map [batch, rows, columns, channels], from which
	// the patches are cut; nil for other models.
	StemFeatures *Node

	Embeddings *Node   // [batch, tokens, dim]: tokens with positions, the first block's input
	Blocks     []Block // one per block
	Norm       *Node   // [batch, tokens, dim]: after the last norm (the last block's tokens if there is none)
	PreLogits  *Node   // [batch, features]: the head's input: the pooled token, after any pre-logits layer
	Logits     *Node   // [batch, classes]; nil without a head
}

// Block is what one block computes.
type Block struct {
	// Attention has the probabilities of every query; each row sums to one. The block's
	// output doesn't need them, so they are computed only if they are asked for.
	Attention nn.Attention
	Tokens    *Node // [batch, tokens, dim]: the block's output
}

// Forward builds the graph of a Vision Transformer.
//
// images are pictures [batch, channels, height, width], normalised; height and width are
// cfg.ImageSize. The weights are variables in scope under the names of
// [Config.Parameters]; those that don't exist yet are made with the scope's initializer.
// It panics on a picture or a variable of another shape, as graph functions do.
func Forward(scope *model.Scope, cfg Config, images *Node) *Intermediates {
	return ForwardTraining(scope, cfg, images, nn.Training{})
}

// ForwardTraining is [Forward] for training. Outputs have the images' dtype.
func ForwardTraining(scope *model.Scope, cfg Config, images *Node, how nn.Training) *Intermediates {
	m := newModule(scope, cfg, images, how)
	m.checkImages(images)
	if cfg.Stem != nil {
		return m.fromFeatures(m.stem(images))
	}
	return m.blocks(m.patchesOfPictures(images))
}

// newModule is the whole model. like is a node of the graph and has the weights' dtype.
func newModule(scope *model.Scope, cfg Config, like *Node, how nn.Training) module {
	return module{Variables: nn.NewVariables(scope, like, cfg.NormEps, how), cfg: cfg}
}

// checkImages panics if pictures don't fit the model.
func (m module) checkImages(images *Node) {
	cfg := m.cfg
	if got, want := images.Shape(), shapes.Make(images.DType(), images.Shape().Dim(0), cfg.Channels, cfg.ImageSize[0], cfg.ImageSize[1]); !got.Equal(want) {
		exceptions.Panicf("vit.Forward: images have shape %s, the configuration wants %s", got, want)
	}
}

// ForwardFeatures is the part of a hybrid's forward pass after its stem: features are the
// stem's feature maps, [batch, rows, columns, channels] with the sizes of
// [Config.FeatureShape], as a forward pass returns them in [Intermediates.StemFeatures] and
// a [Runner] in [Outputs.StemFeatures]. The variables of the stem aren't read, so that the
// rest can be trained on features that were computed once. It panics on features of another
// shape and on a model without a stem.
func ForwardFeatures(scope *model.Scope, cfg Config, features *Node, how nn.Training) *Intermediates {
	if cfg.Stem == nil {
		exceptions.Panicf("vit.ForwardFeatures: the model has no stem: its patches are cut from the picture")
	}
	return newModule(scope, cfg, features, how).fromFeatures(features)
}

// fromFeatures is the forward pass from the stem's features on.
func (m module) fromFeatures(features *Node) *Intermediates {
	shape := m.cfg.FeatureShape()
	if got, want := features.Shape(), shapes.Make(features.DType(), features.Shape().Dim(0), shape[0], shape[1], shape[2]); !got.Equal(want) {
		exceptions.Panicf("vit.ForwardFeatures: features have shape %s, the configuration wants %s", got, want)
	}
	out := m.blocks(m.patchesOfFeatures(features))
	out.StemFeatures = features
	return out
}

// blocks is the forward pass from the patches on, [batch, patches, values].
func (m module) blocks(patches *Node) *Intermediates {
	cfg, how := m.cfg, m.Training
	if how.DropPath != nil {
		if got, want := how.DropPath.Shape(), shapes.Make(patches.DType(), 2*cfg.Depth, patches.Shape().Dim(0)); !got.Equal(want) {
			exceptions.Panicf("vit.ForwardTraining: the DropPath mask has shape %s, two branches for each block and picture make %s", got, want)
		}
	}
	out := &Intermediates{Embeddings: m.embed(patches)}
	x := out.Embeddings
	var pooled *Node // those tokens of the last block that the head reads
	for i := range cfg.Depth {
		if how.Checkpoint {
			x = x.Checkpoint()
		}
		b := m.in("block_%d", i)
		attention := b.attention(x)
		if i == cfg.Depth-1 {
			pooled = b.block(x, attention, i, cfg.pooled())
		}
		x = b.block(x, attention, i, cfg.Tokens())
		out.Blocks = append(out.Blocks, Block{Attention: attention, Tokens: x})
	}
	out.Norm = m.finalNorm(x)
	pooled = m.finalNorm(pooled)
	out.PreLogits = m.pool(pooled)
	out.Logits = m.head(out.PreLogits, pooled)
	return out
}

// module builds a part of the model from the variables of that part.
type module struct {
	nn.Variables
	cfg  Config
	kept *Node // [batch, patches]: 1 for patches that mean pooling counts, else 0; nil: all
	// fewRows says that a block's layers after its attention may have few rows.
	fewRows bool
}

// in is the part of the model in a scope below this one.
func (m module) in(format string, args ...any) module {
	m.Variables = m.In(format, args...)
	return m
}

// patchesOfPictures cuts pictures into patches, [batch, patches, channels·rows·columns].
func (m module) patchesOfPictures(images *Node) *Node {
	cfg := m.cfg
	batch, grid, patch := images.Shape().Dim(0), cfg.Grid(), cfg.PatchSize
	x := Reshape(images, batch, cfg.Channels, grid[0], patch[0], grid[1], patch[1])
	x = TransposeAllDims(x, 0, 2, 4, 1, 3, 5)
	return Reshape(x, batch, cfg.Patches(), cfg.Channels*patch[0]*patch[1])
}

// patchesOfFeatures cuts a stem's feature maps into patches, [batch, patches,
// channels·rows·columns].
func (m module) patchesOfFeatures(features *Node) *Node {
	cfg := m.cfg
	batch, grid, patch, channels := features.Shape().Dim(0), cfg.Grid(), cfg.PatchKernel(), cfg.Stem.Channels()
	if patch != [2]int{1, 1} {
		features = Reshape(features, batch, grid[0], patch[0], grid[1], patch[1], channels)
		features = TransposeAllDims(features, 0, 1, 3, 5, 2, 4)
	}
	return Reshape(features, batch, cfg.Patches(), channels*patch[0]*patch[1])
}

// embed projects each patch to a token, puts the class token and its companions before them
// and adds positions. A convolution whose stride is its kernel size is one product over the
// patches.
func (m module) embed(x *Node) *Node {
	cfg := m.cfg
	batch, patch := x.Shape().Dim(0), cfg.PatchKernel()
	x = m.Projection("patch", x, []int{cfg.Dim, cfg.patchChannels(), patch[0], patch[1]}, cfg.PatchBias, nn.Linear{})

	positions, n := m.Get("positions", 1, cfg.positionPrefix()+cfg.Patches(), cfg.Dim), cfg.positionPrefix()
	x = Add(x, span(positions, n, n+cfg.Patches()))
	if prefix := m.prefix(); prefix != nil {
		if n > 0 {
			first := Add(span(prefix, 0, n), span(positions, 0, n))
			prefix = concatenate(first, span(prefix, n, cfg.Prefix()))
		}
		x = concatenate(BroadcastToDims(prefix, batch, cfg.Prefix(), cfg.Dim), x)
	}
	if cfg.PreNorm {
		x = m.Norm("pre_norm", cfg.Dim).Apply(x)
	}
	return x
}

// prefix is the tokens before the patches, [1, prefix, dim]; nil if there are none.
func (m module) prefix() *Node {
	cfg := m.cfg
	var tokens []*Node
	if cfg.ClassToken {
		tokens = append(tokens, m.Get("class_token", 1, 1, cfg.Dim))
	}
	if cfg.DistToken {
		tokens = append(tokens, m.Get("dist_token", 1, 1, cfg.Dim))
	}
	if cfg.Registers > 0 {
		tokens = append(tokens, m.Get("registers", 1, cfg.Registers, cfg.Dim))
	}
	if len(tokens) == 0 {
		return nil
	}
	return concatenate(tokens...)
}

// attention is the first half of a block's first residual branch: Attention(Norm(x)).
func (m module) attention(x *Node) nn.Attention {
	cfg := m.cfg
	qkv := m.Linear("attn/qkv", x, 3*cfg.Dim, cfg.QKVBias, nn.Linear{Norm: m.Norm("norm1", cfg.Dim)})
	return nn.Attention{QKV: qkv, Heads: cfg.Heads, BFloat16: m.Training.BFloat16}
}

// block is block i from its attention on, for the first of its tokens:
//
//	x = x + DropPath(LayerScale(Attention(Norm(x))))
//	x = x + DropPath(LayerScale(MLP(Norm(x))))
func (m module) block(x *Node, attention nn.Attention, i, tokens int) *Node {
	cfg := m.cfg
	if tokens < cfg.Tokens() {
		x, attention.Queries = span(x, 0, tokens), tokens
	}
	return m.afterAttention(x, attention.Output(), i)
}

// afterAttention is block i's output from that of its attention.
func (m module) afterAttention(x, attended *Node, i int) *Node {
	cfg := m.cfg
	x = m.addBranch(x, 2*i, "scale1", "attn/out", attended, nn.Linear{})
	hidden := m.Linear("mlp/fc1", x, cfg.fc1Dim(), true, nn.Linear{Norm: m.Norm("norm2", cfg.Dim), FewRows: m.fewRows})
	if cfg.Activation == SwiGLU {
		return m.addBranch(x, 2*i+1, "scale2", "mlp/fc2", swiGLU(hidden, cfg.MLPDim), nn.Linear{})
	}
	return m.addBranch(x, 2*i+1, "scale2", "mlp/fc2", hidden, nn.Linear{Activation: cfg.Activation.elementwise()})
}

// addBranch is x + DropPath(LayerScale(Linear(branch))), the end of a residual branch.
// LayerScale and DropPath are there if the model and the training have them.
func (m module) addBranch(x *Node, i int, scale, linear string, branch *Node, l nn.Linear) *Node {
	if m.cfg.LayerScale {
		l.Scale = m.Get(scale, m.cfg.Dim)
	}
	l.FewRows = m.fewRows
	if m.Training.DropPath == nil {
		l.Residual = x
		return m.Linear(linear, branch, m.cfg.Dim, true, l)
	}
	branch = m.Linear(linear, branch, m.cfg.Dim, true, l)
	return Add(x, Mul(branch, Reshape(Slice(m.Training.DropPath, AxisElem(i)), -1, 1, 1)))
}

// finalNorm is what comes between the last block and the head.
func (m module) finalNorm(x *Node) *Node {
	cfg := m.cfg
	if m.Training.Checkpoint {
		x = x.StopCheckpoint()
	}
	if cfg.PreLogits == PreLogitsAll {
		x = Tanh(m.Linear("pre_logits", x, cfg.Representation, true, nn.Linear{}))
	}
	if cfg.FinalNorm {
		x = m.Norm("norm", x.Shape().Dim(-1)).Apply(x)
	}
	return x
}

// pooled is how many of the last block's tokens, the first, the head reads. The class
// token alone is much less work than all tokens.
func (c Config) pooled() int {
	switch c.Pool {
	case PoolClass:
		return 1
	case PoolClassDist:
		return 2
	}
	return c.Tokens()
}

// pool makes the head's input, [batch, features], of the tokens.
func (m module) pool(tokens *Node) *Node {
	cfg := m.cfg
	var x *Node
	mean := func() *Node {
		patches := span(tokens, cfg.Prefix(), cfg.Tokens())
		if m.kept == nil {
			return ReduceMean(patches, 1)
		}
		sum := Einsum("bp,bpd->bd", m.kept, patches)
		return Div(sum, ReduceAndKeep(m.kept, ReduceSum, 1))
	}
	switch cfg.Pool {
	case PoolClass, PoolClassDist:
		x = token(tokens, 0)
	case PoolMean:
		x = mean()
	case PoolClassMean:
		x = Concatenate([]*Node{token(tokens, 0), mean()}, 1)
	default:
		exceptions.Panicf("vit.Forward: pooling %s", cfg.Pool)
	}
	if cfg.PoolNorm {
		x = m.Norm("pool_norm", x.Shape().Dim(-1)).Apply(x)
	}
	if cfg.PreLogits == PreLogitsToken {
		x = Tanh(m.Linear("pre_logits", x, cfg.Representation, true, nn.Linear{}))
	}
	return x
}

// head classifies; nil without a head. DeiT's distilled models have a second head over
// the distillation token and answer with the mean of both.
func (m module) head(pooled, tokens *Node) *Node {
	if m.cfg.Classes == 0 {
		return nil
	}
	logits := m.Linear("head", pooled, m.cfg.Classes, true, nn.Linear{})
	if m.cfg.Pool == PoolClassDist {
		dist := m.Linear("head_dist", token(tokens, 1), m.cfg.Classes, true, nn.Linear{})
		logits = DivScalar(Add(logits, dist), 2)
	}
	return logits
}

// elementwise is the activation as a linear layer applies it to its input.
func (a Activation) elementwise() nn.Activation {
	switch a {
	case GELU:
		return nn.GELU
	case GELUTanh:
		return nn.GELUTanh
	case QuickGELU:
		return nn.QuickGELU
	}
	exceptions.Panicf("vit.Forward: activation %s", a)
	return nn.NoActivation
}

// swiGLU gates the second half of the hidden values by SiLU of the first.
func swiGLU(x *Node, dim int) *Node {
	gate := Slice(x, AxisRange(), AxisRange(), AxisRange(0, dim))
	value := Slice(x, AxisRange(), AxisRange(), AxisRangeToEnd(dim))
	return Mul(Mul(gate, Sigmoid(gate)), value)
}

// token is one token of each picture, [batch, dim].
func token(tokens *Node, i int) *Node {
	return Squeeze(Slice(tokens, AxisRange(), AxisElem(i)), 1)
}

// span is the tokens from index start up to end of x, [batch, tokens, dim]; nil if that
// is none.
func span(x *Node, start, end int) *Node {
	if start == end {
		return nil
	}
	return SliceAxis(x, 1, AxisRange(start, end))
}

// concatenate joins sequences of tokens, [batch, tokens, dim]; nil is an empty one.
func concatenate(sequences ...*Node) *Node {
	var some []*Node
	for _, s := range sequences {
		if s != nil {
			some = append(some, s)
		}
	}
	if len(some) == 1 {
		return some[0]
	}
	return Concatenate(some, 1)
}
