package caption

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/nn"
)

// Memory is what the decoder attends to: the encoded picture.
type Memory struct {
	Tokens    *Node  // [batch, cells, dim], after the encoder's last norm
	Positions *Node  // [batch, cells, dim], sine positions
	Padding   *Node  // bool [batch, cells], true where nothing attends to: there is no picture; nil: all is picture
	Grid      [2]int // rows and columns of cells

	Gist      *Node          // [batch, dim], added to the first token; nil: nothing is
	Features  *Node          // [batch, rows, columns, channels] of the backbone
	Projected *Node          // [batch, cells, dim], the first encoder layer's input
	Encoder   []EncoderBlock // one per layer

	noise *noise // of training, which the decoder goes on with
}

// EncoderBlock is what one encoder layer computes.
type EncoderBlock struct {
	// Attention has the probabilities, [batch, heads, cells, cells]. They are computed
	// only if they are asked for. In a pass for explanations its Weights are those that the
	// result depends on.
	Attention nn.Attention
	Tokens    *Node // [batch, cells, dim]
}

// Encode builds the graph from pictures to memory.
//
// images are [batch, 3, height, width], normalised; or, for [backbone.Given], features
// [batch, values, rows, columns]. padding is bool [batch, rows,
// columns] of the grid of cells ([Config.Grid]), true where a cell is padding
// ([Config.GridPadding] computes it from the pictures' sizes); nil: none is. The weights
// are variables in scope under the names of [Config.Parameters]. It panics on shapes that
// don't fit.
func Encode(scope *model.Scope, cfg Config, images, padding *Node) *Memory {
	return encodeMasked(scope, cfg, images, padding, nil)
}

// encodeMasked is [Encode] with cells that nothing may attend to: bool [batch, cells],
// nil for none. Unlike padding they are part of the picture, so that positions don't
// depend on them.
func encodeMasked(scope *model.Scope, cfg Config, images, padding, masked *Node) *Memory {
	if images.Rank() != 4 || images.Shape().Dim(1) != cfg.Backbone.Inputs() {
		exceptions.Panicf("caption.Encode: images have shape %s, not [batch, %d, height, width]", images.Shape(), cfg.Backbone.Inputs())
	}
	grid := cfg.Grid(images.Shape().Dim(2), images.Shape().Dim(3))
	m := newModule(scope, cfg, images)
	features := cfg.Backbone.Features(m.In("backbone"), images)
	if got := features.Shape().Dimensions; got[1] != grid[0] || got[2] != grid[1] {
		exceptions.Panicf("caption.Encode: the backbone made %v, the grid is %v", got, grid)
	}
	return m.encode(features, nil, padding, masked)
}

// EncodeFeatures is [Encode] from features that the backbone has made, [batch, rows,
// columns, channels], for training on features that are computed once. gist has the values
// of the captioner's gist, [batch, width]; nil: they are the means of the features. With
// how, values are dropped.
func EncodeFeatures(scope *model.Scope, cfg Config, features, gist *Node, how Training) *Memory {
	m := newModule(scope, cfg, features)
	if d := features.Shape().Dimensions; len(d) != 4 || d[3] != cfg.Backbone.Channels() {
		exceptions.Panicf("caption.EncodeFeatures: features have shape %s, not [batch, rows, columns, %d]", features.Shape(), cfg.Backbone.Channels())
	}
	m.noise = newNoise(how)
	memory := m.encode(features, gist, nil, nil)
	memory.noise = m.noise
	return memory
}

// EncodeGist is what the decoder attends to where there is no picture, as for learning
// from sentences alone: the gist of values [batch, width], and a single cell of zeros.
func EncodeGist(scope *model.Scope, cfg Config, gist *Node, how Training) *Memory {
	m := newModule(scope, cfg, gist)
	if cfg.Gist == nil || gist.Rank() != 2 || gist.Shape().Dim(1) != cfg.Gist.Width {
		exceptions.Panicf("caption.EncodeGist: a gist of shape %s for a captioner with %+v", gist.Shape(), cfg.Gist)
	}
	m.noise = newNoise(how)
	cell := Zeros(gist.Graph(), shapes.Make(gist.DType(), gist.Shape().Dim(0), 1, cfg.Dim))
	memory := &Memory{Grid: [2]int{1, 1}, Tokens: cell, Positions: cell, Gist: m.gist(nil, nil, gist)}
	memory.noise = m.noise
	return memory
}

