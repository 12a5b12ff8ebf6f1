package plots

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// Figure is anything this package draws.
type Figure interface {
	// Image draws the figure with scale pixels for every CSS pixel: 1 for a
	// picture shown at its own size, 2 for one that stays sharp on dense
	// screens and in print.
	Image(scale float64) (image.Image, error)
	// SVG draws the figure as an SVG document that refers to nothing outside.
	SVG() (string, error)
}

type point struct{ x, y float64 }

// box is a rectangle in CSS pixels.
type box struct{ x, y, w, h float64 }

func (b box) right() float64  { return b.x + b.w }
func (b box) bottom() float64 { return b.y + b.h }

// canvas is what a figure draws on, in CSS pixels with y down. Rectangles,
// pictures and lines along an axis are moved to whole pixels where there are such.
// Pictures are made when the canvas wants them, several at once.
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
	dash  []float64 // lengths of dashes and gaps by turns; nil: a solid line
}

type anchor uint8

const (
	start anchor = iota
	middle
	end
)

type textStyle struct {
	size     float64 // of the em, in CSS pixels
	bold     bool
	color    color.RGBA
	anchor   anchor
	vertical bool // reads from bottom to top
}

func (t textStyle) at(a anchor) textStyle { t.anchor = a; return t }

// capHeight is the height of capitals and digits in em; half of it below a
// middle line is the baseline of text centred on that line.
const capHeight = 0.70

func (t textStyle) drop() float64 { return t.size * capHeight / 2 }

// scene is a laid-out figure.
type scene struct {
	w, h  float64
	title string // for those who hear a figure rather than see it
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

// laidOut is a figure of this package: it can work out its scene.
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

// outline draws the border of b, inside it, one CSS pixel wide.
func outline(c canvas, b box, col color.RGBA, width float64) {
	c.rect(box{b.x, b.y, b.w, width}, col)
	c.rect(box{b.x, b.bottom() - width, b.w, width}, col)
	c.rect(box{b.x, b.y + width, width, b.h - 2*width}, col)
	c.rect(box{b.right() - width, b.y + width, width, b.h - 2*width}, col)
}
