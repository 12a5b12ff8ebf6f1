package plots

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
)

// Series is one line, or one set of points, of a LineChart.
type Series struct {
	Name      string    // in the legend; empty: not in the legend
	X         []float64 // nil: 0, 1, 2, …
	Y         []float64 // NaN and infinite values leave a gap
	Low, High []float64 // a band around the line, of the length of Y; nil: none
	Points    bool      // mark the points
	NoLine    bool      // with Points: a scatter plot
	Dashed    bool
	Color     color.Color // nil: the next of [Palette]
}

// RefLine is a straight line across the plot at one value. It isn't drawn if the value
// is NaN or outside a given range.
type RefLine struct {
	Value    float64
	Label    string
	Vertical bool // at a value of x instead of y
}

// LineChart draws lines over common axes. The legend is above the plot, where it covers
// no data.
type LineChart struct {
	Series         []Series
	Lines          []RefLine
	Title          string
	Subtitle       string
	XLabel, YLabel string
	XMin, XMax     float64 // equal: from the data
	YMin, YMax     float64 // equal: from the data
	LogX, LogY     bool
	WholeX         bool    // x counts something, such as layers: marks at whole numbers only; not with LogX
	Width, Height  float64 // of the plot area, in CSS pixels; 0: 560 x 300
}

// Image draws the chart; see [Figure]. It returns an error if there is no series,
// if the lengths within a series differ, if a range is invalid, or if a logarithmic
// axis has values that aren't above 0.
func (l LineChart) Image(scale float64) (image.Image, error) { return drawImage(l, scale) }

// SVG draws the chart; see [Figure].
func (l LineChart) SVG() (string, error) { return drawSVG(l) }

type lineLayout struct {
	LineChart
	x, y           axis
	xTicks, yTicks []tick
	plot           box
	head           header
	legend         legend
	bottom         float64
	rows           []int // for each label of a vertical reference line, its row above the plot
}

func (l LineChart) layout() (*scene, error) {
	if len(l.Series) == 0 {
		return nil, errors.New("plots: the line chart has no series")
	}
	p := &lineLayout{LineChart: l}
	p.Series = append([]Series(nil), l.Series...) // a copy, so that the caller's series aren't changed
	p.Lines = append([]RefLine(nil), l.Lines...)
	if err := p.complete(); err != nil {
		return nil, err
	}
	if err := p.scaleAxes(); err != nil {
		return nil, err
	}
	p.plot = box{pad, pad, sizeOr(l.Width, 560), sizeOr(l.Height, 300)}
	p.yTicks = p.y.ticks(max(2, int(p.plot.h/50)))
	p.xTicks = p.x.ticks(max(2, int(p.plot.w/70)))
	if l.WholeX && !l.LogX {
		p.xTicks = wholeTicks(p.x.lo, p.x.hi, max(2, int(p.plot.w/70)))
	}
	p.plot.x += math.Ceil(widest(p.yTicks)) + 8
	if l.YLabel != "" {
		p.plot.x += 20
	}
	p.x.from, p.x.to = p.plot.x, p.plot.right()
	right, top := p.placeLabels()
	p.head = newHeader(l.Title, l.Subtitle, p.plot.w)
	p.legend = p.makeLegend()
	p.plot.y += p.head.height() + p.legend.height() + top + 6
	p.bottom = p.plot.bottom() + tickLen + 14
	if l.XLabel != "" {
		p.bottom += 20
	}
	p.y.from, p.y.to = p.plot.bottom(), p.plot.y
	return &scene{w: p.plot.right() + right + pad, h: p.bottom + pad, title: p.Title, draw: p.draw}, nil
}

func sizeOr(v, other float64) float64 {
	if v > 0 && isFinite(v) {
		return math.Round(max(40, v))
	}
	return other
}

// complete fills in the defaults of the series and checks their lengths.
func (l *lineLayout) complete() error {
	for i := range l.Series {
		s := &l.Series[i]
		n := len(s.Y)
		if s.X == nil {
			s.X = make([]float64, n)
			for k := range s.X {
				s.X[k] = float64(k)
			}
		}
		if len(s.X) != n || s.Low != nil && len(s.Low) != n || s.High != nil && len(s.High) != n || (s.Low == nil) != (s.High == nil) {
			return fmt.Errorf("plots: series %d (%q) has %d x, %d y, %d low and %d high values", i, s.Name, len(s.X), n, len(s.Low), len(s.High))
		}
		if s.Color == nil {
			s.Color = Palette[i%len(Palette)]
			s.Dashed = s.Dashed || i >= len(Palette)
		}
	}
	return nil
}

