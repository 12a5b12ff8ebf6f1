package caption

import (
	"fmt"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/transform"
)

// Preprocess makes the network's input from a picture as CATR's predict.py does. PIL's
// bicubic resize brings the longer side to LongestSide, enlarging smaller pictures, and
// the shorter side in proportion, rounded down; values then go from -1 to 1, or are
// normalised as the backbone says ([backbone.Config]). Nothing is cropped or padded. Where
// the backbone has a size of its own, as a Vision Transformer, pictures are resized to that
// instead.
//
// A picture so narrow that its shorter side would have no pixel left is an error.
func (c Config) Preprocess(im *transform.Image) (*transform.Tensor, error) {
	if im == nil || im.Width < 1 || im.Height < 1 || im.Channels != 3 || len(im.Pix) != im.Width*im.Height*3 {
		return nil, fmt.Errorf("this isn't an RGB picture (pictures read by pkg/data are)")
	}
	b := c.Backbone
	switch {
	case b.Kind == backbone.ViT:
		return c.preprocessFixed(im, b.ViT.ImageSize)
	case b.Side > 0:
		return c.preprocessFixed(im, [2]int{b.Side, b.Side})
	case b.Kind == backbone.Given:
		return nil, fmt.Errorf("this captioner takes features in the place of pictures: its backbone must make them")
	}
	height, width := c.sizeFor(im.Height, im.Width)
	if height < 1 || width < 1 {
		return nil, fmt.Errorf("a picture of %d×%d pixels is too narrow: brought to %d pixels it would be %d×%d",
			im.Width, im.Height, c.LongestSide, width, height)
	}
	small := transform.Resize(im, height, width, transform.Bicubic)
	return transform.Pipeline{transform.ToTensor{}, c.normalize()}.Tensor(small)
}

// sizeFor is the size to which a picture is resized. Products are rounded as in the
// reference, where even the longer side may lose a pixel.
func (c Config) sizeFor(height, width int) (h, w int) {
	scale := float64(c.LongestSide) / float64(max(height, width))
	return int(float64(height) * scale), int(float64(width) * scale)
}

// normalize is what the backbone says about channels; values from -1 to 1 where it says
// nothing.
func (c Config) normalize() transform.Normalize {
	if b := c.Backbone; len(b.Mean) > 0 {
		return transform.Normalize{Mean: b.Mean, Std: b.Std}
	}
	return transform.Normalize{Mean: []float32{0.5}, Std: []float32{0.5}}
}

// preprocessFixed resizes a picture to the height and width that the backbone takes.
func (c Config) preprocessFixed(im *transform.Image, size [2]int) (*transform.Tensor, error) {
	return transform.Pipeline{
		transform.ResizeTo{Height: size[0], Width: size[1], Filter: transform.Bicubic},
		transform.ToTensor{}, c.normalize(),
	}.Tensor(im)
}
