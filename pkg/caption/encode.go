package caption

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// blocked stands for minus infinity where attention is forbidden: its
// exponential is exactly zero, and a row of nothing else stays finite.
const blocked = -1e30

// Memory is what the decoder looks at: the encoded picture.
type Memory struct {
	Tokens    *Node  // [batch, cells, dim], after the encoder's last norm
	Positions *Node  // [batch, cells, dim], sine positions
	Padding   *Node  // [batch, cells], true where nothing looks: there is no picture; nil: all is picture
	Grid      [2]int // rows and columns of cells

	Features  *Node          // [batch, rows, columns, channels] of the backbone
	Projected *Node          // [batch, cells, dim], what the first encoder layer gets
	Encoder   []EncoderBlock // one per layer
}

// EncoderBlock is what one encoder layer computes.
type EncoderBlock struct {
	Attention *Node // [batch, heads, cells, cells]
	Tokens    *Node // [batch, cells, dim]
}

// Encode builds the graph from pictures to memory.
//
// images: [batch, 3, height, width], normalised. padding: bool [batch, rows,
// columns] of the grid of cells ([Config.Grid]), true where a cell is padding
// ([Config.GridPadding] makes it of the pictures' sizes); nil: none is. The
// weights are variables in scope under the names of [Config.Parameters]. It
// panics on shapes that don't fit.
func Encode(scope *model.Scope, cfg Config, images, padding *Node) *Memory {
	return encodeBlocked(scope, cfg, images, padding, nil)
}

// encodeBlocked is [Encode] with cells that nothing may look at: bool [batch,
// cells], nil for none. Unlike padding they are part of the picture, so positions
// don't depend on them.
func encodeBlocked(scope *model.Scope, cfg Config, images, padding, blocked *Node) *Memory {
	p := params{scope, cfg, images}
	if images.Rank() != 4 || images.Shape().Dim(1) != 3 {
		exceptions.Panicf("caption.Encode: images have shape %s, not [batch, 3, height, width]", images.Shape())
	}
	batch := images.Shape().Dim(0)
	grid := cfg.Grid(images.Shape().Dim(2), images.Shape().Dim(3))
	cells := grid[0] * grid[1]
	m := &Memory{Grid: grid, Features: p.backbone(images)}
	if got := m.Features.Shape().Dimensions; got[1] != grid[0] || got[2] != grid[1] {
		exceptions.Panicf("caption.Encode: the backbone made %v, the grid is %v", got, grid)
	}
	valid := Ones(images.Graph(), shapes.Make(images.DType(), batch, grid[0], grid[1]))
	if padding != nil {
		if want := shapes.Make(dtypes.Bool, batch, grid[0], grid[1]); !padding.Shape().Equal(want) {
			exceptions.Panicf("caption.Encode: padding has shape %s, for these pictures it is %s", padding.Shape(), want)
		}
		valid = ConvertDType(LogicalNot(padding), images.DType())
		m.Padding = Reshape(padding, batch, cells)
	}
	if blocked != nil && m.Padding != nil {
		blocked = LogicalOr(blocked, m.Padding)
	}
	if blocked != nil {
		m.Padding = blocked
	}
	m.Positions = Reshape(sinePositions(valid, cfg.Dim), batch, cells, cfg.Dim)
	m.Projected = Reshape(p.linear("project", m.Features, cfg.Dim), batch, cells, cfg.Dim)
	x := m.Projected
	for i := range cfg.EncoderLayers {
		b := p.in("encoder_%d", i).encoderLayer(x, m)
		m.Encoder = append(m.Encoder, b)
		x = b.Tokens
	}
	if cfg.EncoderLayers > 0 {
		x = p.norm("encoder_norm", x)
	}
	m.Tokens = x
	return m
}

