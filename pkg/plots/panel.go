package plots

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// Cell is a position in a map: row 0 is at the top, column 0 on the left.
type Cell struct{ Row, Col int }

// Panel is one picture of a figure: a photograph (only Picture), a heat map
// (only Values), or an overlay of the map on the photograph (both). With
// neither it is blank.
type Panel struct {
	Title         string
	Picture       image.Image // in its original colours, not normalised for a model
	Values        [][]float64 // rows from the top; stretched over the whole picture
	Alpha         float64     // weight of the map over the picture, 0 to 1; 0 means 0.5
	Fade          bool        // the weight falls to 0 for values in the middle of the range, for diverging colours
	Interpolation Interpolation
	Marks         []Cell  // cells of Values with a frame around them
	Aspect        float64 // width over height of a panel without Picture; 0: square cells
	Scale         *Scale  // colours of this panel alone, from its own values; nil: those of the figure

	sizes *sizes // pictures that the figure's panels share; may be nil
}

// sharpness is the resolution at which photographs are kept, in pixels per CSS pixel.
const sharpness = 2

func (p Panel) blank() bool { return p.Picture == nil && p.Values == nil }

// check returns an error if the panel can't be drawn.
func (p Panel) check() error {
	if p.Picture != nil && p.Picture.Bounds().Empty() {
		return errors.New("plots: the picture has no pixels")
	}
	if p.Alpha < 0 || p.Alpha > 1 || math.IsNaN(p.Alpha) {
		return fmt.Errorf("plots: alpha must be from 0 to 1, not %g", p.Alpha)
	}
	if p.Values == nil {
		if len(p.Marks) > 0 {
			return errors.New("plots: marks need Values, because they are cells of Values")
		}
		return nil
	}
	rows, cols, err := checkMatrix(p.Values)
	if err != nil {
		return err
	}
	for _, m := range p.Marks {
		if m.Row < 0 || m.Row >= rows || m.Col < 0 || m.Col >= cols {
			return fmt.Errorf("plots: the marked cell (%d, %d) is outside the %dx%d map", m.Row, m.Col, rows, cols)
		}
	}
	return nil
}

// aspect returns the panel's natural width over height.
func (p Panel) aspect() float64 {
	if p.Picture != nil {
		b := p.Picture.Bounds()
		return float64(b.Dx()) / float64(b.Dy())
	}
	if p.Aspect > 0 {
		return p.Aspect
	}
	if p.Values != nil {
		return float64(len(p.Values[0])) / float64(len(p.Values))
	}
	return 1
}

// fit returns the largest box of the panel's shape in the middle of b.
func (p Panel) fit(b box) box {
	a := min(8, max(1.0/8, p.aspect())) // more extreme shapes are squeezed, so that they don't become thin lines
	w, h := b.w, b.w/a
	if h > b.h+1 { // a difference of one pixel is rounding
		w, h = b.h*a, b.h
	}
	w, h = math.Round(w), math.Round(h)
	return box{b.x + math.Round((b.w-w)/2), b.y + math.Round((b.h-h)/2), w, h}
}

// draw draws the panel in b, which has its shape, with a thin line around a heat map
// if it is framed.
func (p Panel) draw(c canvas, b box, r resolved, framed bool) {
	if p.blank() {
		return
	}
	sharp := p.Picture == nil && p.Interpolation.or(Nearest) == Nearest
	c.image(b, func() image.Image { return p.image(b, r, sharp) }, !sharp)
	if p.Picture == nil && framed {
		outline(c, b, frame, 1)
	}
	for _, m := range p.Marks {
		drawMark(c, cellBox(b, m, len(p.Values), len(p.Values[0])))
	}
}

// image returns the panel's image for b: a map, enlarged or not, or a picture, with the
// map over it if there is one.
func (p Panel) image(b box, r resolved, sharp bool) image.Image {
	w, h := max(1, int(b.w*sharpness)), max(1, int(b.h*sharpness))
	switch {
	case sharp:
		return mapImage(p.Values, r)
	case p.Picture == nil:
		return p.smooth(w, h, r)
	}
	img := p.sizes.get(p.Picture, w, h, p.Values != nil)
	if p.Values != nil {
		alpha := p.Alpha
		if alpha == 0 {
			alpha = 0.5
		}
		blendMap(img, p.Values, r, alpha, p.Fade, p.Interpolation.or(Bilinear))
	}
	return img
}

func (p Panel) smooth(w, h int, r resolved) image.Image {
	ty, tx := taps(len(p.Values), h, p.Interpolation), taps(len(p.Values[0]), w, p.Interpolation)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, r.color(blend(p.Values, ty[y], tx[x], r.lo, r.hi)))
		}
	}
	return img
}

func cellBox(b box, m Cell, rows, cols int) box {
	cw, ch := b.w/float64(cols), b.h/float64(rows)
	return box{b.x + float64(m.Col)*cw, b.y + float64(m.Row)*ch, cw, ch}
}

// drawMark frames a cell in red between two white lines, which is visible on any
// colour. The frame of a tiny cell is outside it, so that it doesn't cover the cell.
func drawMark(c canvas, b box) {
	grow := 1.0
	if b.w < 9 {
		grow = 2
	}
	b = box{b.x - grow, b.y - grow, b.w + 2*grow, b.h + 2*grow}
	outline(c, box{b.x - 1, b.y - 1, b.w + 2, b.h + 2}, white, 4)
	outline(c, b, markInk, 2)
}
