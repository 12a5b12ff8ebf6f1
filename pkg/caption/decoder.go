package caption

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/nn"
)

// Intermediates is everything that a pass of the decoder computes, by name. What the
// caller doesn't use, the compiler drops. Position t of a row is the step that reads token
// t and predicts token t+1; its attention is that of the same step.
type Intermediates struct {
	Embeddings *Node   // [rows, tokens, dim]: words with positions, normalised
	Layers     []Layer // one per layer
	Norm       *Node   // [rows, tokens, dim]: after the last norm
	Logits     *Node   // [rows, tokens, vocab]
}

// Layer is what one decoder layer computes.
type Layer struct {
	Self   *Node // [rows, heads, tokens, tokens]: attention to the tokens so far
	Cross  *Node // [rows, heads, tokens, cells]: attention to the picture
	Tokens *Node // [rows, tokens, dim]
}

// Decode builds the graph of the decoder over whole captions, as in training.
//
// tokens are int32 [rows, tokens], ids that begin with [CLS] and end in padding. rows is
// the memory's batch or a multiple of it: several captions of one picture then lie
// together. padding is bool [rows, tokens], true for padding, which no other token then
// attends to. nil is right where all padding is at the end, since tokens attend only to
// those before them.
func Decode(scope *model.Scope, cfg Config, memory *Memory, tokens, padding *Node) *Intermediates {
	m := newModule(scope, cfg, memory.Tokens)
	m.noise = memory.noise
	rows, length := tokens.Shape().Dim(0), tokens.Shape().Dim(1)
	if batch := memory.Tokens.Shape().Dim(0); rows%batch != 0 || length > cfg.MaxPositions {
		exceptions.Panicf("caption.Decode: %d captions of %d tokens for %d pictures and at most %d tokens", rows, length, batch, cfg.MaxPositions)
	}
	g := tokens.Graph()
	positions := Slice(m.Get("positions", cfg.MaxPositions, cfg.Dim), AxisRange(0, length))
	positions = Reshape(positions, 1, length, cfg.Dim)
	out := &Intermediates{Embeddings: m.embed(tokens, positions)}
	if memory.Gist != nil {
		out.Embeddings = addGist(out.Embeddings, memory.Gist)
	}
	masks := []*Node{Reshape(LogicalNot(LowerTriangular(g, length)), 1, 1, length, length)} // the tokens to come
	if padding != nil {
		masks = append(masks, Reshape(padding, rows, 1, 1, length))
	}

	x := out.Embeddings
	for i := range cfg.DecoderLayers {
		b := m.in("decoder_%d", i)
		self := func(query, value *Node) keys { return b.in("self").keys(query, value, masks...) }
		layer := b.decoderBlock(x, positions, self, b.pictureKeys(memory))
		out.Layers = append(out.Layers, layer)
		x = layer.Tokens
	}
	out.Norm = m.norm("decoder_norm", x)
	out.Logits = m.head(out.Norm)
	return out
}

// embed is the tokens' word vectors plus positions [1, tokens, dim], normalised.
func (m module) embed(tokens, positions *Node) *Node {
	words := m.Get("words", m.cfg.Vocab, m.cfg.Dim)
	x := Gather(words, ExpandAxes(tokens, -1))
	return m.noise.drop(m.NormEpsilon("embed_norm", m.cfg.Dim, m.cfg.EmbedNormEps).Apply(Add(x, positions)))
}

// decoderBlock is a pre-norm block:
//
//	x = x + SelfAttention(Norm(x)), positions added to its queries and keys
//	x = x + CrossAttention(Norm(x)), positions added to its queries
//	x = x + MLP(Norm(x))
//
// self makes the keys and values of the self-attention from its input, with positions and
// without; picture has those of the cross-attention.
func (m module) decoderBlock(x, positions *Node, self func(query, value *Node) keys, picture keys) Layer {
	y := m.norm("norm1", x)
	query := Add(y, positions)
	x, selfMap := m.in("self").addAttention(x, query, self(query, y))
	query = Add(m.norm("norm2", x), positions)
	x, crossMap := m.in("cross").addAttention(x, query, picture)
	return Layer{Self: selfMap, Cross: crossMap, Tokens: m.addMLP(x, "norm3")}
}

// head computes logits from the decoder's output.
func (m module) head(x *Node) *Node {
	if m.cfg.TiedHead {
		return nn.Linear{Weight: m.Get("words", m.cfg.Vocab, m.cfg.Dim), Bias: m.Get("head_0/bias", m.cfg.Vocab), FewRows: true}.Apply(x)
	}
	around := nn.Linear{}
	for i, width := range m.cfg.HeadHidden {
		x = m.linear(fmt.Sprintf("head_%d", i), x, width, around)
		around.Activation = nn.ReLU
	}
	return m.linear(fmt.Sprintf("head_%d", len(m.cfg.HeadHidden)), x, m.cfg.Vocab, around)
}

// keys is what an attention attends to, split into heads.
type keys struct {
	key, value *Node   // [batch, heads, tokens, dim/heads]
	masks      []*Node // bool, broadcastable to the scores, true where not to attend
}

// keys projects the keys and values of an attention, [batch, tokens, dim].
func (m module) keys(key, value *Node, masks ...*Node) keys {
	split := func(x *Node) *Node { return nn.SplitHeads(x, m.cfg.Heads) }
	return keys{split(m.project(1, 2, key)), split(m.project(2, 3, value)), masks}
}

// pictureKeys is what the cross-attention attends to: positions are added to keys, not to
// values.
func (m module) pictureKeys(memory *Memory) keys {
	k := m.in("cross").keys(Add(memory.Tokens, memory.Positions), memory.Tokens)
	k.mask(memory.Padding)
	return k
}

