// Package webpicture encodes pictures for pages and notebooks, in as few bytes as the eye
// allows: charts as PNG files with a palette, figures with photographs as JPEG.
//
// Figures are drawn with two pixels per CSS pixel, so a page carries many pixels. Measured
// on the notebooks' figures, a chart of 1355×914 takes 147 kB as a PNG of 24 bits and 40 kB
// with a palette; a figure of thirteen photographs (1768×1238) takes 2228 kB as PNG and 311 kB
// as JPEG. Text beside the photographs stays sharp at this density.
package webpicture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
)

// Quality is that of the JPEG files, from 1 to 100. At two pixels per CSS pixel no
// difference is seen at the size at which a figure is shown.
const Quality = 75

// tolerance is the largest squared distance in RGB between a pixel and its entry in the
// palette. In charts only the smooth edges of lines and letters are that far away.
const tolerance = 3 * 10 * 10

var (
	exact = png.Encoder{CompressionLevel: png.BestSpeed}
	small = png.Encoder{CompressionLevel: png.DefaultCompression}
)

// The media types that [Encode] returns.
const (
	PNG  = "image/png"
	JPEG = "image/jpeg"
)

// Encode returns a picture as it is shown, and its media type. A picture of few colours, as
// charts and heat maps are, becomes a PNG with a palette: with its exact colours if these
// are at most 256, otherwise with 256 of them, each pixel close to its own. A picture of
// many colours becomes a JPEG of [Quality]. A picture that isn't opaque becomes a PNG with
// its exact colours. The same picture gives the same bytes.
func Encode(img image.Image) (data []byte, mime string, err error) {
	rgba := asRGBA(img)
	if rgba == nil {
		return Exact(img)
	}
	var buf bytes.Buffer
	if paletted := withPalette(rgba); paletted != nil {
		err = small.Encode(&buf, paletted)
		return buf.Bytes(), PNG, wrap(img, err)
	}
	err = jpeg.Encode(&buf, rgba, &jpeg.Options{Quality: Quality})
	return buf.Bytes(), JPEG, wrap(img, err)
}

// Exact returns a picture as a PNG with its exact colours, and its media type.
func Exact(img image.Image) (data []byte, mime string, err error) {
	var buf bytes.Buffer
	err = exact.Encode(&buf, img)
	return buf.Bytes(), PNG, wrap(img, err)
}

func wrap(img image.Image, err error) error {
	if err == nil {
		return nil
	}
	size := img.Bounds().Size()
	return fmt.Errorf("encoding a picture of %dx%d: %w", size.X, size.Y, err)
}

// asRGBA returns an opaque picture in the layout of image.RGBA, and nil for another picture
// or an empty one.
func asRGBA(img image.Image) *image.RGBA {
	if o, ok := img.(interface{ Opaque() bool }); !ok || !o.Opaque() || img.Bounds().Empty() {
		return nil
	}
	if rgba, ok := img.(*image.RGBA); ok {
		return rgba
	}
	rgba := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
	return rgba
}

// withPalette returns the picture with at most 256 colours, and nil if these can't be close
// to all of its pixels.
func withPalette(img *image.RGBA) *image.Paletted {
	found := colours(img)
	if found == nil {
		return nil
	}
	chosen := found.choose()
	if chosen == nil {
		return nil
	}
	out := image.NewPaletted(image.Rectangle{Max: img.Rect.Size()}, make(color.Palette, len(chosen)))
	for i, c := range chosen {
		out.Palette[i] = color.RGBA{c.r, c.g, c.b, 255}
	}
	last, index := uint32(0), uint8(0)
	for y := range out.Rect.Dy() {
		row := img.Pix[y*img.Stride:]
		for x := range out.Rect.Dx() {
			if key := pixel(row[4*x:]); key != last {
				last, index = key, found.list[found.slot(key)].index
			}
			out.Pix[y*out.Stride+x] = index
		}
	}
	return out
}
