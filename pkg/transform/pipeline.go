package transform

import (
	"errors"
	"fmt"
	"strings"
)

// Tensor is a picture as a model's input: [channels, height, width], row-major.
type Tensor struct {
	Data  []float32
	Shape [3]int
}

// Op is one step of a pipeline: an [ImageOp], [ToTensor], a [TensorOp], or a random step
// ([RandomOp], [RandomTensorOp]), which becomes a fixed one when it is drawn.
type Op interface {
	// String is the step in a pipeline's text.
	String() string
}

// ImageOp is a fixed step from picture to picture. Apply doesn't change its input and
// returns a picture that shares no memory with it.
type ImageOp interface {
	Op
	Apply(im *Image) (*Image, error)
}

// Sizer is an [ImageOp] that changes a picture's size.
type Sizer interface {
	Output(width, height int) (newWidth, newHeight int)
}

// TensorOp is a fixed step that changes a tensor in place.
type TensorOp interface {
	Op
	Apply(t *Tensor) error
}

// RandomOp is a step on pictures with random parameters. Draw returns a fixed step for a
// picture of width x height pixels, with parameters drawn from r; the fixed step's text
// shows them.
type RandomOp interface {
	Op
	Draw(r *Rand, width, height int) ImageOp
}

// RandomTensorOp is a step on tensors with random parameters.
type RandomTensorOp interface {
	Op
	DrawTensor(r *Rand, width, height int) TensorOp
}

// Pipeline is a sequence of steps: first steps on pictures, then at most one ToTensor,
// then steps on tensors. A pipeline with random steps is run with a seed (ImageAt,
// TensorAt), or drawn first (Draw).
type Pipeline []Op

// String is the pipeline as text for [Parse].
func (p Pipeline) String() string {
	steps := make([]string, len(p))
	for i, op := range p {
		steps[i] = op.String()
	}
	return strings.Join(steps, " | ")
}

// Random reports whether the pipeline has random steps.
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

// Draw draws the random steps for a picture, given by its index, epoch, the run's seed
// and its size of width x height pixels, and returns the resulting fixed pipeline. The
// same numbers give the same parameters. Steps that aren't applied are left out. A step
// that can't be drawn, such as a crop larger than the picture, is an error.
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

// ImageAt runs the steps up to ToTensor, with the parameters drawn by Draw.
func (p Pipeline) ImageAt(seed, epoch, index uint64, im *Image) (*Image, error) {
	out, err := new(Buffers).Image(p, seed, epoch, index, im)
	if err != nil {
		return nil, err
	}
	return separate(out, im), nil
}

// TensorAt runs all steps, with the parameters drawn by Draw. A pipeline without ToTensor
// is an error.
func (p Pipeline) TensorAt(seed, epoch, index uint64, im *Image) (*Tensor, error) {
	t, err := new(Buffers).Tensor(p, seed, epoch, index, im)
	if err != nil {
		return nil, err
	}
	return &Tensor{Data: t.Data, Shape: t.Shape}, nil
}
