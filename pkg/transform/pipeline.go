package transform

import (
	"errors"
	"fmt"
	"strings"
)

// Tensor is a picture as a model takes it: [channels, height, width], row-major.
type Tensor struct {
	Data  []float32
	Shape [3]int
}

// Op is one step of a pipeline: an [ImageOp], [ToTensor], a [TensorOp], or a
// random step ([RandomOp], [RandomTensorOp]) that becomes one when it is drawn.
type Op interface {
	// String is the step as a pipeline's text has it.
	String() string
}

// ImageOp is a fixed step from picture to picture. Apply leaves the picture it is
// given as it was and returns one that shares no memory with it.
type ImageOp interface {
	Op
	Apply(im *Image) (*Image, error)
}

// Sizer is an [ImageOp] whose result has another size than the picture it is
// given.
type Sizer interface {
	Output(width, height int) (newWidth, newHeight int)
}

// TensorOp is a fixed step that changes a tensor in place.
type TensorOp interface {
	Op
	Apply(t *Tensor) error
}

// RandomOp is a step on pictures with parameters to be drawn. Draw returns a
// fixed step with the parameters for a picture of width x height pixels, drawn
// from r; the step's text shows them.
type RandomOp interface {
	Op
	Draw(r *Rand, width, height int) ImageOp
}

// RandomTensorOp is a step on tensors with parameters to be drawn.
type RandomTensorOp interface {
	Op
	DrawTensor(r *Rand, width, height int) TensorOp
}

// Pipeline is steps in order: pictures first, then at most one ToTensor, then
// steps on tensors. A pipeline with random steps is run with a seed, by ImageAt
// and TensorAt, or drawn first, by Draw.
type Pipeline []Op

// String is the pipeline as [Parse] reads it.
func (p Pipeline) String() string {
	steps := make([]string, len(p))
	for i, op := range p {
		steps[i] = op.String()
	}
	return strings.Join(steps, " | ")
}

// Random says whether the pipeline has random steps.
func (p Pipeline) Random() bool {
	for _, op := range p {
		switch op.(type) {
		case RandomOp, RandomTensorOp:
			return true
		}
	}
	return false
}

var errRandom = errors.New("the pipeline has random steps: draw them first (Draw), or run it with a seed (ImageAt, TensorAt)")

// Draw draws the random steps for the picture of an index in an epoch of a run
// with a seed, which has width x height pixels, and returns the fixed
// pipeline that they make. The same numbers give the same parameters. Steps that
// don't happen are left out. Steps that can't be drawn, such as a crop larger
// than the picture, are an error.
func (p Pipeline) Draw(seed, epoch, index uint64, width, height int) (Pipeline, error) {
	var out Pipeline
	var r Rand
	for i, op := range p {
		r.reset(seed, epoch, index, uint64(i))
		switch random := op.(type) {
		case RandomOp:
			op = random.Draw(&r, width, height)
		case RandomTensorOp:
			op = random.DrawTensor(&r, width, height)
		}
		if f, ok := op.(impossible); ok {
			return nil, fmt.Errorf("%s: %w", p[i], f.err)
		}
		if s, ok := op.(Sizer); ok {
			width, height = s.Output(width, height)
		}
		switch op := op.(type) {
		case Identity:
		case Erase:
			if op.Height > 0 {
				out = append(out, op)
			}
		case Sequence:
			for _, step := range op {
				out = append(out, step)
			}
		default:
			out = append(out, op)
		}
	}
	if len(out) == 0 {
		out = Pipeline{Identity{}}
	}
	return out, nil
}

// Image runs the steps up to ToTensor. Random steps are an error.
func (p Pipeline) Image(im *Image) (*Image, error) {
	if p.Random() {
		return nil, errRandom
	}
	return p.ImageAt(0, 0, 0, im)
}

// Tensor runs all steps. A pipeline without ToTensor is an error, and so are
// random steps.
func (p Pipeline) Tensor(im *Image) (*Tensor, error) {
	if p.Random() {
		return nil, errRandom
	}
	return p.TensorAt(0, 0, 0, im)
}

// ImageAt runs the steps up to ToTensor, with the parameters that Draw draws.
func (p Pipeline) ImageAt(seed, epoch, index uint64, im *Image) (*Image, error) {
	out, err := new(Buffers).Image(p, seed, epoch, index, im)
	if err != nil {
		return nil, err
	}
	return separate(out, im), nil
}

// TensorAt runs all steps, with the parameters that Draw draws. A pipeline
// without ToTensor is an error.
func (p Pipeline) TensorAt(seed, epoch, index uint64, im *Image) (*Tensor, error) {
	t, err := new(Buffers).Tensor(p, seed, epoch, index, im)
	if err != nil {
		return nil, err
	}
	return &Tensor{Data: t.Data, Shape: t.Shape}, nil
}