// encoderLayer is a pre-norm layer; positions are added to queries and keys of
// its attention, not to values.
func (p params) encoderLayer(x *Node, m *Memory) EncoderBlock {
	y := p.norm("norm1", x)
	query := Add(y, m.Positions)
	a := p.in("self")
	keys := a.keys(query, y)
	keys.padding = m.Padding
	mixed, probabilities := a.attend(query, keys)
	x = Add(x, mixed)
	x = Add(x, p.feedForward(p.norm("norm2", x)))
	return EncoderBlock{Attention: probabilities, Tokens: x}
}

// attendedKeys is what an attention looks at, split into heads.
type attendedKeys struct {
	key, value *Node // [batch, heads, tokens, dim/heads]
	padding    *Node // bool [batch, tokens], true where not to look; nil: nowhere
	forbidden  *Node // bool, broadcastable to the scores; nil: nothing
}

// part is rows of the projection that query (0), key (1) and value (2) share.
func (p params) part(i int, x *Node) *Node {
	d := p.cfg.Dim
	w := Slice(p.weight("in/weight", 3*d, d), AxisRange(i*d, (i+1)*d))
	b := Slice(p.weight("in/bias", 3*d), AxisRange(i*d, (i+1)*d))
	return p.split(affine(x, w, b))
}

// split cuts [batch, tokens, dim] into heads: [batch, heads, tokens, dim/heads],
// the order in which the products of attention run fastest.
func (p params) split(x *Node) *Node {
	dims := x.Shape().Dimensions
	return TransposeAllDims(Reshape(x, dims[0], dims[1], p.cfg.Heads, p.cfg.Dim/p.cfg.Heads), 0, 2, 1, 3)
}

// keys projects keys and values, both [batch, tokens, dim].
func (p params) keys(key, value *Node) *attendedKeys {
	return &attendedKeys{key: p.part(1, key), value: p.part(2, value)}
}

// attend is multi-head attention. query is [rows, tokens, dim]; rows may be a
// multiple of the keys' batch: each picture's rows then stand together.
// probabilities is [rows, heads, query tokens, key tokens].
func (p params) attend(query *Node, k *attendedKeys) (mixed, probabilities *Node) {
	rows, tokens := query.Shape().Dim(0), query.Shape().Dim(1)
	batch, headDim := k.key.Shape().Dim(0), p.cfg.Dim/p.cfg.Heads
	each := rows / batch
	q := MulScalar(p.part(0, query), 1/math.Sqrt(float64(headDim))) // [rows, heads, tokens, head dim]
	fold := func(x *Node) *Node {                                   // several rows of one picture become more queries of it
		if each == 1 {
			return x
		}
		x = TransposeAllDims(Reshape(x, batch, each, p.cfg.Heads, tokens, -1), 0, 2, 1, 3, 4)
		return Reshape(x, batch, p.cfg.Heads, each*tokens, -1)
	}
	unfold := func(x *Node) *Node {
		if each == 1 {
			return x
		}
		x = TransposeAllDims(Reshape(x, batch, p.cfg.Heads, each, tokens, -1), 0, 2, 1, 3, 4)
		return Reshape(x, rows, p.cfg.Heads, tokens, -1)
	}
	scores := Einsum("bhtd,bhsd->bhts", fold(q), k.key)
	if k.padding != nil {
		scores = block(scores, Reshape(k.padding, batch, 1, 1, -1))
	}
	if k.forbidden != nil {
		scores = block(scores, k.forbidden)
	}
	probabilities = Softmax(scores, -1)
	mixed = unfold(Einsum("bhts,bhsd->bhtd", probabilities, k.value))
	mixed = Reshape(TransposeAllDims(mixed, 0, 2, 1, 3), rows, tokens, p.cfg.Dim)
	return p.linear("out", mixed, p.cfg.Dim), unfold(probabilities)
}

// block forbids scores where where is true.
func block(scores, where *Node) *Node {
	where = BroadcastToDims(where, scores.Shape().Dimensions...)
	return Where(where, Scalar(scores.Graph(), scores.DType(), blocked), scores)
}
