package caption

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// The decoder's work for one piece doesn't depend on the pieces to come, so what
// it computed for those before is kept: keys and values of every layer's
// self-attention in a cache of fixed length, of which a position tells how much
// is filled, and keys and values of the picture, made once. The shapes are the
// same at each step: one program serves them all.

// pictureKeys is what the decoder's layers see of the pictures, for all steps:
// keys and values of each layer in turn, each [pictures, heads, cells, dim/heads].
func pictureKeys(scope *model.Scope, cfg Config, m *Memory) []*Node {
	p := params{scope, cfg, m.Tokens}
	var list []*Node
	for i := range cfg.DecoderLayers {
		seen := p.in("decoder_%d", i).crossKeys(m)
		list = append(list, seen.key, seen.value)
	}
	return list
}

// stepInputs is what a step takes; rows is pictures times beams, each picture's
// together.
type stepInputs struct {
	tokens   *Node // int32 [rows], the pieces to read
	position *Node // int32 scalar, of those pieces
	parents  *Node // int32 [rows], the row that each row goes on from; nil: itself

	cache   []*Node // keys and values of each layer in turn, each [rows, heads, length, dim/heads]
	cross   []*Node // of the pictures, as pictureKeys makes them
	padding *Node   // bool [pictures, cells]
}

// stepOutputs is what a step gives.
type stepOutputs struct {
	logProbs  *Node   // [rows, vocab], of the next piece
	attention *Node   // [rows, layers, heads, cells]: where this step looked
	cache     []*Node // with this step's keys and values
}

// step builds the graph that reads one piece in each row and predicts the next.
func step(scope *model.Scope, cfg Config, in stepInputs) stepOutputs {
	p := params{scope, cfg, in.cache[0]}
	rows, length, g := in.tokens.Shape().Dim(0), in.cache[0].Shape().Dim(2), in.tokens.Graph()
	slots := Iota(g, shapes.Make(dtypes.Int32, 1, 1, length, 1), 2)
	position := Reshape(in.position, 1, 1, 1, 1)
	here := Equal(slots, position)
	future := Reshape(GreaterThan(slots, position), 1, 1, 1, length)
	learned := p.weight("positions", cfg.MaxPositions, cfg.Dim)
	learned = Reshape(Gather(learned, Reshape(in.position, 1, 1)), 1, 1, cfg.Dim)
	cached := func(i int) *Node {
		if in.parents == nil {
			return in.cache[i]
		}
		return Gather(in.cache[i], ExpandAxes(in.parents, -1))
	}

	var out stepOutputs
	var maps []*Node
	x := p.embed(Reshape(in.tokens, rows, 1), learned)
	for i := range cfg.DecoderLayers {
		q := p.in("decoder_%d", i)
		look := func(query, value *Node) *attendedKeys {
			now := q.in("self").keys(query, value)
			now.key = put(cached(2*i), now.key, here)
			now.value = put(cached(2*i+1), now.value, here)
			now.forbidden = future
			out.cache = append(out.cache, now.key, now.value)
			return now
		}
		l := q.decoderLayer(x, learned, look, &attendedKeys{key: in.cross[2*i], value: in.cross[2*i+1], padding: in.padding})
		maps = append(maps, Squeeze(l.Cross, 2))
		x = l.Tokens
	}
	logits := p.head(p.norm("decoder_norm", x))
	out.logProbs = LogSoftmax(Reshape(logits, rows, cfg.Vocab), -1)
	out.attention = Stack(maps, 1)
	return out
}

// put writes x [rows, heads, 1, width] into the slot of old [rows, heads, length,
// width] where here is true. (The Go backend has no update in place.)
func put(old, x, here *Node) *Node {
	dims := old.Shape().Dimensions
	return Where(BroadcastToDims(here, dims...), BroadcastToDims(x, dims...), old)
}
