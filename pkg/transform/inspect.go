package transform

import (
	"fmt"
	"slices"
)

// EndsInTensor reports whether the pipeline makes tensors, that is, has a totensor step.
func (p Pipeline) EndsInTensor() bool {
	return slices.ContainsFunc(p, func(op Op) bool {
		_, ok := op.(ToTensor)
		return ok
	})
}

// Scaling returns the steps that turn a picture's values into a tensor's: totensor and
// the last normalisation. If there is no normalisation, it returns one with mean 0 and
// deviation 1, which changes nothing.
func (p Pipeline) Scaling() (ToTensor, Normalize) {
	t, n := ToTensor{}, Normalize{Mean: []float32{0}, Std: []float32{1}}
	for _, op := range p {
		switch op := op.(type) {
		case ToTensor:
			t = op
		case Normalize:
			n = op
		}
	}
	return t, n
}

// CheckChannels checks that every normalisation has one mean and one deviation, or one
// for each channel.
func (p Pipeline) CheckChannels(channels int) error {
	fits := func(values []float32) bool { return len(values) == 1 || len(values) == channels }
	for _, op := range p {
		if n, ok := op.(Normalize); ok && (!fits(n.Mean) || !fits(n.Std)) {
			return fmt.Errorf("%s: %d means and %d deviations for pictures of %d channels", n, len(n.Mean), len(n.Std), channels)
		}
	}
	return nil
}

// Evaluation returns the pipeline without its random steps, for validation and
// classification. A random crop becomes a centre crop. A random resized crop becomes the
// steps that torchvision's references use instead: resize the shorter side to 256/224 of
// the size, then a centre crop (if the size isn't square, the whole picture is resized).
func (p Pipeline) Evaluation() Pipeline {
	var out Pipeline
	for _, op := range p {
		switch o := op.(type) {
		case RandomCrop:
			out = append(out, CenterCrop{Height: o.Height, Width: o.Width})
		case RandomResizedCrop:
			if o.Height != o.Width {
				out = append(out, ResizeTo{Height: o.Height, Width: o.Width, Filter: o.Filter})
				continue
			}
			out = append(out, ResizeShort{Size: (o.Height*256 + 112) / 224, Filter: o.Filter}, CenterCrop{Height: o.Height, Width: o.Width})
		case RandomOp, RandomTensorOp:
		default:
			out = append(out, op)
		}
	}
	return out
}

// Region is a rectangle in a picture: pixel i of a row extends from x = i to i+1.
type Region struct{ X0, Y0, X1, Y1 float64 }

// Region returns the part of a picture of width x height that remains after the
// pipeline's crops. It returns false if a step does more than resize, crop or convert to a
// tensor, or if a crop pads.
func (p Pipeline) Region(width, height int) (Region, bool) {
	r := Region{0, 0, float64(width), float64(height)}
	for _, op := range p {
		switch op := op.(type) {
		case ResizeTo, ResizeShort, ResizeEdges, ResizeKeepRatio:
			width, height = op.(Sizer).Output(width, height)
		case cropper:
			crop := op.crop(height, width)
			if !r.cut(crop, height, width) {
				return Region{}, false
			}
			height, width = crop.Height, crop.Width
		case Background, ToTensor, Normalize:
		default:
			return Region{}, false
		}
	}
	return r, true
}

// cropper is a step that crops a picture.
type cropper interface {
	ImageOp
	// crop is the crop for a picture of the given size.
	crop(height, width int) Crop
}

// cut narrows the region by a crop of a picture that has been resized to height x width.
// It returns false if the crop pads.
func (r *Region) cut(c Crop, height, width int) bool {
	if c.Top < 0 || c.Left < 0 || c.Top+c.Height > height || c.Left+c.Width > width {
		return false
	}
	sx, sy := (r.X1-r.X0)/float64(width), (r.Y1-r.Y0)/float64(height)
	r.X0, r.Y0 = r.X0+sx*float64(c.Left), r.Y0+sy*float64(c.Top)
	r.X1, r.Y1 = r.X0+sx*float64(c.Width), r.Y0+sy*float64(c.Height)
	return true
}

// OutputSize is the size of the result for an RGB picture: channels, height and width.
// fixed is false if the size depends on the picture or on random draws, as after
// resize(256) alone; the numbers are then meaningless.
//
// Random steps from other packages are assumed to keep the size, unless they implement
// [Sizer].
func (p Pipeline) OutputSize() (channels, height, width int, fixed bool) {
	e := extent{channels: 3}
	for _, op := range p {
		e = e.after(op)
	}
	fixed = e.channels > 0 && e.height > 0 && e.width > 0
	return e.channels, e.height, e.width, fixed
}

// extent is a picture's channels, height and width; 0 means unknown.
type extent struct{ channels, height, width int }

// after is the extent after a step of a picture with extent e.
func (e extent) after(op Op) extent {
	switch op := op.(type) {
	case Chance:
		return e.maybe(op)
	case Sequence:
		for _, step := range op {
			e = e.after(step)
		}
	case Grayscale:
		if op.Channels > 0 {
			e.channels = op.Channels
		}
	case Background:
		e.channels = 3
	case RandomCrop:
		e.height, e.width = op.Height, op.Width
	case RandomResizedCrop:
		e.height, e.width = op.Height, op.Width
	case RandomRotation:
		if op.Expand {
			e.height, e.width = 0, 0
		}
	case ResizeTo, Crop, CenterCrop, CenterCropFloor, CenterCropFill:
		e.width, e.height = op.(Sizer).Output(0, 0)
	case Sizer:
		if e.height == 0 || e.width == 0 {
			return extent{channels: e.channels}
		}
		e.width, e.height = op.Output(e.width, e.height)
	}
	return e
}

// maybe is the extent after a step that is applied at random: the values that are the
// same with and without the step.
func (e extent) maybe(c Chance) extent {
	then := e.after(c.Op)
	switch {
	case c.P >= 1:
		return then
	case c.P <= 0:
		return e
	case then.channels != e.channels:
		e.channels = 0
	}
	if then.height != e.height || then.width != e.width {
		e.height, e.width = 0, 0
	}
	return e
}

// ShortSide is the length of the shorter side of every picture that the pipeline makes,
// if the pipeline fixes it and the other side depends on the picture's shape, as with
// resize(256); otherwise 0.
func (p Pipeline) ShortSide() int {
	short := 0
	for _, op := range p {
		switch op := op.(type) {
		case ResizeShort:
			short = op.Size
		case Sequence:
			steps := make(Pipeline, len(op))
			for i, step := range op {
				steps[i] = step
			}
			if inner := steps.ShortSide(); inner > 0 || steps.resizes() {
				short = inner
			}
		default:
			if (Pipeline{op}).resizes() {
				short = 0
			}
		}
	}
	return short
}

// resizes reports whether any step may change a picture's size.
func (p Pipeline) resizes() bool {
	for _, op := range p {
		switch op := op.(type) {
		case Chance:
			if (Pipeline{op.Op}).resizes() {
				return true
			}
		case Sequence:
			for _, step := range op {
				if (Pipeline{step}).resizes() {
					return true
				}
			}
		case RandomCrop, RandomResizedCrop:
			return true
		case RandomRotation:
			if op.Expand {
				return true
			}
		case Sizer:
			return true
		}
	}
	return false
}