// encode makes the memory of features.
func (m module) encode(features, given, padding, masked *Node) *Memory {
	cfg, batch := m.cfg, features.Shape().Dim(0)
	grid := [2]int{features.Shape().Dim(1), features.Shape().Dim(2)}
	cells := grid[0] * grid[1]
	memory := &Memory{Grid: grid, Features: features}
	dtype := features.DType()
	valid := Ones(features.Graph(), shapes.Make(dtype, batch, grid[0], grid[1]))
	if padding != nil {
		if want := shapes.Make(dtypes.Bool, batch, grid[0], grid[1]); !padding.Shape().Equal(want) {
			exceptions.Panicf("caption.Encode: padding has shape %s, for these pictures it is %s", padding.Shape(), want)
		}
		valid = ConvertDType(LogicalNot(padding), dtype)
		memory.Padding = Reshape(padding, batch, cells)
	}
	if masked != nil && memory.Padding != nil {
		masked = LogicalOr(masked, memory.Padding)
	}
	if masked != nil {
		memory.Padding = masked
	}
	memory.Positions = Reshape(sinePositions(valid, cfg.Dim), batch, cells, cfg.Dim)
	memory.Projected = Reshape(m.linear("project", m.noise.input(features), cfg.Dim, nn.Linear{}), batch, cells, cfg.Dim)
	if cfg.Gist != nil {
		memory.Projected = m.noise.drop(m.norm("project_norm", memory.Projected))
		memory.Gist = m.gist(features, memory.Padding, given)
	}

	x := memory.Projected
	for i := range cfg.EncoderLayers {
		b := m.in("encoder_%d", i).encoderBlock(x, memory.Positions, memory.Padding)
		memory.Encoder = append(memory.Encoder, b)
		x = b.Tokens
	}
	if cfg.EncoderLayers > 0 {
		x = m.norm("encoder_norm", x)
	}
	memory.Tokens = x
	return memory
}

// GridPadding says which cells of a batch's grid are padding, [picture, row, column], for
// pictures in the top left corner of a frame of height by width pixels; sizes are their
// heights and widths. A cell is padding if the pixel that torch's nearest interpolation
// picks for it is.
func (c Config) GridPadding(sizes [][2]int, height, width int) []bool {
	grid := c.Grid(height, width)
	frame := [2]int{height, width}
	out := make([]bool, 0, len(sizes)*grid[0]*grid[1])
	inside := func(size [2]int, axis, cell int) bool {
		scale := float32(frame[axis]) / float32(grid[axis])
		return int(float32(cell)*scale) < size[axis]
	}
	for _, size := range sizes {
		for r := range grid[0] {
			for column := range grid[1] {
				out = append(out, !inside(size, 0, r) || !inside(size, 1, column))
			}
		}
	}
	return out
}

// encoderBlock is a pre-norm block:
//
//	x = x + Attention(Norm(x)), positions added to its queries and keys
//	x = x + MLP(Norm(x))
func (m module) encoderBlock(x, positions, padding *Node) EncoderBlock {
	y := m.norm("norm1", x)
	attention := m.in("self").selfAttention(Add(y, positions), y, padding)
	x = m.linear("self/out", attention.Output(), m.cfg.Dim, nn.Linear{Residual: x})
	return EncoderBlock{Attention: attention, Tokens: m.addMLP(x, "norm2")}
}

// module builds a part of the model from the variables of that part.
type module struct {
	nn.Variables
	cfg   Config
	noise *noise // nil: nothing is dropped

	// explaining puts the encoder's attention probabilities on the way to the result, so that
	// it has gradients with respect to them. The decoder's always are.
	explaining bool
}

