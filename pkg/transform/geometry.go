package transform

import (
	"errors"
	"fmt"
)

// ResizeTo scales to exactly Height rows of Width pixels.
type ResizeTo struct {
	Height, Width int
	Filter        Filter
}

// String is the step's text.
func (r ResizeTo) String() string {
	return fmt.Sprintf("resize(%d,%d,%s)", r.Height, r.Width, r.Filter)
}

// Apply scales. A size that isn't positive is an error.
func (r ResizeTo) Apply(im *Image) (*Image, error) { return fresh(r, im) }

func (r ResizeTo) apply(b *Buffers, im *Image) (*Image, error) {
	if r.Height <= 0 || r.Width <= 0 {
		return nil, errSize
	}
	return b.resize(im, r.Height, r.Width, r.Filter), nil
}

// Output implements [Sizer].
func (r ResizeTo) Output(int, int) (width, height int) { return r.Width, r.Height }

var errSize = errors.New("sizes must be positive")

// ResizeShort scales the shorter side to Size and keeps the shape, rounding the
// longer side down, as torchvision's Resize(size) does.
type ResizeShort struct {
	Size   int
	Filter Filter
}

// String is the step's text.
func (r ResizeShort) String() string { return fmt.Sprintf("resize(%d,%s)", r.Size, r.Filter) }

// maxPixels bounds what a picture of extreme shape may grow to.
const maxPixels = 1 << 28

// Apply scales. A picture so long and thin that the result would be enormous is
// an error.
func (r ResizeShort) Apply(im *Image) (*Image, error) { return fresh(r, im) }

func (r ResizeShort) apply(b *Buffers, im *Image) (*Image, error) {
	if r.Size <= 0 {
		return nil, errSize
	}
	height, width := r.Target(im.Height, im.Width)
	return b.resizeChecked(im, height, width, r.Filter)
}

// Output implements [Sizer].
func (r ResizeShort) Output(width, height int) (newWidth, newHeight int) {
	newHeight, newWidth = r.Target(height, width)
	return newWidth, newHeight
}

// Target is the size that a picture of the given size is scaled to.
func (r ResizeShort) Target(height, width int) (newHeight, newWidth int) {
	if width < height {
		return int(float64(r.Size) * float64(height) / float64(width)), r.Size
	}
	return r.Size, int(float64(r.Size) * float64(width) / float64(height))
}
