package transform

import (
	"errors"
	"fmt"
	"math"
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
func (r ResizeTo) Apply(im *Image) (*Image, error) {
	if r.Height <= 0 || r.Width <= 0 {
		return nil, errors.New("sizes must be positive")
	}
	return Resize(im, r.Height, r.Width, r.Filter), nil
}

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
func (r ResizeShort) Apply(im *Image) (*Image, error) {
	if r.Size <= 0 {
		return nil, errors.New("sizes must be positive")
	}
	height, width := r.Target(im.Height, im.Width)
	if height > maxPixels/width {
		return nil, fmt.Errorf("a picture of %dx%d would become one of %dx%d: crop it first", im.Width, im.Height, width, height)
	}
	return Resize(im, height, width, r.Filter), nil
}

// Target is the size that a picture of the given size is scaled to.
func (r ResizeShort) Target(height, width int) (newHeight, newWidth int) {
	if width < height {
		return int(float64(r.Size) * float64(height) / float64(width)), r.Size
	}
	return r.Size, int(float64(r.Size) * float64(width) / float64(height))
}

// CenterCrop cuts Height rows of Width pixels out of the middle; a smaller
// picture is padded with black, with torchvision's rounding.
type CenterCrop struct{ Height, Width int }

// String is the step's text.
func (c CenterCrop) String() string {
	if c.Height == c.Width {
		return fmt.Sprintf("centercrop(%d)", c.Height)
	}
	return fmt.Sprintf("centercrop(%d,%d)", c.Height, c.Width)
}

// Apply cuts.
func (c CenterCrop) Apply(im *Image) (*Image, error) {
	if c.Height <= 0 || c.Width <= 0 {
		return nil, errors.New("sizes must be positive")
	}
	top, left := c.Offset(im.Height, im.Width)
	return crop(im, top, left, c.Height, c.Width), nil
}

// Offset is where the cut begins in a picture of the given size; negative where
// it is padded.
func (c CenterCrop) Offset(height, width int) (top, left int) {
	return centre(height, c.Height), centre(width, c.Width)
}

func centre(have, want int) int {
	if have < want {
		return -((want - have) / 2)
	}
	return int(math.RoundToEven(float64(have-want) / 2))
}

// Crop cuts Height rows of Width pixels from (Top, Left). What lies outside the
// picture is black.
type Crop struct{ Top, Left, Height, Width int }

// String is the step's text.
func (c Crop) String() string {
	return fmt.Sprintf("crop(%d,%d,%d,%d)", c.Top, c.Left, c.Height, c.Width)
}

// Apply cuts.
func (c Crop) Apply(im *Image) (*Image, error) {
	if c.Height <= 0 || c.Width <= 0 {
		return nil, errors.New("sizes must be positive")
	}
	return crop(im, c.Top, c.Left, c.Height, c.Width), nil
}

func crop(im *Image, top, left, height, width int) *Image {
	out := NewImage(width, height, im.Channels)
	n := im.Channels
	x0, x1 := max(left, 0), min(left+width, im.Width)
	if x0 >= x1 {
		return out
	}
	for y := max(top, 0); y < min(top+height, im.Height); y++ {
		copy(out.Pix[((y-top)*width+x0-left)*n:], im.Pix[(y*im.Width+x0)*n:(y*im.Width+x1)*n])
	}
	return out
}

// HFlip mirrors left and right.
type HFlip struct{}

// String is the step's text.
func (HFlip) String() string { return "hflip" }

// Apply mirrors.
func (HFlip) Apply(im *Image) (*Image, error) {
	out := NewImage(im.Width, im.Height, im.Channels)
	n := im.Channels
	for y := range im.Height {
		for x := range im.Width {
			copy(out.Pix[(y*im.Width+x)*n:][:n], im.Pix[(y*im.Width+im.Width-1-x)*n:])
		}
	}
	return out, nil
}

// VFlip mirrors top and bottom.
type VFlip struct{}

// String is the step's text.
func (VFlip) String() string { return "vflip" }

// Apply mirrors.
func (VFlip) Apply(im *Image) (*Image, error) {
	out := NewImage(im.Width, im.Height, im.Channels)
	stride := im.Width * im.Channels
	for y := range im.Height {
		copy(out.Pix[y*stride:(y+1)*stride], im.Pix[(im.Height-1-y)*stride:])
	}
	return out, nil
}
