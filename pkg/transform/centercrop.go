package transform

import "fmt"

// CenterCropFloor is [CenterCrop] as transformers' image processors round it: the
// cut begins at (size-crop)/2, always rounded down. CenterCrop, as torchvision,
// rounds halves to the even number, which is one pixel further for a quarter of
// all sizes. A picture smaller than the cut is padded with black, and of an odd
// number of missing pixels one more comes before it than after it; torchvision
// puts it after.
//
// It follows image_transforms.center_crop of transformers 5, which the processors
// of its PIL backend call; those of its torchvision backend cut at the same place
// but pad as torchvision does.
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

// Offset is where the cut begins in a picture of the given size; negative where
// it is padded.
func (c CenterCropFloor) Offset(height, width int) (top, left int) {
	return (height - c.Height) >> 1, (width - c.Width) >> 1 // shifting rounds down below 0, too
}

// CenterCropFill is [CenterCrop] with a border of the colour Fill, where the
// picture is smaller than the cut, in place of a black one. timm calls it
// CenterCropOrPad. Fill has one value, or one for each channel.
type CenterCropFill struct {
	Height, Width int
	Fill          Fill
}

// String is the step's text.
func (c CenterCropFill) String() string {
	return fmt.Sprintf("centercrop(%s%s)", sizeText(c.Height, c.Width), c.Fill.text())
}

// Apply cuts. A fill of another number of channels than the picture's is an error.
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

// crop is what is cut once the picture is as large as the cut.
func (c CenterCropFill) crop(height, width int) Crop {
	return CenterCrop{c.Height, c.Width}.crop(height, width)
}

// Output implements [Sizer].
func (c CenterCropFill) Output(int, int) (width, height int) { return c.Width, c.Height }
