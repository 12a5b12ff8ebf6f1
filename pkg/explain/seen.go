package explain

import (
	"math"

	"gaze/pkg/transform"
)

// maxSeen is the longest side of the picture in a figure, in pixels.
const maxSeen = 1024

// Seen returns the part of a picture that the model sees through the pipeline, in the
// picture's original colours, aspect ratio and sharpness, for laying a map over it. If
// the pipeline does more than resize and crop, it is the pipeline's result before
// totensor. Neither side is longer than 1024 pixels.
func Seen(p transform.Pipeline, im *transform.Image) (*transform.Image, error) {
	part, ok := p.Region(im.Width, im.Height)
	if !ok {
		return p.Image(im)
	}
	left, top := int(math.Round(part.X0)), int(math.Round(part.Y0))
	width, height := max(int(math.Round(part.X1))-left, 1), max(int(math.Round(part.Y1))-top, 1)
	cut, err := transform.Crop{Top: top, Left: left, Height: height, Width: width}.Apply(im)
	if err != nil {
		return nil, err
	}
	return shrunk(cut), nil
}

// Shown returns a picture as figures show it: with no side longer than 1024 pixels.
func Shown(im *transform.Image) *transform.Image { return shrunk(im) }

// shrunk returns the picture with no side longer than maxSeen.
func shrunk(im *transform.Image) *transform.Image {
	longest := max(im.Width, im.Height)
	if longest <= maxSeen {
		return im
	}
	return transform.Resize(im, max(im.Height*maxSeen/longest, 1), max(im.Width*maxSeen/longest, 1), transform.Bilinear)
}
