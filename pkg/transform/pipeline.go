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

// Op is one step of a pipeline.
type Op interface {
	// String is the step as a pipeline's text has it.
	String() string
}

// ImageOp is a step from picture to picture.
type ImageOp interface {
	Op
	Apply(im *Image) (*Image, error)
}

// Pipeline is steps in order: pictures first, then at most one ToTensor, then
// steps on tensors.
type Pipeline []Op

// String is the pipeline as [Parse] reads it.
func (p Pipeline) String() string {
	steps := make([]string, len(p))
	for i, op := range p {
		steps[i] = op.String()
	}
	return strings.Join(steps, " | ")
}

// Image runs the steps up to ToTensor.
func (p Pipeline) Image(im *Image) (*Image, error) {
	for _, op := range p {
		step, ok := op.(ImageOp)
		if !ok {
			break
		}
		next, err := step.Apply(im)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		im = next
	}
	return im, nil
}

// Tensor runs all steps. A pipeline without ToTensor is an error.
func (p Pipeline) Tensor(im *Image) (*Tensor, error) {
	im, err := p.Image(im)
	if err != nil {
		return nil, err
	}
	var t *Tensor
	for _, op := range p {
		switch op := op.(type) {
		case ToTensor:
			t = op.Apply(im)
		case Normalize:
			if err := op.Apply(t); err != nil {
				return nil, fmt.Errorf("%s: %w", op, err)
			}
		}
	}
	if t == nil {
		return nil, errors.New("the pipeline doesn't end in a tensor: add '| totensor' and the normalisation")
	}
	return t, nil
}