func (l *lineLayout) scaleAxes() error {
	var xs, ys []float64
	for _, s := range l.Series {
		for k, x := range s.X {
			if !isFinite(x) || !isFinite(s.Y[k]) {
				continue
			}
			xs, ys = append(xs, x), append(ys, s.Y[k])
			if s.Low != nil {
				ys = append(ys, s.Low[k], s.High[k])
			}
		}
	}
	for _, r := range l.Lines {
		if r.Vertical {
			xs = append(xs, r.Value)
		} else {
			ys = append(ys, r.Value)
		}
	}
	var err error
	if l.x, err = newAxis(l.XMin, l.XMax, l.LogX, 0.02, xs...); err != nil {
		return fmt.Errorf("x axis: %w", err)
	}
	if l.y, err = newAxis(l.YMin, l.YMax, l.LogY, 0.06, ys...); err != nil {
		return fmt.Errorf("y axis: %w", err)
	}
	return nil
}

func (l *lineLayout) makeLegend() legend {
	var names []string
	var samples []func(canvas, box)
	for _, s := range l.Series {
		names = append(names, s.Name)
		samples = append(samples, func(c canvas, b box) {
			mid := b.y + b.h/2
			if s.Low != nil {
				c.rect(box{b.x, b.y, b.w, b.h}, s.faded())
			}
			if !s.NoLine {
				c.polyline([]point{{b.x, mid}, {b.right(), mid}}, s.stroke())
			}
			if s.Points {
				c.polygon(disc(point{b.x + b.w/2, mid}, pointRadius), s.rgba())
			}
		})
	}
	return newLegend(names, samples, l.plot.w)
}

func (s Series) rgba() color.RGBA { return color.RGBA(color.NRGBAModel.Convert(s.Color).(color.NRGBA)) }

func (s Series) faded() color.RGBA {
	c := s.rgba()
	c.A = uint8(float64(c.A) * 0.18)
	return c
}

func (s Series) stroke() stroke {
	st := stroke{color: s.rgba(), width: 1.75}
	if s.Dashed {
		st.dash = []float64{6, 4}
	}
	return st
}

const pointRadius = 2.75

