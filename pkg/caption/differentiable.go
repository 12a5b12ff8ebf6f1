package caption

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/nn"
	"gaze/pkg/transform"
)

// Differentiable is a captioner's weights on a backend in a form that has gradients, for
// graphs of the caller's own over [ForwardExplaining]. It is safe for concurrent use.
type Differentiable struct {
	config Config
	vocab  *wordpiece.Vocab

	mu  sync.Mutex
	net *network // nil: closed
}

// NewDifferentiable uploads the model's weights, checking that they are finite. The model
// may be closed afterwards.
func NewDifferentiable(b compute.Backend, m *Model) (*Differentiable, error) {
	if lacks := m.LacksBackbone(); lacks != "" {
		return nil, fmt.Errorf("caption: the model's backbone is in another checkpoint, %s: complete it first (Model.Complete)", lacks)
	}
	n, err := newNetwork(b, m, false)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	return &Differentiable{config: m.Config, vocab: m.Vocab, net: n}, nil
}

// Config is the model's configuration.
func (d *Differentiable) Config() Config { return d.config }

// Vocab is the vocabulary that came with the model; nil if none did.
func (d *Differentiable) Vocab() *wordpiece.Vocab { return d.vocab }

// Close frees the weights and the compiled programs.
func (d *Differentiable) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.net == nil {
		return nil
	}
	n := d.net
	d.net = nil
	return n.close()
}

// Features is what the backbone has made of a picture, on the backend: explanations begin
// there, so that a frozen backbone runs once for all words and has no gradients.
type Features struct {
	Grid  [2]int // rows and columns of cells
	Input [2]int // height and width in pixels of what the network saw

	values *tensors.Tensor // [1, rows, columns, channels]
}

// Free frees the features on the backend.
func (f *Features) Free() { nn.Free(f.values) }

// Features runs the backbone on a preprocessed picture. The caller frees the result.
func (d *Differentiable) Features(t *transform.Tensor) (*Features, error) {
	inputs := d.config.Backbone.Inputs()
	if t == nil || t.Shape[0] != inputs || t.Shape[1] < 1 || t.Shape[2] < 1 || len(t.Data) != t.Shape[0]*t.Shape[1]*t.Shape[2] {
		return nil, fmt.Errorf("caption: a picture to explain must be preprocessed (Config.Preprocess), [%d, height, width]", inputs)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.net == nil {
		return nil, errors.New("caption: the weights for explanations are closed")
	}
	image, err := input(d.net, t.Data, 1, t.Shape[0], t.Shape[1], t.Shape[2])
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	defer nn.Free(image)
	made, err := run(d.net, fmt.Sprint("features ", t.Shape), func(scope *model.Scope, image *Node) []*Node {
		return []*Node{d.config.Backbone.Features(newModule(scope, d.config, image).In("backbone"), image)}
	}, image)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	return &Features{Grid: d.config.Grid(t.Shape[1], t.Shape[2]), Input: [2]int(t.Shape[1:]), values: made[0]}, nil
}

// Rows are the words that a pass explains, one a row.
type Rows struct {
	Tokens [][]int  // of each row, the caption from [Config].StartID on, without what comes after the step at will
	Steps  []int    // of each row, the position that predicts the word: Tokens[row][Steps[row]] is the token before it
	Masked [][]bool // of each row, the cells that nothing may attend to; nil for none
}

// check reports what can't be.
func (r Rows) check(c Config, cells int) error {
	if len(r.Tokens) == 0 || len(r.Steps) != len(r.Tokens) || r.Masked != nil && len(r.Masked) != len(r.Tokens) {
		return fmt.Errorf("%d captions, %d steps and %d lists of masked cells: there must be one of each for every row", len(r.Tokens), len(r.Steps), len(r.Masked))
	}
	for i, tokens := range r.Tokens {
		if len(tokens) > c.MaxPositions {
			return fmt.Errorf("a caption of %d tokens with the first: this model allows %d", len(tokens), c.MaxPositions)
		}
		if s := r.Steps[i]; s < 0 || s >= len(tokens) {
			return fmt.Errorf("step %d of a caption with %d steps, counted from 0", s, len(tokens))
		}
		for _, id := range tokens {
			if id < 0 || id >= c.Vocab {
				return fmt.Errorf("token %d: the vocabulary has %d, counted from 0", id, c.Vocab)
			}
		}
		if r.Masked != nil && (len(r.Masked[i]) != cells || !slices.Contains(r.Masked[i], false)) {
			return fmt.Errorf("row %d masks %d cells of %d: give one value for each, and leave at least one", i, len(r.Masked[i]), cells)
		}
	}
	return nil
}

// lengths of captions are rounded up to a multiple of this, so that captions of different
// lengths share programs. Padding at the end changes nothing: tokens attend only to those
// before them.
const lengths = 8

// flat is the tokens, padded to one length.
func (r Rows) flat(c Config) (values []int32, length int) {
	for _, tokens := range r.Tokens {
		length = max(length, len(tokens))
	}
	length = min((length+lengths-1)/lengths*lengths, c.MaxPositions)
	for _, tokens := range r.Tokens {
		for i := range length {
			id := c.PadID
			if i < len(tokens) {
				id = tokens[i]
			}
			values = append(values, int32(id))
		}
	}
	return values, length
}

// Program runs a graph of the caller's own over a pass that explains words of a picture's
// captions. It is compiled on first use for each key and for each number of rows, length
// of captions and grid; a key must stand for one graph. more are further inputs, which the
// caller frees. The results are float32 values, in the graph's order.
func (d *Differentiable) Program(key string, f *Features, r Rows, build func(x *Explained, more []*Node) []*Node, more ...*tensors.Tensor) ([][]float32, error) {
	cells := f.Grid[0] * f.Grid[1]
	if err := r.check(d.config, cells); err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.net == nil {
		return nil, errors.New("caption: the weights for explanations are closed")
	}
	own, err := d.inputs(r, cells)
	defer func() { nn.Free(own...) }()
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	inputs := []any{f.values}
	for _, t := range slices.Concat(own, more) {
		inputs = append(inputs, t)
	}
	key = fmt.Sprintf("explain %s %v %v masked=%v", key, f.Grid, own[0].Shape(), r.Masked != nil)
	results, err := run(d.net, key, func(scope *model.Scope, in []*Node) []*Node {
		var masked *Node
		if r.Masked != nil {
			masked = in[3]
		}
		return build(ForwardExplaining(scope, d.config, in[0], in[1], in[2], masked), in[1+len(own):])
	}, inputs...)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	defer nn.Free(results...)
	var out [][]float32
	for _, t := range results {
		values, err := tensors.CopyFlatData[float32](t)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		out = append(out, values)
	}
	return out, nil
}

// inputs copies tokens, steps and, if there are any, masked cells to the backend.
func (d *Differentiable) inputs(r Rows, cells int) ([]*tensors.Tensor, error) {
	tokens, length := r.flat(d.config)
	steps := make([]int32, len(r.Steps))
	for i, s := range r.Steps {
		steps[i] = int32(s)
	}
	var list []*tensors.Tensor
	add := func(t *tensors.Tensor, err error) error {
		if err == nil {
			list = append(list, t)
		}
		return err
	}
	err := add(input(d.net, tokens, len(steps), length))
	if err == nil {
		err = add(input(d.net, steps, len(steps)))
	}
	if err == nil && r.Masked != nil {
		err = add(input(d.net, slices.Concat(r.Masked...), len(steps), cells))
	}
	return list, err
}
