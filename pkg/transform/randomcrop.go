package transform

import (
	"fmt"
	"math"
)

// RandomCrop crops Height rows of Width pixels at a random position, after adding the
// border Pad and, with IfNeeded, a border large enough for the crop. torchvision:
// RandomCrop.
type RandomCrop struct {
	Height, Width int
	Pad           Pad
	IfNeeded      bool
}

// String is the step's text.
func (o RandomCrop) String() string {
	s := "randomcrop(" + sizeText(o.Height, o.Width)
	if p := o.Pad.sides(); p != "0" {
		if o.Pad.Left != o.Pad.Top || p[0] == '-' || o.Pad.Right != o.Pad.Left || o.Pad.Bottom != o.Pad.Left {
			p = "[" + p + "]"
		}
		s += ",padding=" + p
	}
	if o.IfNeeded {
		s += ",ifneeded"
	}
	return s + o.Pad.style() + ")"
}

func sizeText(height, width int) string {
	if height == width {
		return fmt.Sprint(height)
	}
	return fmt.Sprintf("%d,%d", height, width)
}

// Draw draws the position. A picture smaller than the crop is an error.
func (o RandomCrop) Draw(r *Rand, width, height int) ImageOp {
	var steps Sequence
	for _, pad := range o.pads(width, height) {
		if pad.moves() {
			steps = append(steps, pad)
			width, height = pad.Output(width, height)
		}
	}
	crop, err := o.draw(r, width, height)
	if err != nil {
		return impossible{err}
	}
	if len(steps) == 0 {
		return crop
	}
	return append(steps, crop)
}

// pads are the borders for a picture: first Pad, then the pixels that the width and the
// height still lack, each on both sides.
func (o RandomCrop) pads(width, height int) [3]Pad {
	pads := [3]Pad{o.Pad, {Mode: o.Pad.Mode, Fill: o.Pad.Fill}, {Mode: o.Pad.Mode, Fill: o.Pad.Fill}}
	width, height = o.Pad.Output(width, height)
	if lack := o.Width - width; o.IfNeeded && lack > 0 {
		pads[1].Left, pads[1].Right = lack, lack
	}
	if lack := o.Height - height; o.IfNeeded && lack > 0 {
		pads[2].Top, pads[2].Bottom = lack, lack
	}
	return pads
}

// moves reports whether there is any border.
func (p Pad) moves() bool { return p.Left != 0 || p.Top != 0 || p.Right != 0 || p.Bottom != 0 }

func (o RandomCrop) draw(r *Rand, width, height int) (Crop, error) {
	if o.Height <= 0 || o.Width <= 0 {
		return Crop{}, errSize
	}
	if height < o.Height || width < o.Width {
		return Crop{}, fmt.Errorf("a crop of %dx%d (width x height) doesn't fit in a picture of %dx%d: resize it first, or add ifneeded", o.Width, o.Height, width, height)
	}
	return Crop{r.IntN(height - o.Height + 1), r.IntN(width - o.Width + 1), o.Height, o.Width}, nil
}

func (o RandomCrop) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	for _, pad := range o.pads(im.Width, im.Height) {
		if pad.moves() {
			var err error
			if im, err = pad.apply(b, im); err != nil {
				return nil, err
			}
		}
	}
	crop, err := o.draw(r, im.Width, im.Height)
	if err != nil {
		return nil, err
	}
	return crop.apply(b, im)
}

// RandomResizedCrop crops a part of the picture, whose fraction of the area is drawn from
// Scale and whose ratio of width to height is drawn from Ratio on a logarithmic scale, and
// resizes it to Height rows of Width pixels. If ten draws don't fit, it uses the largest
// centred part with an allowed ratio. torchvision: RandomResizedCrop.
type RandomResizedCrop struct {
	Height, Width int
	Scale, Ratio  Range
	Filter        Filter
}

var (
	usualScale = Range{0.08, 1}
	usualRatio = Range{3.0 / 4, 4.0 / 3}
)

// String is the step's text.
func (o RandomResizedCrop) String() string {
	s := "randomresizedcrop(" + sizeText(o.Height, o.Width)
	if o.Scale != usualScale {
		s += ",scale=" + o.Scale.text()
	}
	if o.Ratio != usualRatio {
		s += ",ratio=" + o.Ratio.text()
	}
	if o.Filter != Bilinear {
		s += "," + o.Filter.String()
	}
	return s + ")"
}

// Draw draws the part.
func (o RandomResizedCrop) Draw(r *Rand, width, height int) ImageOp {
	return Sequence{o.draw(r, width, height), o.resize()}
}

func (o RandomResizedCrop) resize() ResizeTo { return ResizeTo{o.Height, o.Width, o.Filter} }

func (o RandomResizedCrop) draw(r *Rand, width, height int) Crop {
	for range 10 {
		h, w := drawBox(r, width, height, o.Scale, o.Ratio)
		if 0 < w && w <= width && 0 < h && h <= height {
			return Crop{r.IntN(height - h + 1), r.IntN(width - w + 1), h, w}
		}
	}
	w, h := width, height
	ratio := float64(width) / float64(height)
	switch {
	case ratio < o.Ratio.Low:
		h = max(int(math.RoundToEven(float64(w)/o.Ratio.Low)), 1)
	case ratio > o.Ratio.High:
		w = max(int(math.RoundToEven(float64(h)*o.Ratio.High)), 1)
	}
	return Crop{(height - h) / 2, (width - w) / 2, h, w}
}

// drawBox draws the sides of a part of a picture; they may be too large for it, or zero.
func drawBox(r *Rand, width, height int, scale, ratio Range) (h, w int) {
	area := float64(width*height) * scale.draw(r)
	aspect := math.Exp(r.Uniform(math.Log(ratio.Low), math.Log(ratio.High)))
	return int(math.RoundToEven(math.Sqrt(area / aspect))), int(math.RoundToEven(math.Sqrt(area * aspect)))
}

func (o RandomResizedCrop) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	im, err := o.draw(r, im.Width, im.Height).apply(b, im)
	if err != nil {
		return nil, err
	}
	return o.resize().apply(b, im)
}
