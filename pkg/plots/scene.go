package plots

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// Figure is anything that this package draws.
type Figure interface {
	// Image draws the figure with scale pixels per CSS pixel: 1 for a picture
	// shown at its own size, 2 for one that is sharp on high-resolution screens
	// and in print.
	Image(scale float64) (image.Image, error)
	// SVG draws the figure as a self-contained SVG document.
	SVG() (string, error)
}

type point struct{ x, y float64 }

// box is a rectangle in CSS pixels.
type box struct{ x, y, w, h float64 }

func (b box) right() float64  { return b.x + b.w }
func (b box) bottom() float64 { return b.y + b.h }

// canvas is the surface for a figure, in CSS pixels with y down. A canvas with pixels
// rounds rectangles, pictures and axis-parallel lines to whole pixels. The canvas calls
// the functions that make pictures when it needs them, several at a time.
type canvas interface {
	rect(b box, fill color.RGBA)
	polyline(pts []point, st stroke)
	polygon(pts []point, fill color.RGBA)
	text(at point, s string, st textStyle)
	image(b box, made func() image.Image, smooth bool)
	clip(b box, draw func())
}

type stroke struct {
	color color.RGBA
	width float64
	dash  []float64 // alternating lengths of dashes and gaps; nil: a solid line
}

type anchor uint8

const (
	start anchor = iota
	middle
	end
)

type textStyle struct {
	size     float64 // font size, in CSS pixels
	bold     bool
	color    color.RGBA
	anchor   anchor
	vertical bool // from bottom to top
}

func (t textStyle) at(a anchor) textStyle { t.anchor = a; return t }

// capHeight is the height of capitals and digits in em. Text is centred on a line if
// its baseline is half of capHeight below the line.
const capHeight = 0.70

func (t textStyle) drop() float64 { return t.size * capHeight / 2 }

// scene is a laid-out figure.
type scene struct {
	w, h  float64
	title string // for screen readers
	draw  func(c canvas)
}

const (
	maxScale  = 16
	maxPixels = 1 << 28
)

func (s *scene) image(scale float64) (image.Image, error) {
	if !(scale > 0 && scale <= maxScale) {
		return nil, fmt.Errorf("plots: the scale must be above 0 and at most %d, not %g", maxScale, scale)
	}
	w, h := math.Ceil(s.w*scale-1e-9), math.Ceil(s.h*scale-1e-9)
	if w*h > maxPixels {
		return nil, fmt.Errorf("plots: the figure would be %.0fx%.0f pixels; draw fewer panels or use a smaller scale", w, h)
	}
	c := newRaster(max(1, int(w)), max(1, int(h)), scale)
	s.draw(c)
	c.paint()
	return c.img, nil
}

// laidOut is a figure of this package, which can compute its scene.
type laidOut interface{ layout() (*scene, error) }

func drawImage(f laidOut, scale float64) (image.Image, error) {
	s, err := f.layout()
	if err != nil {
		return nil, err
	}
	return s.image(scale)
}

func drawSVG(f laidOut) (string, error) {
	s, err := f.layout()
	if err != nil {
		return "", err
	}
	return s.svg()
}

// outline draws a border inside b, one CSS pixel wide.
func outline(c canvas, b box, col color.RGBA, width float64) {
	c.rect(box{b.x, b.y, b.w, width}, col)
	c.rect(box{b.x, b.bottom() - width, b.w, width}, col)
	c.rect(box{b.x, b.y + width, width, b.h - 2*width}, col)
	c.rect(box{b.right() - width, b.y + width, width, b.h - 2*width}, col)
}
