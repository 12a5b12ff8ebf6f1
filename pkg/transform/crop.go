package transform

import (
	"fmt"
	"math"
)

// CenterCrop crops Height rows of Width pixels from the centre, with torchvision's
// rounding. A smaller picture is padded with black.
type CenterCrop struct{ Height, Width int }

// String is the step's text.
func (c CenterCrop) String() string {
	if c.Height == c.Width {
		return fmt.Sprintf("centercrop(%d)", c.Height)
	}
	return fmt.Sprintf("centercrop(%d,%d)", c.Height, c.Width)
}

// Apply cuts.
func (c CenterCrop) Apply(im *Image) (*Image, error) { return fresh(c, im) }

func (c CenterCrop) apply(b *Buffers, im *Image) (*Image, error) {
	return c.crop(im.Height, im.Width).apply(b, im)
}

func (c CenterCrop) crop(height, width int) Crop {
	top, left := c.Offset(height, width)
	return Crop{top, left, c.Height, c.Width}
}

// Output implements [Sizer].
func (c CenterCrop) Output(int, int) (width, height int) { return c.Width, c.Height }

// Offset is the crop's top left corner in a picture of the given size; it is negative
// where the picture is padded.
func (c CenterCrop) Offset(height, width int) (top, left int) {
	return centre(height, c.Height), centre(width, c.Width)
}

func centre(have, want int) int {
	if have < want {
		return -((want - have) / 2)
	}
	return int(math.RoundToEven(float64(have-want) / 2))
}

// Crop crops Height rows of Width pixels from (Top, Left). Pixels outside the picture are
// black.
type Crop struct{ Top, Left, Height, Width int }

// String is the step's text.
func (c Crop) String() string {
	return fmt.Sprintf("crop(%d,%d,%d,%d)", c.Top, c.Left, c.Height, c.Width)
}

// Apply cuts.
func (c Crop) Apply(im *Image) (*Image, error) { return fresh(c, im) }

func (c Crop) apply(b *Buffers, im *Image) (*Image, error) {
	if c.Height <= 0 || c.Width <= 0 {
		return nil, errSize
	}
	if c == (Crop{0, 0, im.Height, im.Width}) {
		return im, nil
	}
	out := b.image(im, c.Width, c.Height, im.Channels)
	n := im.Channels
	x0, x1 := max(c.Left, 0), min(c.Left+c.Width, im.Width)
	for y := range c.Height {
		row := out.Pix[y*c.Width*n : (y+1)*c.Width*n]
		sy := y + c.Top
		if sy < 0 || sy >= im.Height || x0 >= x1 {
			clear(row)
			continue
		}
		clear(row[:(x0-c.Left)*n])
		copy(row[(x0-c.Left)*n:], im.Pix[(sy*im.Width+x0)*n:(sy*im.Width+x1)*n])
		clear(row[(x1-c.Left)*n:])
	}
	return out, nil
}

func (c Crop) crop(int, int) Crop { return c }

// Output implements [Sizer].
func (c Crop) Output(int, int) (width, height int) { return c.Width, c.Height }

// FiveCrop crops Height rows of Width pixels from the corners and the centre: top left,
// top right, bottom left, bottom right, centre. A smaller picture is an error.
func FiveCrop(im *Image, height, width int) ([5]*Image, error) {
	var out [5]*Image
	if height <= 0 || width <= 0 {
		return out, errSize
	}
	if height > im.Height || width > im.Width {
		return out, fmt.Errorf("crops of %dx%d (width x height) don't fit into a picture of %dx%d", width, height, im.Width, im.Height)
	}
	down, right := im.Height-height, im.Width-width
	middleTop, middleLeft := CenterCrop{height, width}.Offset(im.Height, im.Width)
	for i, at := range [5][2]int{{0, 0}, {0, right}, {down, 0}, {down, right}, {middleTop, middleLeft}} {
		var err error
		if out[i], err = (Crop{at[0], at[1], height, width}).Apply(im); err != nil {
			return out, err
		}
	}
	return out, nil
}

// CenterCropFloor is [CenterCrop] with the rounding of transformers' image processors:
// the crop begins at (size-crop)/2, always rounded down. CenterCrop, like torchvision,
// rounds halves to even, which is one pixel further for a quarter of all sizes. A picture
// smaller than the crop is padded with black; if the number of missing pixels is odd, the
// extra pixel is added before the picture, whereas torchvision adds it after.
//
// It follows image_transforms.center_crop of transformers 5, which is called by the
// processors of its PIL backend. Those of its torchvision backend crop at the same
// position but pad like torchvision.
type CenterCropFloor struct{ Height, Width int }

// String is the step's text.
func (c CenterCropFloor) String() string {
	return "centercrop(" + sizeText(c.Height, c.Width) + ",floor)"
}

// Apply cuts.
func (c CenterCropFloor) Apply(im *Image) (*Image, error) { return fresh(c, im) }

func (c CenterCropFloor) apply(b *Buffers, im *Image) (*Image, error) {
	return c.crop(im.Height, im.Width).apply(b, im)
}

func (c CenterCropFloor) crop(height, width int) Crop {
	top, left := c.Offset(height, width)
	return Crop{top, left, c.Height, c.Width}
}

// Output implements [Sizer].
func (c CenterCropFloor) Output(int, int) (width, height int) { return c.Width, c.Height }

// Offset is the crop's top left corner in a picture of the given size; it is negative
// where the picture is padded.
func (c CenterCropFloor) Offset(height, width int) (top, left int) {
	return (height - c.Height) >> 1, (width - c.Width) >> 1 // a shift also rounds negative numbers down
}

// CenterCropFill is [CenterCrop] with a border of the colour Fill, instead of a black
// one, if the picture is smaller than the crop. timm calls it CenterCropOrPad. Fill has
// one value, or one for each channel.
type CenterCropFill struct {
	Height, Width int
	Fill          Fill
}

// String is the step's text.
func (c CenterCropFill) String() string {
	return fmt.Sprintf("centercrop(%s%s)", sizeText(c.Height, c.Width), c.Fill.text())
}

// Apply crops the picture. A Fill whose length doesn't match the picture's channels is an
// error.
func (c CenterCropFill) Apply(im *Image) (*Image, error) { return fresh(c, im) }

func (c CenterCropFill) apply(b *Buffers, im *Image) (*Image, error) {
	if c.Height <= 0 || c.Width <= 0 {
		return nil, errSize
	}
	high, wide := max(c.Height-im.Height, 0), max(c.Width-im.Width, 0)
	border := Pad{Left: wide / 2, Top: high / 2, Right: (wide + 1) / 2, Bottom: (high + 1) / 2, Fill: c.Fill}
	im, err := border.apply(b, im)
	if err != nil {
		return nil, err
	}
	return c.crop(im.Height, im.Width).apply(b, im)
}

// crop is the crop after padding, when the picture is at least as large as the crop.
func (c CenterCropFill) crop(height, width int) Crop {
	return CenterCrop{c.Height, c.Width}.crop(height, width)
}

// Output implements [Sizer].
func (c CenterCropFill) Output(int, int) (width, height int) { return c.Width, c.Height }
