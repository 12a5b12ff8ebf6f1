package caption

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Intermediates is everything a pass of the decoder computes, by name. What the
// caller doesn't use, the compiler drops. Position t of a row is the step that
// reads piece t and predicts piece t+1; so is its attention.
type Intermediates struct {
	Embeddings *Node   // [rows, tokens, dim]: words with positions, normalised
	Layers     []Layer // one per layer
	Norm       *Node   // [rows, tokens, dim]: after the last norm
	Logits     *Node   // [rows, tokens, vocab]
}

// Layer is what one decoder layer computes.
type Layer struct {
	Self   *Node // [rows, heads, tokens, tokens]: attention to the pieces so far
	Cross  *Node // [rows, heads, tokens, cells]: attention to the picture
	Tokens *Node // [rows, tokens, dim]
}

// Decode builds the graph of the decoder over whole captions, as in training.
//
// tokens: int32 [rows, tokens], piece ids that begin with [CLS] and end in
// padding; rows is the memory's batch, or a multiple of it: several captions of
// one picture then stand together. padding: bool [rows, tokens], true for
// padding pieces, which no other piece then sees; nil is right where all
// padding stands at the end, since pieces see only what is before them.
func Decode(scope *model.Scope, cfg Config, memory *Memory, tokens, padding *Node) *Intermediates {
	p := params{scope, cfg, memory.Tokens}
	rows, length := tokens.Shape().Dim(0), tokens.Shape().Dim(1)
	if batch := memory.Tokens.Shape().Dim(0); rows%batch != 0 || length > cfg.MaxPositions {
		exceptions.Panicf("caption.Decode: %d captions of %d pieces for %d pictures and at most %d pieces", rows, length, batch, cfg.MaxPositions)
	}
	g := tokens.Graph()
	positions := Slice(p.weight("positions", cfg.MaxPositions, cfg.Dim), AxisRange(0, length))
	positions = Reshape(positions, 1, length, cfg.Dim)
	out := &Intermediates{Embeddings: p.embed(tokens, positions)}
	future := Reshape(LogicalNot(LowerTriangular(g, length)), 1, 1, length, length)

	x := out.Embeddings
	for i := range cfg.DecoderLayers {
		q := p.in("decoder_%d", i)
		look := func(query, value *Node) *attendedKeys {
			k := q.in("self").keys(query, value)
			k.padding, k.forbidden = padding, future
			return k
		}
		layer := q.decoderLayer(x, positions, look, q.crossKeys(memory))
		out.Layers = append(out.Layers, layer)
		x = layer.Tokens
	}
	out.Norm = p.norm("decoder_norm", x)
	out.Logits = p.head(out.Norm)
	return out
}

// embed is the tokens' word vectors plus positions [1, tokens, dim], normalised.
func (p params) embed(tokens, positions *Node) *Node {
	words := p.weight("words", p.cfg.Vocab, p.cfg.Dim)
	x := Gather(words, ExpandAxes(tokens, -1))
	return p.layerNorm("embed_norm", Add(x, positions), p.cfg.EmbedNormEps)
}

// crossKeys is the picture as this decoder layer sees it: positions are added to
// keys, not to values.
func (p params) crossKeys(m *Memory) *attendedKeys {
	k := p.in("cross").keys(Add(m.Tokens, m.Positions), m.Tokens)
	k.padding = m.Padding
	return k
}

// decoderLayer is a pre-norm layer. The learned positions are added again to the
// queries of both attentions and to the keys of the first. look makes the keys
// of the first attention of what is added to and what isn't.
func (p params) decoderLayer(x, positions *Node, look func(query, value *Node) *attendedKeys, cross *attendedKeys) Layer {
	y := p.norm("norm1", x)
	query := Add(y, positions)
	mixed, self := p.in("self").attend(query, look(query, y))
	x = Add(x, mixed)
	query = Add(p.norm("norm2", x), positions)
	mixed, seen := p.in("cross").attend(query, cross)
	x = Add(x, mixed)
	x = Add(x, p.feedForward(p.norm("norm3", x)))
	return Layer{Self: self, Cross: seen, Tokens: x}
}

// head makes logits of the decoder's output.
func (p params) head(x *Node) *Node {
	for i, width := range p.cfg.HeadHidden {
		x = relu(p.linear(fmt.Sprintf("head_%d", i), x, width))
	}
	return p.linear(fmt.Sprintf("head_%d", len(p.cfg.HeadHidden)), x, p.cfg.Vocab)
}
