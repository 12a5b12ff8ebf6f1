package caption

import (
	"fmt"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/transform"
)

// Preprocess makes the network's input from a picture as CATR's predict.py does. PIL's
// bicubic resize brings the longer side to LongestSide, enlarging smaller pictures, and
// the shorter side in proportion, rounded down; values then go from -1 to 1. Nothing is
// cropped or padded. With a Vision Transformer or a convolutional network as the
// backbone, pictures are resized to the size that it takes instead.
//
// A picture so narrow that its shorter side would have no pixel left is an error.
func (c Config) Preprocess(im *transform.Image) (*transform.Tensor, error) {
	if im == nil || im.Width < 1 || im.Height < 1 || im.Channels != 3 || len(im.Pix) != im.Width*im.Height*3 {
		return nil, fmt.Errorf("this isn't an RGB picture (pictures read by pkg/data are)")
	}
	switch c.Backbone.Kind {
	case backbone.ViT:
		return c.preprocessFixed(im, c.Backbone.ViT.ImageSize)
	case backbone.ConvNet:
		return c.preprocessFixed(im, [2]int{c.Backbone.Side, c.Backbone.Side})
	case backbone.Given:
		return nil, fmt.Errorf("this captioner takes features, not pictures: they must be made by its backbone")
	}
	height, width := c.sizeFor(im.Height, im.Width)
	if height < 1 || width < 1 {
		return nil, fmt.Errorf("a picture of %d×%d pixels is too narrow: brought to %d pixels it would be %d×%d",
			im.Width, im.Height, c.LongestSide, width, height)
	}
	small := transform.Resize(im, height, width, transform.Bicubic)
	return transform.Pipeline{transform.ToTensor{}, transform.Normalize{Mean: []float32{0.5}, Std: []float32{0.5}}}.Tensor(small)
}

// sizeFor is the size to which a picture is resized. Products are rounded as in the
// reference, where even the longer side may lose a pixel.
func (c Config) sizeFor(height, width int) (h, w int) {
	scale := float64(c.LongestSide) / float64(max(height, width))
	return int(float64(height) * scale), int(float64(width) * scale)
}

// preprocessFixed resizes a picture to the height and width that the backbone takes.
func (c Config) preprocessFixed(im *transform.Image, size [2]int) (*transform.Tensor, error) {
	mean, std := c.Backbone.Mean, c.Backbone.Std
	if len(mean) == 0 {
		mean, std = []float32{0.5}, []float32{0.5}
	}
	return transform.Pipeline{
		transform.ResizeTo{Height: size[0], Width: size[1], Filter: transform.Bicubic},
		transform.ToTensor{}, transform.Normalize{Mean: mean, Std: std},
	}.Tensor(im)
}
