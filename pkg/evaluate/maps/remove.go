package maps

import (
	"errors"
	"fmt"

	"gaze/pkg/transform"
)

// Operator is a way of removing cells from a picture. What a model makes of a removal
// depends on it: gaps of one colour look like objects, blurred ones keep the colours, and
// the gaps' own shapes tell something of the class. So each is a column of its own, and
// they are never averaged.
type Operator struct {
	Key   string // in the keys of columns: "mean"
	Name  string // in tables: "training mean"
	About string // one sentence: definition and source

	// drops says that the model leaves out the cells' tokens, and no pixel changes.
	drops bool
	// prepare does what is needed once for a picture; nil if it can't be removed from.
	prepare func(c *Case, grid [2]int) (remover, error)
}

// remover writes a picture without the cells that are gone, [channels, height, width].
// It may be called at the same time from several goroutines.
type remover func(dst []float32, gone []bool) error

// Replacing is an operator that puts the same pixels of another picture in place of those
// that are removed. other makes it, in the same shape and normalisation; it returns nil
// if there is none for a case, which then isn't scored by this operator. The true
// background of a drawing, drawn without its animal, is one.
func Replacing(key, name, about string, other func(c *Case) (*transform.Tensor, error)) Operator {
	return Operator{Key: key, Name: name, About: about, prepare: func(c *Case, grid [2]int) (remover, error) {
		with, err := other(c)
		if with == nil || err != nil {
			return nil, err
		}
		if with.Shape != c.Tensor.Shape || len(with.Data) != len(c.Tensor.Data) {
			return nil, fmt.Errorf("the picture in its place is %v, but it is %v", with.Shape, c.Tensor.Shape)
		}
		return func(dst []float32, gone []bool) error {
			copy(dst, c.Tensor.Data)
			eachGone(c.Tensor.Shape, grid, gone, func(from, to int) { copy(dst[from:to], with.Data[from:to]) })
			return nil
		}, nil
	}}
}

// TrainingMean replaces pixels by the mean of the training pictures, which is zero in a
// normalised tensor.
func TrainingMean() Operator {
	return Replacing("mean", "training mean", "removed pixels become the mean of the training pictures, zero after normalisation",
		func(c *Case) (*transform.Tensor, error) {
			return &transform.Tensor{Data: make([]float32, len(c.Tensor.Data)), Shape: c.Tensor.Shape}, nil
		})
}

// TokenDrop leaves the removed patches out of the sequence of tokens, so that there is no
// colour in their place. The map's grid must be that of the patches. A model that pools
// patches has none left when all are removed: its answer is then the one to a picture of
// the training mean.
func TokenDrop() Operator {
	return Operator{Key: "drop", Name: "token drop", About: "the removed patches' tokens are left out of the sequence", drops: true,
		prepare: func(*Case, [2]int) (remover, error) { return nil, nil }}
}

// Apply removes cells from a case's picture. gone says which, in reading order on a grid
// of rows and columns. It is an error for [TokenDrop], which changes no pixel, and where
// the operator has nothing to put in place.
func (o Operator) Apply(c *Case, grid [2]int, gone []bool) (*transform.Tensor, error) {
	if o.drops {
		return nil, errors.New("maps: dropping tokens changes no pixel")
	}
	if grid[0] < 1 || grid[1] < 1 || len(gone) != grid[0]*grid[1] {
		return nil, fmt.Errorf("maps: %d cells, gone or not, on a grid of %dx%d", len(gone), grid[0], grid[1])
	}
	remove, err := o.ready(c, grid)
	if err != nil {
		return nil, err
	}
	if remove == nil {
		return nil, fmt.Errorf("maps: %s can't be used on %s: it isn't known what to put in place", o.Name, c.Name)
	}
	out := &transform.Tensor{Data: make([]float32, len(c.Tensor.Data)), Shape: c.Tensor.Shape}
	return out, remove(out.Data, gone)
}

// ready prepares a picture, and names it in errors.
func (o Operator) ready(c *Case, grid [2]int) (remover, error) {
	t := c.Tensor
	if t == nil || len(t.Data) == 0 || len(t.Data) != t.Shape[0]*t.Shape[1]*t.Shape[2] {
		return nil, fmt.Errorf("maps: %s has no tensor, or one that isn't of its shape", c.Name)
	}
	if grid[0] > t.Shape[1] || grid[1] > t.Shape[2] {
		return nil, fmt.Errorf("maps: a grid of %dx%d cells on the %dx%d pixels of %s", grid[0], grid[1], t.Shape[1], t.Shape[2], c.Name)
	}
	if o.prepare == nil {
		return nil, errors.New("maps: an operator without a way of removing: make one by TrainingMean, Blur, LinearImputation, TokenDrop or Replacing")
	}
	remove, err := o.prepare(c, grid)
	if err != nil {
		return nil, fmt.Errorf("maps: removing parts of %s by %s: %w", c.Name, o.Name, err)
	}
	return remove, nil
}

// eachGone calls do with each run of a picture's values that lies in a row of a cell that
// is gone, for all channels. Pixel y of height is in row y·rows/height.
func eachGone(shape [3]int, grid [2]int, gone []bool, do func(from, to int)) {
	h, w := shape[1], shape[2]
	for channel := range shape[0] {
		for y := range h {
			row, at := gone[y*grid[0]/h*grid[1]:], (channel*h+y)*w
			for col := range grid[1] {
				if row[col] {
					do(at+first(col, w, grid[1]), at+first(col+1, w, grid[1]))
				}
			}
		}
	}
}

// first is the first of n pixels that is in a cell, of which there are so many.
func first(cell, n, cells int) int { return (cell*n + cells - 1) / cells }
