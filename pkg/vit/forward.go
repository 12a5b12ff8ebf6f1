package vit

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/backend/layers"
)

// Intermediates is everything a forward pass computes, by name. What the caller
// doesn't use, the compiler drops.
type Intermediates struct {
	Embeddings *Node   // [batch, tokens, dim]: tokens with positions, as the first block gets them
	Blocks     []Block // one per block
	Norm       *Node   // [batch, tokens, dim]: after the last norm (the last block's tokens if there is none)
	PreLogits  *Node   // [batch, features]: what the head reads: the pooled token, after any pre-logits layer
	Logits     *Node   // [batch, classes]; nil without a head
}

// Block is what one block computes.
type Block struct {
	// Attention has the probabilities, rows sum to one, of all queries or of some. Nodes
	// for them are made when they are asked for: mixing values doesn't need them.
	Attention layers.Attention
	Tokens    *Node // [batch, tokens, dim]: the block's output
}

// Forward builds the graph of a Vision Transformer.
//
// images: float pictures [batch, channels, height, width], normalised; height
// and width are cfg.ImageSize. The weights are variables in scope under the
// names of [Config.Parameters]; those that don't exist yet are made with the
// scope's initializer. It panics on a picture or a variable of another shape,
// as graph functions do.
func Forward(scope *model.Scope, cfg Config, images *Node) *Intermediates {
	return params{scope: scope, cfg: cfg, like: images}.forward(images)
}

func (p params) forward(images *Node) *Intermediates {
	cfg, blocks := p.cfg, p
	p.packed = nil
	out := &Intermediates{Embeddings: p.embed(images)}
	x := out.Embeddings
	var pooled *Node // of the last block's tokens those that the head reads
	for i := range cfg.Depth {
		if p.how.Checkpoint {
			x = x.Checkpoint()
		}
		b := blocks.in("block_%d", i)
		attention := b.attention(x)
		if i == cfg.Depth-1 {
			pooled = b.tail(x, attention, i, cfg.pooled())
		}
		x = b.tail(x, attention, i, cfg.Tokens())
		out.Blocks = append(out.Blocks, Block{Attention: attention, Tokens: x})
	}
	out.Norm = p.finish(x)
	p.head(out, p.finish(pooled))
	return out
}

// finish is what comes between the last block and the head.
func (p params) finish(x *Node) *Node {
	cfg := p.cfg
	if p.how.Checkpoint {
		x = x.StopCheckpoint()
	}
	if cfg.PreLogits == PreLogitsAll {
		x = Tanh(p.linear("pre_logits", layers.Linear{}, x, cfg.Representation, true))
	}
	if cfg.FinalNorm {
		x = p.norm("norm", x.Shape().Dim(-1)).Of(x)
	}
	return x
}

// pooled is how many of the last block's tokens, the first, the head reads. A class token
// alone is much less work than all, which are computed only for who wants them.
func (c Config) pooled() int {
	switch c.Pool {
	case PoolClass:
		return 1
	case PoolClassDist:
		return 2
	}
	return c.Tokens()
}

// embed cuts the pictures into patches, projects each to a token, puts the
// class token and its companions before them and adds positions.
func (p params) embed(images *Node) *Node {
	cfg := p.cfg
	batch, grid, patch := images.Shape().Dim(0), cfg.Grid(), cfg.PatchSize
	if got, want := images.Shape(), shapes.Make(images.DType(), batch, cfg.Channels, cfg.ImageSize[0], cfg.ImageSize[1]); !got.Equal(want) {
		exceptions.Panicf("vit.Forward: images have shape %s, the configuration wants %s", got, want)
	}
	// A convolution whose stride is its kernel is one product over cut-out patches.
	x := Reshape(images, batch, cfg.Channels, grid[0], patch[0], grid[1], patch[1])
	x = TransposeAllDims(x, 0, 2, 4, 1, 3, 5)
	x = Reshape(x, batch, cfg.Patches(), cfg.Channels*patch[0]*patch[1])
	w := p.weight("patch/weight", cfg.Dim, cfg.Channels, patch[0], patch[1])
	l := layers.Linear{Weight: Reshape(w, cfg.Dim, -1), BFloat16: p.how.BFloat16}
	if cfg.PatchBias {
		l.Bias = p.weight("patch/bias", cfg.Dim)
	}
	x = l.Of(x)

	positions, n := p.weight("positions", 1, cfg.positionPrefix()+cfg.Patches(), cfg.Dim), cfg.positionPrefix()
	x = Add(x, span(positions, n, n+cfg.Patches()))
	if prefix := p.prefix(); prefix != nil {
		if n > 0 {
			first := Add(span(prefix, 0, n), span(positions, 0, n))
			prefix = concatenate(first, span(prefix, n, cfg.Prefix()))
		}
		x = concatenate(BroadcastToDims(prefix, batch, cfg.Prefix(), cfg.Dim), x)
	}
	if cfg.PreNorm {
		x = p.norm("pre_norm", cfg.Dim).Of(x)
	}
	return x
}

