package caption

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Explained is a pass over captions whose attention probabilities are all on the way to
// the logits, so that [graph.Gradient] with respect to any of them is the true one. Each
// row explains one word: it has an encoder of its own, or else the gradients of the words
// of a picture would mix there.
type Explained struct {
	Memory  *Memory
	Decoder *Intermediates
	Step    *Node // [rows, tokens]: 1 at the row's step, else 0
	Logits  *Node // [rows, vocab]: of the token that the row's step predicts
}

// ForwardExplaining builds the graph of a pass for explanations from what the backbone
// has made of a picture, [1, rows, columns, channels], as [EncodeFeatures] takes it.
//
// tokens are int32 [rows, tokens] as [Decode] takes them, and steps int32 [rows]: the
// position whose prediction a row explains. masked is bool [rows, cells], true for cells
// that nothing may attend to, nil for none. Weights must not be packed. It panics on
// shapes that don't fit.
func ForwardExplaining(scope *model.Scope, cfg Config, features, tokens, steps, masked *Node) *Explained {
	rows, length := tokens.Shape().Dim(0), tokens.Shape().Dim(1)
	d := features.Shape().Dimensions
	if len(d) != 4 || d[0] != 1 || d[3] != cfg.Backbone.Channels() {
		exceptions.Panicf("caption.ForwardExplaining: features have shape %s, not [1, rows, columns, %d]", features.Shape(), cfg.Backbone.Channels())
	}
	m := newModule(scope, cfg, features)
	m.explaining = true
	each := BroadcastToDims(features, rows, d[1], d[2], d[3])
	x := &Explained{Memory: m.encode(each, nil, nil, masked)}
	x.Decoder = Decode(scope, cfg, x.Memory, tokens, nil)
	at := Iota(tokens.Graph(), shapes.Make(dtypes.Int32, 1, length), 1)
	x.Step = ConvertDType(Equal(at, Reshape(steps, rows, 1)), features.DType())
	x.Logits = m.head(Einsum("rtd,rt->rd", x.Decoder.Norm, x.Step))
	return x
}

// Encoder lists the encoder's attention probabilities, layer by layer, [rows, heads,
// cells, cells].
func (x *Explained) Encoder() []*Node {
	var list []*Node
	for _, b := range x.Memory.Encoder {
		list = append(list, b.Attention.Weights)
	}
	return list
}

// Self lists the decoder's attention to the tokens so far, layer by layer, [rows, heads,
// tokens, tokens].
func (x *Explained) Self() []*Node {
	var list []*Node
	for _, l := range x.Decoder.Layers {
		list = append(list, l.Self)
	}
	return list
}

// Cross lists the decoder's attention to the picture, layer by layer, [rows, heads,
// tokens, cells].
func (x *Explained) Cross() []*Node {
	var list []*Node
	for _, l := range x.Decoder.Layers {
		list = append(list, l.Cross)
	}
	return list
}
