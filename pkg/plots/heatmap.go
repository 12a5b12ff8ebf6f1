package plots

import (
	"image"
	"math"
)

// HeatMap draws a matrix as coloured cells, with numbered axes and a colour bar.
type HeatMap struct {
	Values         [][]float64 // rows from the top
	Title          string
	Subtitle       string
	XLabel, YLabel string
	RowNames       []string               // instead of numbers; one for each row
	ColNames       []string               // instead of numbers; one for each column
	NoAxes         bool                   // no numbers and no names
	Format         func(v float64) string // formats the values in the cells, if they fit; nil: no values
	Interpolation  Interpolation
	Marks          []Cell // cells with a frame around them
	Scale          Scale
	Width          float64 // of the matrix, in CSS pixels; 0: from its shape
}

// Image draws the heat map; see [Figure]. It returns an error if Values is empty
// or ragged, if a mark is outside it, if the number of names is wrong, or if
// Scale's range is invalid.
func (m HeatMap) Image(scale float64) (image.Image, error) { return drawImage(m, scale) }

// SVG draws the heat map; see [Figure].
func (m HeatMap) SVG() (string, error) { return drawSVG(m) }

type heatLayout struct {
	HeatMap
	r          resolved
	bar        colorbar
	head       header
	plot       box // the matrix
	rows, cols []tick
	upright    bool // column names are vertical, from bottom to top
	bottom     float64
}

func (m HeatMap) layout() (*scene, error) {
	l := &heatLayout{HeatMap: m}
	if err := l.check(); err != nil {
		return nil, err
	}
	var err error
	if l.r, err = m.Scale.resolve(m.Values); err != nil {
		return nil, err
	}
	l.sizeCells()
	l.axes()
	l.bar = newColorbar(m.Scale, l.r, l.plot.h)
	w := l.plot.right() - pad + l.bar.wide
	l.head = newHeader(m.Title, m.Subtitle, w-(l.plot.x-pad))
	l.plot.y = pad + l.head.height()
	return &scene{w: w + 2*pad, h: l.plot.bottom() + l.bottom + pad, title: l.Title, draw: l.draw}, nil
}

func (l *heatLayout) check() error {
	rows, cols, err := checkMatrix(l.Values)
	if err != nil {
		return err
	}
	if err := checkNames("row", l.RowNames, rows); err != nil {
		return err
	}
	if err := checkNames("column", l.ColNames, cols); err != nil {
		return err
	}
	return l.panel().check()
}

func (l *heatLayout) panel() Panel {
	return Panel{Values: l.Values, Interpolation: l.Interpolation, Marks: l.Marks}
}

// sizeCells makes cells square unless the matrix is very long or very wide,
// and large enough for names.
func (l *heatLayout) sizeCells() {
	rows, cols := float64(len(l.Values)), float64(len(l.Values[0]))
	width := l.Width
	if width <= 0 {
		width = 360
		if rows > 1.2*cols {
			width = 360 * 1.2 * cols / rows
		}
		if l.ColNames != nil || l.RowNames != nil || l.Format != nil {
			width = max(width, min(760, 17*cols))
		}
	}
	height := min(max(1.5*width, 432), max(width*rows/cols, 24))
	if l.RowNames != nil && height < 14*rows {
		height = min(14*rows, 1200)
	}
	// Cells have whole pixels, so that all are drawn at the same size.
	l.plot.w, l.plot.h = wholeCells(max(width, 24), cols), wholeCells(height, rows)
}

func wholeCells(size, n float64) float64 {
	if k := math.Round(size / n); k >= 1 && n < size {
		return k * n
	}
	return math.Round(size)
}

