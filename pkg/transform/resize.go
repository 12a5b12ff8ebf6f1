package transform

import (
	"errors"
	"fmt"
	"math"
)

// ResizeTo scales a picture to exactly Height rows of Width pixels.
type ResizeTo struct {
	Height, Width int
	Filter        Filter
}

// String is the step's text.
func (r ResizeTo) String() string {
	return fmt.Sprintf("resize(%d,%d,%s)", r.Height, r.Width, r.Filter)
}

// Apply scales the picture. A size that isn't positive is an error.
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

// ResizeShort scales the shorter side to Size and keeps the aspect ratio, rounding the
// longer side down, like torchvision's Resize(size).
type ResizeShort struct {
	Size   int
	Filter Filter
}

// String is the step's text.
func (r ResizeShort) String() string { return fmt.Sprintf("resize(%d,%s)", r.Size, r.Filter) }

// maxPixels bounds the result's size for pictures with an extreme aspect ratio.
const maxPixels = 1 << 28

// Apply scales the picture. A picture so long and thin that the result would be enormous
// is an error.
func (r ResizeShort) Apply(im *Image) (*Image, error) { return fresh(r, im) }

func (r ResizeShort) apply(b *Buffers, im *Image) (*Image, error) {
	if r.Size <= 0 {
		return nil, errSize
	}
	width, height := r.Output(im.Width, im.Height)
	return b.resizeChecked(im, height, width, r.Filter)
}

// Output implements [Sizer].
func (r ResizeShort) Output(width, height int) (newWidth, newHeight int) {
	if width < height {
		return r.Size, int(float64(r.Size) * float64(height) / float64(width))
	}
	return int(float64(r.Size) * float64(width) / float64(height)), r.Size
}

// ResizeKeepRatio scales a picture, keeping its aspect ratio, until it just covers Height
// x Width pixels or, with Contain, just fits inside them. Both sides are rounded to the
// nearest pixel, halves to even. timm calls it ResizeKeepRatio, with longest=0 and, for
// Contain, longest=1.
type ResizeKeepRatio struct {
	Height, Width int
	Contain       bool
	Filter        Filter
}

// String is the step's text.
func (r ResizeKeepRatio) String() string {
	how := "cover"
	if r.Contain {
		how = "contain"
	}
	return fmt.Sprintf("resize(%d,%d,%s,%s)", r.Height, r.Width, r.Filter, how)
}

// Apply scales the picture. A picture so long and thin that the result would be enormous,
// or that nothing would be left of its shorter side, is an error.
func (r ResizeKeepRatio) Apply(im *Image) (*Image, error) { return fresh(r, im) }

func (r ResizeKeepRatio) apply(b *Buffers, im *Image) (*Image, error) {
	if r.Height <= 0 || r.Width <= 0 {
		return nil, errSize
	}
	width, height := r.Output(im.Width, im.Height)
	return b.resizeChecked(im, height, width, r.Filter)
}

// Output implements [Sizer].
func (r ResizeKeepRatio) Output(width, height int) (newWidth, newHeight int) {
	down, across := float64(height)/float64(r.Height), float64(width)/float64(r.Width)
	ratio := min(down, across)
	if r.Contain {
		ratio = max(down, across)
	}
	return int(math.RoundToEven(float64(width) / ratio)), int(math.RoundToEven(float64(height) / ratio))
}

// ResizeEdges scales the shorter side to Shortest and keeps the aspect ratio; if the
// longer side would exceed Longest, it scales the longer side to about Longest instead.
// It follows get_size_with_aspect_ratio of transformers, which rounds differently from
// the max_size of torchvision's Resize.
type ResizeEdges struct {
	Shortest, Longest int
	Filter            Filter
}

// String is the step's text.
func (r ResizeEdges) String() string {
	return fmt.Sprintf("resize(%d,%s,longest=%d)", r.Shortest, r.Filter, r.Longest)
}

// Apply scales the picture. A picture so long and thin that nothing would be left of its
// shorter side is an error.
func (r ResizeEdges) Apply(im *Image) (*Image, error) { return fresh(r, im) }

func (r ResizeEdges) apply(b *Buffers, im *Image) (*Image, error) {
	if r.Shortest <= 0 || r.Longest <= 0 {
		return nil, errSize
	}
	width, height := r.Output(im.Width, im.Height)
	return b.resizeChecked(im, height, width, r.Filter)
}

// Output implements [Sizer].
func (r ResizeEdges) Output(width, height int) (newWidth, newHeight int) {
	short, long := min(height, width), max(height, width)
	size, raw := r.Shortest, float64(r.Shortest)
	if float64(long)/float64(short)*float64(size) > float64(r.Longest) {
		raw = float64(r.Longest) * float64(short) / float64(long)
		size = int(math.RoundToEven(raw))
	}
	if short == size {
		return width, height
	}
	longer := int(raw * float64(long) / float64(short))
	if width < height {
		return size, longer
	}
	return longer, size
}

// resizeChecked is resize for a size that was computed from the picture's.
func (b *Buffers) resizeChecked(im *Image, height, width int, f Filter) (*Image, error) {
	if height < 1 || width < 1 {
		return nil, fmt.Errorf("a picture of %dx%d would become one of %dx%d: it is too long and thin, crop it first", im.Width, im.Height, width, height)
	}
	if height > maxPixels/width {
		return nil, fmt.Errorf("a picture of %dx%d would become one of %dx%d: crop it first", im.Width, im.Height, width, height)
	}
	return b.resize(im, height, width, f), nil
}