// prefix is the tokens before the patches, [1, prefix, dim]; nil if there are none.
func (p params) prefix() *Node {
	cfg := p.cfg
	var tokens []*Node
	if cfg.ClassToken {
		tokens = append(tokens, p.weight("class_token", 1, 1, cfg.Dim))
	}
	if cfg.DistToken {
		tokens = append(tokens, p.weight("dist_token", 1, 1, cfg.Dim))
	}
	if cfg.Registers > 0 {
		tokens = append(tokens, p.weight("registers", 1, cfg.Registers, cfg.Dim))
	}
	if len(tokens) == 0 {
		return nil
	}
	return concatenate(tokens...)
}

// attention begins an encoder block, which is pre-norm: attention and MLP, each on a
// residual branch.
func (p params) attention(x *Node) layers.Attention {
	cfg := p.cfg
	qkv := p.linear("attn/qkv", layers.Linear{Norm: p.norm("norm1", cfg.Dim)}, x, 3*cfg.Dim, cfg.QKVBias)
	return layers.Attention{QKV: qkv, Heads: cfg.Heads, BFloat16: p.how.BFloat16}
}

// tail is the rest of the block, the i-th, for the first so many of its tokens.
func (p params) tail(x *Node, attention layers.Attention, i, tokens int) *Node {
	cfg := p.cfg
	if tokens < cfg.Tokens() {
		x, attention.Queries = span(x, 0, tokens), tokens
	}
	x = p.residual(x, "attn/out", layers.Linear{}, attention.Mixed(), "scale1", 2*i)
	hidden := p.linear("mlp/fc1", layers.Linear{Norm: p.norm("norm2", cfg.Dim)}, x, cfg.fc1Dim(), true)
	if cfg.Activation == SwiGLU {
		hidden = swiGLU(hidden, cfg.MLPDim)
	}
	return p.residual(x, "mlp/fc2", layers.Linear{Activation: cfg.Activation.layer()}, hidden, "scale2", 2*i+1)
}

// residual adds a branch, the i-th of the model, to the stream: a linear layer's result,
// scaled per channel where the model learned to, and per picture where factors are given.
func (p params) residual(x *Node, name string, l layers.Linear, branch *Node, scale string, i int) *Node {
	if p.cfg.LayerScale {
		l.Scale = p.weight(scale, p.cfg.Dim)
	}
	if p.how.DropPath == nil {
		l.Residual = x
		return p.linear(name, l, branch, p.cfg.Dim, true)
	}
	branch = p.linear(name, l, branch, p.cfg.Dim, true)
	return Add(x, Mul(branch, Reshape(Slice(p.how.DropPath, AxisElem(i)), -1, 1, 1)))
}

// swiGLU is the gated activation of half the numbers, times the other half.
func swiGLU(x *Node, dim int) *Node {
	gate := Slice(x, AxisRange(), AxisRange(), AxisRange(0, dim))
	value := Slice(x, AxisRange(), AxisRange(), AxisRangeToEnd(dim))
	return Mul(Mul(gate, Sigmoid(gate)), value)
}

// head pools tokens and classifies.
func (p params) head(out *Intermediates, tokens *Node) {
	cfg := p.cfg
	token := func(i int) *Node { return Squeeze(Slice(tokens, AxisRange(), AxisElem(i)), 1) }
	mean := func() *Node { return ReduceMean(span(tokens, cfg.Prefix(), cfg.Tokens()), 1) }
	var x *Node
	switch cfg.Pool {
	case PoolClass, PoolClassDist:
		x = token(0)
	case PoolMean:
		x = mean()
	case PoolClassMean:
		x = Concatenate([]*Node{token(0), mean()}, 1)
	default:
		exceptions.Panicf("vit.Forward: pooling %s", cfg.Pool)
	}
	if cfg.PoolNorm {
		x = p.norm("pool_norm", x.Shape().Dim(-1)).Of(x)
	}
	if cfg.PreLogits == PreLogitsToken {
		x = Tanh(p.linear("pre_logits", layers.Linear{}, x, cfg.Representation, true))
	}
	out.PreLogits = x
	if cfg.Classes == 0 {
		return
	}
	out.Logits = p.linear("head", layers.Linear{}, x, cfg.Classes, true)
	if cfg.Pool == PoolClassDist {
		out.Logits = DivScalar(Add(out.Logits, p.linear("head_dist", layers.Linear{}, token(1), cfg.Classes, true)), 2)
	}
}
