package explain

import (
	"math"

	"gaze/pkg/transform"
)

// maxSeen bounds the sides of the picture that a figure shows, in pixels.
const maxSeen = 1024

// Seen returns the part of a picture that a pipeline lets a model see, in the
// picture's own colours, shape and sharpness: what a map belongs over. For
// pipelines that do more than resize and crop it is the pipeline's own picture,
// before it becomes a tensor. Neither side is longer than 1024 pixels.
func Seen(p transform.Pipeline, im *transform.Image) (*transform.Image, error) {
	box, ok := region(p, im.Width, im.Height)
	if !ok {
		return p.Image(im)
	}
	left, top := int(math.Round(box.x0)), int(math.Round(box.y0))
	width, height := max(int(math.Round(box.x1))-left, 1), max(int(math.Round(box.y1))-top, 1)
	cut, err := transform.Crop{Top: top, Left: left, Height: height, Width: width}.Apply(im)
	if err != nil {
		return nil, err
	}
	return shrunk(cut), nil
}

// shrunk is the picture, no side longer than maxSeen: a figure shows no more of it.
func shrunk(im *transform.Image) *transform.Image {
	longest := max(im.Width, im.Height)
	if longest <= maxSeen {
		return im
	}
	return transform.Resize(im, max(im.Height*maxSeen/longest, 1), max(im.Width*maxSeen/longest, 1), transform.Bilinear)
}

// box is a rectangle in the original picture's pixels.
type box struct{ x0, y0, x1, y1 float64 }

// region follows a picture of width x height through the pipeline and returns
// which part of it is left; false if a step does more than resize and crop, or
// pads.
func region(p transform.Pipeline, width, height int) (box, bool) {
	b := box{0, 0, float64(width), float64(height)}
	for _, op := range p {
		switch op := op.(type) {
		case transform.ResizeTo:
			height, width = op.Height, op.Width
		case transform.ResizeShort, transform.ResizeEdges, transform.ResizeKeepRatio:
			width, height = op.(transform.Sizer).Output(width, height)
		case transform.CenterCrop, transform.CenterCropFloor, transform.CenterCropFill, transform.Crop:
			crop := cropOf(op, height, width)
			if !b.cut(crop.Top, crop.Left, crop.Height, crop.Width, height, width) {
				return box{}, false
			}
			height, width = crop.Height, crop.Width
		case transform.Background, transform.ToTensor, transform.Normalize:
		default:
			return box{}, false
		}
	}
	return b, true
}

// cropOf is a step that crops, in a picture of height x width.
func cropOf(op transform.Op, height, width int) transform.Crop {
	switch op := op.(type) {
	case transform.CenterCrop:
		top, left := op.Offset(height, width)
		return transform.Crop{Top: top, Left: left, Height: op.Height, Width: op.Width}
	case transform.CenterCropFloor:
		top, left := op.Offset(height, width)
		return transform.Crop{Top: top, Left: left, Height: op.Height, Width: op.Width}
	case transform.CenterCropFill: // where it crops, it is a CenterCrop
		return cropOf(transform.CenterCrop{Height: op.Height, Width: op.Width}, height, width)
	}
	return op.(transform.Crop)
}

// cut narrows the box by a crop in a picture that is now have rows by columns.
func (b *box) cut(top, left, height, width, haveHeight, haveWidth int) bool {
	if top < 0 || left < 0 || top+height > haveHeight || left+width > haveWidth {
		return false // padded
	}
	sx, sy := (b.x1-b.x0)/float64(haveWidth), (b.y1-b.y0)/float64(haveHeight)
	b.x0, b.y0 = b.x0+sx*float64(left), b.y0+sy*float64(top)
	b.x1, b.y1 = b.x0+sx*float64(width), b.y0+sy*float64(height)
	return true
}
