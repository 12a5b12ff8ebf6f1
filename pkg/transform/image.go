// Package transform implements torchvision's picture transforms to the pixel: with the
// same parameters, the result equals that of torchvision on PIL images. A pipeline is a
// Go value and a line of text ([Parse]), and knows how it changes a picture's size and
// values. The package knows pixels; it doesn't know files, data sets or models.
package transform

import (
	"image"
	"image/color"
	"image/draw"
)

// Image is a picture with 8 bits per channel: Height rows of Width pixels of Channels
// bytes, without gaps. Channels is 1 (grey), 3 (RGB) or 4 (RGBA, not premultiplied). It
// implements image.Image.
type Image struct {
	Pix                     []uint8
	Width, Height, Channels int
}

// NewImage returns a black (and, with 4 channels, transparent) picture.
func NewImage(width, height, channels int) *Image {
	return &Image{Pix: make([]uint8, width*height*channels), Width: width, Height: height, Channels: channels}
}

// FromImage copies a picture: grey pictures to one channel, opaque ones to RGB, others to
// RGBA.
func FromImage(src image.Image) *Image {
	if im, ok := src.(*Image); ok {
		c := *im
		c.Pix = append([]uint8(nil), im.Pix...)
		return &c
	}
	b := src.Bounds()
	if grey, ok := src.(*image.Gray); ok {
		im := NewImage(b.Dx(), b.Dy(), 1)
		for y := range im.Height {
			copy(im.Pix[y*im.Width:(y+1)*im.Width], grey.Pix[y*grey.Stride:])
		}
		return im
	}
	nrgba, ok := src.(*image.NRGBA)
	if !ok {
		nrgba = image.NewNRGBA(b)
		draw.Draw(nrgba, b, src, b.Min, draw.Src)
	}
	channels := 4
	if nrgba.Opaque() {
		channels = 3
	}
	im := NewImage(b.Dx(), b.Dy(), channels)
	for y := range im.Height {
		row := nrgba.Pix[y*nrgba.Stride:]
		for x := range im.Width {
			copy(im.Pix[(y*im.Width+x)*channels:][:channels], row[4*x:4*x+4])
		}
	}
	return im
}

// ColorModel implements image.Image.
func (im *Image) ColorModel() color.Model {
	if im.Channels == 1 {
		return color.GrayModel
	}
	return color.NRGBAModel
}

// Bounds implements image.Image; the top left corner is (0, 0).
func (im *Image) Bounds() image.Rectangle { return image.Rect(0, 0, im.Width, im.Height) }

// Opaque reports whether no pixel is transparent, as the types of package image do.
func (im *Image) Opaque() bool {
	if im.Channels == 4 {
		for i := 3; i < len(im.Pix); i += 4 {
			if im.Pix[i] != 255 {
				return false
			}
		}
	}
	return true
}

// At implements image.Image.
func (im *Image) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}.In(im.Bounds())) {
		return color.NRGBA{}
	}
	p := im.Pix[(y*im.Width+x)*im.Channels:]
	switch im.Channels {
	case 1:
		return color.Gray{Y: p[0]}
	case 3:
		return color.NRGBA{R: p[0], G: p[1], B: p[2], A: 255}
	}
	return color.NRGBA{R: p[0], G: p[1], B: p[2], A: p[3]}
}
