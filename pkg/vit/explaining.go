package vit

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/nn"
)

// Explaining says how a forward pass for explanations differs from [Forward]. The zero
// value changes no result.
type Explaining struct {
	// Drop is true for patches that are taken out of the picture, bool [batch, patches]: no
	// token attends to them and mean pooling leaves them out, which equals a shorter
	// sequence without them. At least one patch must be left where patches are pooled. Nil
	// drops none.
	Drop *Node
	// Apart stops gradients at the input of every block, so that the gradient of a block's
	// own logits ([Explained.LogitsAfter]) reaches this block alone. Each block is then
	// built for the queries that the head reads, for which it costs little, beside the
	// usual one.
	Apart bool
}

// Explained is a forward pass whose intermediates are all on the way to the logits, so
// that [graph.Gradient] with respect to any of them is the true one. [Forward] computes
// the same faster: its attention is a kernel that keeps no probabilities.
//
// As there, the last block's output is built for the tokens alone that the head reads, the
// first: all of them where patches are pooled, else the class token and the distillation
// token. They are read tokens below.
type Explained struct {
	Images     *Node // [batch, channels, height, width]
	Embeddings *Node // [batch, tokens, dim]: the first block's input
	Blocks     []ExplainedBlock
	Norm       *Node // [batch, read, dim]: after the last norm
	PreLogits  *Node // [batch, features]
	Logits     *Node // [batch, classes]; nil without a head

	module module
}

// ExplainedBlock is what one block computes, in order.
type ExplainedBlock struct {
	Input         *Node // [batch, tokens, dim]
	Norm          *Node // [batch, tokens, dim]: the input after the block's first norm
	QKV           *Node // [batch, tokens, 3*dim]: queries, keys, values
	Probabilities *Node // [batch, heads, queries, keys]: of all queries; if apart, of the read ones
	Attended      *Node // [batch, tokens, dim]: the values, weighted by the probabilities; [batch, read, dim] in the last block, and if apart
	Tokens        *Node // the block's output, with the shape of Attended
}

// ForwardExplaining builds the graph of a forward pass for explanations. Its arguments are
// those of [Forward]; pictures must be float32 and weights must not be packed
// ([WithGradients]). It panics on what [Forward] panics on, and on a Drop of another
// shape.
func ForwardExplaining(scope *model.Scope, cfg Config, images *Node, how Explaining) *Explained {
	m := newModule(scope, cfg, images, nn.Training{})
	m.checkImages(images)
	var patches *Node
	if cfg.Stem != nil {
		patches = m.patchesOfFeatures(m.stem(images))
	} else {
		patches = m.patchesOfPictures(images)
	}
	var masked *Node
	if how.Drop != nil {
		if got, want := how.Drop.Shape(), shapes.Make(dtypes.Bool, images.Shape().Dim(0), cfg.Patches()); !got.Equal(want) {
			exceptions.Panicf("vit.ForwardExplaining: Drop has shape %s, not %s", got, want)
		}
		m.kept = ConvertDType(LogicalNot(how.Drop), images.DType())
		masked = how.Drop
		if p := cfg.Prefix(); p > 0 {
			never := BroadcastToDims(Const(images.Graph(), false), images.Shape().Dim(0), p)
			masked = Concatenate([]*Node{never, masked}, 1)
		}
	}
	e := &Explained{Images: images, Embeddings: m.embed(patches), module: m}
	x := e.Embeddings
	for i := range cfg.Depth {
		block := m.in("block_%d", i)
		if how.Apart {
			x = StopGradient(x)
		}
		b := block.explained(x, i, masked, how.Apart)
		e.Blocks = append(e.Blocks, b)
		if how.Apart && i < cfg.Depth-1 && cfg.pooled() < cfg.Tokens() {
			x = block.block(x, nn.Attention{QKV: b.QKV, Heads: cfg.Heads, Mask: masked}, i, cfg.Tokens())
		} else {
			x = b.Tokens
		}
	}
	e.Norm = m.finalNorm(x)
	e.PreLogits = m.pool(e.Norm)
	e.Logits = m.head(e.PreLogits, e.Norm)
	return e
}

// explained is block i, with the probabilities between the queries and the output. few says
// that no query is needed but those that the head reads.
func (m module) explained(x *Node, i int, masked *Node, few bool) ExplainedBlock {
	b := ExplainedBlock{Input: x, Norm: m.Norm("norm1", m.cfg.Dim).Apply(x)}
	b.QKV = m.Linear("attn/qkv", b.Norm, 3*m.cfg.Dim, m.cfg.QKVBias, nn.Linear{})
	tokens := x.Shape().Dim(1)
	a := nn.Attention{QKV: b.QKV, Heads: m.cfg.Heads, Mask: masked, Queries: tokens}
	if few || i == m.cfg.Depth-1 {
		a.Queries = min(m.cfg.pooled(), tokens)
	}
	if few {
		b.Probabilities = a.QueryProbabilities(0, a.Queries)
		a.Weights = b.Probabilities
	} else {
		b.Probabilities = a.Probabilities()
		a.Weights = SliceAxis(b.Probabilities, 2, AxisRange(0, a.Queries))
	}
	b.Attended = a.Output()
	m.fewRows = a.Queries < tokens
	b.Tokens = m.afterAttention(span(x, 0, a.Queries), b.Attended, i)
	return b
}

// LogitsAfter is what the head would answer after a layer, counted from 0: final norm,
// pooling and head applied to the layer's output, [batch, classes]; nil without a head.
func (e *Explained) LogitsAfter(layer int) *Node {
	x := e.module.finalNorm(e.Blocks[layer].Tokens)
	return e.module.head(e.module.pool(x), x)
}