func disc(at point, radius float64) []point {
	const sides = 20
	pts := make([]point, sides)
	for i := range pts {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / sides)
		pts[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	return pts
}

func (l *lineLayout) draw(c canvas) {
	l.head.draw(c, l.plot.x, pad)
	l.legend.draw(c, l.plot.x, pad+l.head.height())
	drawAxes(c, l.plot, l.xTicks, l.yTicks, l.x, l.y)
	drawAxisLabels(c, l.plot, l.XLabel, l.YLabel, l.bottom)
	roomy := box{l.plot.x - 3, l.plot.y - 3, l.plot.w + 6, l.plot.h + 6} // so that points on the edge aren't clipped
	c.clip(roomy, func() {
		for _, s := range l.Series {
			l.drawBand(c, s)
		}
		for _, r := range l.Lines {
			l.drawReference(c, r)
		}
		for _, s := range l.Series {
			l.drawSeries(c, s)
		}
	})
	for i := range l.Lines {
		l.labelReference(c, i)
	}
}

// runs splits a series at missing values. Each run is a list of indices.
func (s Series) runs(present func(k int) bool) [][]int {
	var out [][]int
	var cur []int
	for k := range s.Y {
		if present(k) {
			cur = append(cur, k)
		} else if cur != nil {
			out, cur = append(out, cur), nil
		}
	}
	if cur != nil {
		out = append(out, cur)
	}
	return out
}

// place returns the position of a point. A point far outside the plot is moved closer,
// but stays outside.
func (l *lineLayout) place(x, y float64) point {
	far := 4 * (l.plot.w + l.plot.h)
	clamp := func(v, from, to float64) float64 { return max(from-far, min(to+far, v)) }
	return point{clamp(l.x.at(x), l.plot.x, l.plot.right()), clamp(l.y.at(y), l.plot.y, l.plot.bottom())}
}

func (l *lineLayout) visible(x, y float64) bool {
	return isFinite(x) && isFinite(y) && (!l.LogX || x > 0) && (!l.LogY || y > 0)
}

func (l *lineLayout) drawBand(c canvas, s Series) {
	if s.Low == nil {
		return
	}
	for _, run := range s.runs(func(k int) bool { return l.visible(s.X[k], s.Low[k]) && l.visible(s.X[k], s.High[k]) }) {
		var pts []point
		for _, k := range run {
			pts = append(pts, l.place(s.X[k], s.High[k]))
		}
		for i := len(run) - 1; i >= 0; i-- {
			pts = append(pts, l.place(s.X[run[i]], s.Low[run[i]]))
		}
		if len(run) > 1 {
			c.polygon(pts, s.faded())
		}
	}
}

func (l *lineLayout) drawSeries(c canvas, s Series) {
	for _, run := range s.runs(func(k int) bool { return l.visible(s.X[k], s.Y[k]) }) {
		pts := make([]point, len(run))
		for i, k := range run {
			pts[i] = l.place(s.X[k], s.Y[k])
		}
		switch {
		case s.NoLine && !s.Points:
		case len(pts) == 1 || s.NoLine: // a single point has no visible line
		default:
			c.polyline(thin(pts), s.stroke())
		}
		if s.Points || len(pts) == 1 {
			for _, p := range pts {
				c.polygon(disc(p, pointRadius), s.rgba())
			}
		}
	}
}

// thin removes points of a line where many fall on the same pixel. It keeps the first,
// the lowest, the highest and the last of them.
func thin(pts []point) []point {
	const perPixel = 4
	if len(pts) < 4000 {
		return pts
	}
	var out []point
	for i := 0; i < len(pts); {
		j, lo, hi := i, i, i
		for ; j < len(pts) && math.Floor(pts[j].x*2) == math.Floor(pts[i].x*2); j++ {
			if pts[j].y < pts[lo].y {
				lo = j
			}
			if pts[j].y > pts[hi].y {
				hi = j
			}
		}
		if j-i <= perPixel {
			out = append(out, pts[i:j]...)
		} else {
			out = append(out, pts[i], pts[min(lo, hi)], pts[max(lo, hi)], pts[j-1])
		}
		i = j
	}
	return out
}

func (l *lineLayout) drawReference(c canvas, r RefLine) {
	if !l.crosses(r) {
		return
	}
	st := stroke{color: axisInk, width: 1, dash: []float64{4, 3}}
	if r.Vertical {
		x := math.Round(l.x.at(r.Value)) + 0.5
		c.polyline([]point{{x, l.plot.y}, {x, l.plot.bottom()}}, st)
		return
	}
	y := math.Round(l.y.at(r.Value)) + 0.5
	c.polyline([]point{{l.plot.x, y}, {l.plot.right(), y}}, st)
}

// crosses reports whether the line is inside the plot.
func (l *lineLayout) crosses(r RefLine) bool {
	if r.Vertical {
		return l.x.lo <= r.Value && r.Value <= l.x.hi
	}
	return l.y.lo <= r.Value && r.Value <= l.y.hi
}

// placeLabels places the labels of the reference lines outside the plot, where they
// cover no data: on the right of a horizontal line, above a vertical line. Above the
// plot it uses as many rows as needed.
func (l *lineLayout) placeLabels() (right, top float64) {
	right = 14 // the last number on the x axis extends beyond the plot
	l.rows = make([]int, len(l.Lines))
	var ends []float64 // end of each row above the plot
	for i, r := range l.Lines {
		s := ellipsis(r.Label, longestName, tickStyle)
		l.Lines[i].Label = s
		if s == "" || !l.crosses(r) {
			l.Lines[i].Label = ""
			continue
		}
		w := textWidth(s, tickStyle)
		if !r.Vertical {
			right = max(right, w+7)
			continue
		}
		row := 0
		from, to := l.above(r, w)
		for row < len(ends) && ends[row] > from-8 {
			row++
		}
		if row == len(ends) {
			ends = append(ends, 0)
		}
		ends[row], l.rows[i] = to, row
	}
	return right, float64(len(ends)) * panelLead
}

// above returns the start and end of a label of the given width above the plot.
func (l *lineLayout) above(r RefLine, w float64) (from, to float64) {
	mid := max(l.plot.x+w/2, min(l.plot.right()-w/2, l.x.at(r.Value)))
	return mid - w/2, mid + w/2
}

func (l *lineLayout) labelReference(c canvas, i int) {
	r := l.Lines[i]
	if r.Label == "" {
		return
	}
	if r.Vertical {
		from, to := l.above(r, textWidth(r.Label, tickStyle))
		c.text(point{(from + to) / 2, l.plot.y - 5 - float64(l.rows[i])*panelLead}, r.Label, tickStyle.at(middle))
		return
	}
	c.text(point{l.plot.right() + 6, l.y.at(r.Value) + tickStyle.drop()}, r.Label, tickStyle)
}