// newModule is the whole model. like is a node of the graph and has the weights' dtype.
func newModule(scope *model.Scope, cfg Config, like *Node) module {
	return module{Variables: nn.NewVariables(scope, like, cfg.NormEps, nn.Training{}), cfg: cfg}
}

// in is the part of the model in a scope below this one.
func (m module) in(format string, args ...any) module {
	m.Variables = m.In(format, args...)
	return m
}

func (m module) linear(name string, x *Node, out int, around nn.Linear) *Node {
	around.FewRows = true // a step of the decoder has a row per caption
	return m.Linear(name, x, out, true, around)
}

// norm normalises over the last axis.
func (m module) norm(name string, x *Node) *Node { return m.Norm(name, x.Shape().Dim(-1)).Apply(x) }

// addMLP is x + MLP(Norm(x)).
func (m module) addMLP(x *Node, norm string) *Node {
	hidden := m.linear("mlp/fc1", x, m.cfg.Hidden, nn.Linear{Norm: m.Norm(norm, m.cfg.Dim)})
	if m.noise == nil {
		return m.linear("mlp/fc2", hidden, m.cfg.Dim, nn.Linear{Activation: nn.ReLU, Residual: x})
	}
	return Add(x, m.noise.drop(m.linear("mlp/fc2", m.noise.drop(nn.ReLU.Apply(hidden)), m.cfg.Dim, nn.Linear{})))
}

// selfAttention takes queries and keys of one input and values of another.
func (m module) selfAttention(query, value, padding *Node) nn.Attention {
	qkv := Concatenate([]*Node{m.project(0, 2, query), m.project(2, 3, value)}, 2)
	a := nn.Attention{QKV: qkv, Heads: m.cfg.Heads, Mask: padding}
	if m.explaining {
		a.Weights = a.Probabilities()
	}
	return a
}

// project applies a part of the projection that queries (0), keys (1) and values (2)
// share, from one of them up to, but not including, another.
func (m module) project(from, to int, x *Node) *Node {
	d := m.cfg.Dim
	return nn.Linear{
		Weight: Slice(m.Get("in/weight", 3*d, d), AxisRange(from*d, to*d)),
		Bias:   Slice(m.Get("in/bias", 3*d), AxisRange(from*d, to*d)),

		FewRows: true,
	}.Apply(x)
}

// sinePositions is DETR's: half the channels tell the row, half the column, each
// by sines and cosines of falling frequency over coordinates that run from 0 to
// 2π over the part of the picture that isn't padding.
//
// valid: [batch, rows, columns], 1 for picture and 0 for padding. The result is
// [batch, rows, columns, dim].
func sinePositions(valid *Node, dim int) *Node {
	const eps, temperature = 1e-6, 10000
	g, half := valid.Graph(), dim/2
	rows, columns := valid.Shape().Dim(1), valid.Shape().Dim(2)
	count := func(n int) *Node { return ConvertDType(LowerTriangular(g, n), valid.DType()) }
	y := Einsum("bhw,gh->bgw", valid, count(rows))
	x := Einsum("bhw,vw->bhv", valid, count(columns))
	y = Div(y, AddScalar(SliceAxis(y, 1, AxisElem(rows-1)), eps))
	x = Div(x, AddScalar(SliceAxis(x, 2, AxisElem(columns-1)), eps))

	inverse, isCosine := make([]float32, half), make([]bool, half)
	for i := range half {
		inverse[i] = float32(2 * math.Pi / math.Pow(temperature, float64(i/2*2)/float64(half)))
		isCosine[i] = i%2 == 1
	}
	wave := func(coordinate *Node) *Node {
		angle := Mul(ExpandAxes(coordinate, -1), ExpandLeftToRank(ConvertDType(Const(g, inverse), valid.DType()), 4))
		cosine := BroadcastToDims(ExpandLeftToRank(Const(g, isCosine), 4), angle.Shape().Dimensions...)
		return Where(cosine, Cos(angle), Sin(angle))
	}
	return Concatenate([]*Node{wave(y), wave(x)}, 3)
}