// mask adds a mask of keys, bool [batch, tokens]; nil adds none.
func (k *keys) mask(padding *Node) {
	if padding != nil {
		k.masks = append(k.masks, Reshape(padding, padding.Shape().Dim(0), 1, 1, -1))
	}
}

// addAttention is x plus multi-head attention. query is [rows, tokens, dim]; rows may be a
// multiple of the keys' batch, each picture's rows lying together. probabilities is [rows,
// heads, query tokens, key tokens].
func (m module) addAttention(x, query *Node, k keys) (sum, probabilities *Node) {
	rows, tokens := query.Shape().Dim(0), query.Shape().Dim(1)
	batch, heads := k.key.Shape().Dim(0), m.cfg.Heads
	each := rows / batch
	fold := func(x *Node) *Node { // makes the rows of a picture more queries of it
		if each == 1 {
			return x
		}
		x = TransposeAllDims(Reshape(x, batch, each, heads, tokens, -1), 0, 2, 1, 3, 4)
		return Reshape(x, batch, heads, each*tokens, -1)
	}
	unfold := func(x *Node) *Node {
		if each == 1 {
			return x
		}
		x = TransposeAllDims(Reshape(x, batch, heads, each, tokens, -1), 0, 2, 1, 3, 4)
		return Reshape(x, rows, heads, tokens, -1)
	}
	q := nn.SplitHeads(m.project(0, 1, query), heads)
	output, probabilities := nn.CrossAttention{Query: fold(q), Key: k.key, Value: k.value, Masks: k.masks}.Apply()
	if m.noise == nil {
		sum = m.linear("out", nn.MergeHeads(unfold(output)), m.cfg.Dim, nn.Linear{Residual: x})
	} else {
		sum = Add(x, m.noise.drop(m.linear("out", nn.MergeHeads(unfold(output)), m.cfg.Dim, nn.Linear{})))
	}
	return sum, unfold(probabilities)
}

// What the decoder computes for one token doesn't depend on the tokens to come, so a step
// keeps what was computed before: keys and values of every layer's self-attention in a
// cache of fixed length, filled up to the step's position, and keys and values of the
// picture, computed once. All steps have the same shapes and so share one program.

// allPictureKeys is what the decoder's cross-attentions attend to in all steps: keys and
// values of each layer in turn, each [pictures, heads, cells, dim/heads].
func allPictureKeys(scope *model.Scope, cfg Config, memory *Memory) []*Node {
	m := newModule(scope, cfg, memory.Tokens)
	var list []*Node
	for i := range cfg.DecoderLayers {
		k := m.in("decoder_%d", i).pictureKeys(memory)
		list = append(list, k.key, k.value)
	}
	return list
}

// stepInputs is what a step takes. rows is pictures times beams, each picture's rows lying
// together.
type stepInputs struct {
	tokens   *Node // int32 [rows], the tokens to read
	position *Node // int32 scalar, of those tokens
	parents  *Node // int32 [rows], the row that each row continues; nil: itself

	cache   []*Node // keys and values of each layer in turn, each [rows, heads, length, dim/heads]
	cross   []*Node // of the pictures, as allPictureKeys makes them
	padding *Node   // bool [pictures, cells]
	gist    *Node   // [pictures, dim], of the pictures; nil: there is none
}

// stepOutputs is what a step returns.
type stepOutputs struct {
	logProbs  *Node   // [rows, vocab], of the next token
	attention *Node   // [rows, layers, heads, cells]: this step's cross-attention
	cache     []*Node // with this step's keys and values
}

// step builds the graph that reads one token in each row and predicts the next.
func step(scope *model.Scope, cfg Config, in stepInputs) stepOutputs {
	m := newModule(scope, cfg, in.cache[0])
	rows, length, g := in.tokens.Shape().Dim(0), in.cache[0].Shape().Dim(2), in.tokens.Graph()
	slots := Iota(g, shapes.Make(dtypes.Int32, 1, 1, length, 1), 2)
	position := Reshape(in.position, 1, 1, 1, 1)
	here := Equal(slots, position)
	future := Reshape(GreaterThan(slots, position), 1, 1, 1, length)
	learned := m.Get("positions", cfg.MaxPositions, cfg.Dim)
	learned = Reshape(Gather(learned, Reshape(in.position, 1, 1)), 1, 1, cfg.Dim)
	cached := func(i int) *Node {
		if in.parents == nil {
			return in.cache[i]
		}
		return Gather(in.cache[i], ExpandAxes(in.parents, -1))
	}

	var out stepOutputs
	var maps []*Node
	x := m.embed(Reshape(in.tokens, rows, 1), learned)
	if in.gist != nil {
		first := ConvertDType(Equal(in.position, ScalarZero(g, dtypes.Int32)), in.gist.DType())
		x = addGist(x, Mul(in.gist, first))
	}
	for i := range cfg.DecoderLayers {
		b := m.in("decoder_%d", i)
		self := func(query, value *Node) keys {
			k := b.in("self").keys(query, value, future)
			k.key = put(cached(2*i), k.key, here)
			k.value = put(cached(2*i+1), k.value, here)
			out.cache = append(out.cache, k.key, k.value)
			return k
		}
		picture := keys{key: in.cross[2*i], value: in.cross[2*i+1]}
		picture.mask(in.padding)
		l := b.decoderBlock(x, learned, self, picture)
		maps = append(maps, Squeeze(l.Cross, 2))
		x = l.Tokens
	}
	logits := m.head(m.norm("decoder_norm", x))
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