// axes chooses the ticks and computes the space they need.
func (l *heatLayout) axes() {
	l.plot.x = pad
	if !l.NoAxes {
		l.rows = l.ticks(l.RowNames, len(l.Values), l.plot.h, 14)
		l.cols = l.ticks(l.ColNames, len(l.Values[0]), l.plot.w, 30)
		if w := widest(l.rows); w > 0 {
			l.plot.x += math.Ceil(w) + tickLen + 4
		}
		l.upright = l.ColNames != nil && widest(l.cols)+6 > l.plot.w/float64(len(l.Values[0]))
		l.bottom = tickLen + 14
		if l.upright {
			l.bottom = tickLen + 5 + math.Ceil(widest(l.cols))
		}
	}
	if l.YLabel != "" {
		l.plot.x += 20
	}
	if l.XLabel != "" {
		l.bottom += 20
	}
}

const longestName = 140.0

func (l *heatLayout) ticks(names []string, n int, size, each float64) []tick {
	if names == nil {
		return indexTicks(n, 0, int(min(size/each, 10)))
	}
	every := int(math.Ceil(12 / (size / float64(n)))) // names closer than 12 pixels would overlap
	var out []tick
	for i := 0; i < n; i += every {
		out = append(out, tick{float64(i), ellipsis(names[i], longestName, tickStyle)})
	}
	return out
}

func widest(ts []tick) float64 {
	var w float64
	for _, t := range ts {
		w = max(w, textWidth(t.label, tickStyle))
	}
	return w
}

func (l *heatLayout) draw(c canvas) {
	l.head.draw(c, l.plot.x, pad)
	l.panel().draw(c, l.plot, l.r, true)
	if l.Format != nil {
		l.drawValues(c)
	}
	l.drawAxes(c)
	l.bar.draw(c, l.plot.right(), l.plot.y, l.plot.h)
}

func (l *heatLayout) drawAxes(c canvas) {
	b := l.plot
	ch, cw := b.h/float64(len(l.Values)), b.w/float64(len(l.Values[0]))
	line := stroke{color: axisInk, width: 1}
	for _, t := range l.rows {
		y := b.y + (t.at+0.5)*ch
		c.polyline([]point{{b.x - tickLen, y}, {b.x, y}}, line)
		c.text(point{b.x - tickLen - 3, y + tickStyle.drop()}, t.label, tickStyle.at(end))
	}
	for _, t := range l.cols {
		x := b.x + (t.at+0.5)*cw
		c.polyline([]point{{x, b.bottom()}, {x, b.bottom() + tickLen}}, line)
		if l.upright {
			st := tickStyle.at(end)
			st.vertical = true
			c.text(point{x + tickStyle.drop(), b.bottom() + tickLen + 3}, t.label, st)
		} else {
			c.text(point{x, b.bottom() + tickLen + 12}, t.label, tickStyle.at(middle))
		}
	}
	if l.XLabel != "" {
		c.text(point{b.x + b.w/2, b.bottom() + l.bottom - 3}, ellipsis(l.XLabel, b.w, labelStyle), labelStyle.at(middle))
	}
	if l.YLabel != "" {
		st := labelStyle.at(middle)
		st.vertical = true
		c.text(point{pad + 11, b.y + b.h/2}, ellipsis(l.YLabel, b.h, labelStyle), st)
	}
}

// drawValues writes the values in the cells, dark on light and light on dark, if
// text of at least 9 pixels fits.
func (l *heatLayout) drawValues(c canvas) {
	ch, cw := l.plot.h/float64(len(l.Values)), l.plot.w/float64(len(l.Values[0]))
	var wide float64 // at a size of 1 pixel
	for _, row := range l.Values {
		for _, v := range row {
			wide = max(wide, textWidth(l.Format(v), textStyle{size: 1}))
		}
	}
	size := min(12, (ch-2)/capHeight/1.2)
	if wide > 0 {
		size = min(size, (cw-2)/wide)
	}
	if size < 9 {
		return
	}
	for y, row := range l.Values {
		for x, v := range row {
			st := textStyle{size: size, anchor: middle, color: ink}
			bg := l.r.color(v)
			if 0.299*float64(bg.R)+0.587*float64(bg.G)+0.114*float64(bg.B) < 140 {
				st.color = white
			}
			b := cellBox(l.plot, Cell{y, x}, len(l.Values), len(row))
			c.text(point{b.x + b.w/2, b.y + b.h/2 + st.drop()}, l.Format(v), st)
		}
	}
}
