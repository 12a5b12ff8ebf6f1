package plots

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
)

// Bars is a series with one bar for each name of a BarChart.
type Bars struct {
	Name   string    // in the legend; empty: not in the legend
	Values []float64 // NaN and infinite values have no bar
	Errors []float64 // half the length of the error bars; nil: none, or Low and High
	Low    []float64 // ends of asymmetric error bars; nil: none, or Errors
	High   []float64
	Color  color.Color
}

// errorBar returns the ends of the k-th error bar; ok is false if there is none.
func (b Bars) errorBar(k int) (low, high float64, ok bool) {
	switch v := b.Values[k]; {
	case b.Errors != nil:
		low, high = v-math.Abs(b.Errors[k]), v+math.Abs(b.Errors[k])
	case b.Low != nil && b.High != nil:
		low, high = b.Low[k], b.High[k]
	default:
		return 0, 0, false
	}
	return low, high, isFinite(low) && isFinite(high)
}

// BarChart draws bars that start at 0, in groups if there is more than one series.
type BarChart struct {
	Names      []string // of the bars or groups
	Series     []Bars
	Title      string
	Subtitle   string
	ValueLabel string                 // label of the value axis
	Horizontal bool                   // bars run to the right, with the names on their left
	Format     func(v float64) string // formats the value at the end of each bar; nil: no numbers
	Min, Max   float64                // of the value axis; equal: from the data, including 0
	Size       float64                // length of the name axis, in CSS pixels; 0: by the number of names
	Length     float64                // length of the value axis of horizontal bars, in CSS pixels; 0: 460
	Lines      []float64              // reference lines across the bars
}

// Image draws the chart; see [Figure]. It returns an error if there are no bars,
// or if the number of values differs from the number of names.
func (b BarChart) Image(scale float64) (image.Image, error) { return drawImage(b, scale) }

// SVG draws the chart; see [Figure].
func (b BarChart) SVG() (string, error) { return drawSVG(b) }

type barLayout struct {
	BarChart
	value  axis
	ticks  []tick
	plot   box
	head   header
	legend legend
	names  [][]string // broken into lines
	style  textStyle  // of the names
	tilt   bool       // names are vertical, from bottom to top
	bottom float64
	slot   float64 // length on the name axis for each name
}

func (b BarChart) layout() (*scene, error) {
	l := &barLayout{BarChart: b, style: tickStyle}
	l.style.color = ink
	if err := l.check(); err != nil {
		return nil, err
	}
	if err := l.scaleAxis(); err != nil {
		return nil, err
	}
	n := float64(len(b.Names))
	size := b.Size
	right := 14.0
	l.plot = box{x: pad, w: 460, h: 280}
	if b.Horizontal {
		l.plot.w = sizeOr(b.Length, l.plot.w)
		l.breakNames(170, 2)
		each := max(20, 13*float64(len(b.Series))+8, 13*float64(l.mostLines())+7)
		l.plot.h = math.Round(sizeOr(size, n*each))
		l.slot = l.plot.h / n
		l.plot.x += l.widestName() + 8
		l.bottom = tickLen + 14
	} else {
		each := max(44, 20*float64(len(b.Series))+14)
		for _, s := range b.Names {
			each = max(each, min(110, longestWord(s, l.style)+10))
		}
		l.plot.w = math.Round(sizeOr(size, min(860, max(280, n*each))))
		l.slot = l.plot.w / n
		l.ticks = l.value.ticks(max(2, int(l.plot.h/50)))
		l.plot.x += math.Ceil(widest(l.ticks)) + 8
		l.underNames()
	}
	if l.Horizontal {
		l.ticks = l.value.ticks(max(2, int(l.plot.w/70)))
		if b.ValueLabel != "" {
			l.bottom += 20
		}
	} else if b.ValueLabel != "" {
		l.plot.x += 20
	}
	l.head = newHeader(b.Title, b.Subtitle, l.plot.right()-pad)
	l.legend = l.makeLegend()
	l.plot.y = pad + l.head.height() + l.legend.height() + 8
	l.bottom += l.plot.bottom()
	if b.Horizontal {
		l.value.from, l.value.to = l.plot.x, l.plot.right()
	} else {
		l.value.from, l.value.to = l.plot.bottom(), l.plot.y
	}
	return &scene{w: l.plot.right() + right + pad, h: l.bottom + pad, title: l.Title, draw: l.draw}, nil
}

func (l *barLayout) check() error {
	if len(l.Names) == 0 || len(l.Series) == 0 {
		return errors.New("plots: the bar chart has no bars")
	}
	for i, s := range l.Series {
		if len(s.Values) != len(l.Names) || s.Errors != nil && len(s.Errors) != len(l.Names) {
			return fmt.Errorf("plots: bar series %d (%q) has %d values and %d errors, but the chart has %d names", i, s.Name, len(s.Values), len(s.Errors), len(l.Names))
		}
		if len(s.Low) != len(s.High) || s.Low != nil && len(s.Low) != len(l.Names) {
			return fmt.Errorf("plots: bar series %d (%q) has %d Low and %d High values, but the chart has %d names", i, s.Name, len(s.Low), len(s.High), len(l.Names))
		}
	}
	return nil
}

// scaleAxis makes the value axis cover 0 and all bars with their error bars, with
// room for the numbers at the ends of the bars.
func (l *barLayout) scaleAxis() error {
	values := []float64{0}
	for _, s := range l.Series {
		for i, v := range s.Values {
			if !isFinite(v) {
				continue
			}
			values = append(values, v)
			if low, high, ok := s.errorBar(i); ok {
				values = append(values, low, high)
			}
		}
	}
	values = append(values, l.Lines...)
	lo, hi := l.Min, l.Max
	if lo == hi {
		a, err := newAxis(0, 0, false, 0, values...)
		if err != nil {
			return err
		}
		room := 0.05
		if l.Format != nil {
			room = 0.1
			if l.Horizontal {
				room = 0.14
			}
		}
		d := (a.hi - a.lo) * room
		lo, hi = a.lo, a.hi
		if lo < 0 {
			lo -= d
		}
		if hi > 0 {
			hi += d
		}
	}
	var err error
	l.value, err = newAxis(lo, hi, false, 0)
	return err
}

func (l *barLayout) breakNames(width float64, lines int) {
	l.names = make([][]string, len(l.Names))
	for i, s := range l.Names {
		l.names[i] = wrap(s, width, lines, l.style)
	}
}

func (l *barLayout) widestName() float64 {
	var w float64
	for _, lines := range l.names {
		for _, s := range lines {
			w = max(w, textWidth(s, l.style))
		}
	}
	return math.Ceil(w)
}

// underNames lays out the names below the bars, vertically if words don't fit.
func (l *barLayout) underNames() {
	for _, s := range l.Names {
		if longestWord(s, l.style) > l.slot-6 {
			l.tilt = true
		}
	}
	if l.tilt {
		l.breakNames(longestName, 1)
		l.bottom = 9 + l.widestName()
		return
	}
	l.breakNames(l.slot-6, 3)
	l.bottom = 6 + 14*float64(l.mostLines())
}

func (l *barLayout) mostLines() int {
	most := 0
	for _, n := range l.names {
		most = max(most, len(n))
	}
	return most
}

func (l *barLayout) makeLegend() legend {
	var names []string
	var samples []func(canvas, box)
	for i, s := range l.Series {
		names = append(names, s.Name)
		col := l.color(i)
		samples = append(samples, func(c canvas, b box) { c.rect(box{b.x, b.y, b.w, b.h}, col) })
	}
	return newLegend(names, samples, l.plot.w)
}

func (l *barLayout) color(i int) color.RGBA {
	if c := l.Series[i].Color; c != nil {
		return color.RGBA(color.NRGBAModel.Convert(c).(color.NRGBA))
	}
	return Palette[i%len(Palette)]
}

func (l *barLayout) draw(c canvas) {
	left := l.plot.x
	if l.Horizontal {
		left = pad
	}
	l.head.draw(c, left, pad)
	l.legend.draw(c, left, pad+l.head.height())
	l.drawScale(c)
	c.clip(box{l.plot.x, l.plot.y, l.plot.w, l.plot.h}, func() {
		for i := range l.Series {
			for k := range l.Names {
				l.drawBar(c, i, k)
			}
		}
		for _, v := range l.Lines {
			if !(l.value.lo <= v && v <= l.value.hi) {
				continue
			}
			st := stroke{color: softInk, width: 1, dash: []float64{4, 3}}
			at := math.Round(l.value.at(v)) + 0.5
			if l.Horizontal {
				c.polyline([]point{{at, l.plot.y}, {at, l.plot.bottom()}}, st)
			} else {
				c.polyline([]point{{l.plot.x, at}, {l.plot.right(), at}}, st)
			}
		}
	})
	l.drawNumbers(c)
	l.drawNames(c)
}

// drawScale draws the value axis, its grid and the base line of the bars.
func (l *barLayout) drawScale(c canvas) {
	zero := l.value.at(min(l.value.hi, max(l.value.lo, 0)))
	if !l.Horizontal {
		drawGrid(c, l.plot, l.ticks, l.value)
		c.polyline([]point{{l.plot.x, zero}, {l.plot.right(), zero}}, stroke{color: axisInk, width: 1})
		drawAxisLabels(c, l.plot, "", l.ValueLabel, l.bottom)
		return
	}
	for _, t := range l.ticks {
		x := l.value.at(t.at)
		c.polyline([]point{{x, l.plot.y}, {x, l.plot.bottom()}}, stroke{color: gridInk, width: 1})
		c.text(point{x, l.plot.bottom() + tickLen + 12}, t.label, tickStyle.at(middle))
	}
	c.polyline([]point{{zero, l.plot.y}, {zero, l.plot.bottom()}}, stroke{color: axisInk, width: 1})
	drawAxisLabels(c, l.plot, l.ValueLabel, "", l.bottom)
}

// bar returns the start and end of a bar on the name axis.
func (l *barLayout) bar(series, k int) (from, to float64) {
	group := l.slot * 0.72
	if len(l.Series) == 1 {
		group = min(l.slot*0.66, 46)
	}
	each := group / float64(len(l.Series))
	begin := l.plot.x
	if l.Horizontal {
		begin = l.plot.y
	}
	from = begin + l.slot*float64(k) + (l.slot-group)/2 + each*float64(series)
	return from, from + each
}

func (l *barLayout) drawBar(c canvas, i, k int) {
	v := l.Series[i].Values[k]
	if !isFinite(v) {
		return
	}
	from, to := l.bar(i, k)
	zero, tip := l.value.at(min(l.value.hi, max(l.value.lo, 0))), l.value.at(v)
	low, high := min(zero, tip), max(zero, tip)
	gap := 0.0
	if len(l.Series) > 1 {
		gap = 1 // between the bars of a group
	}
	if l.Horizontal {
		c.rect(box{low, from, high - low, to - from - gap}, l.color(i))
	} else {
		c.rect(box{from, low, to - from - gap, high - low}, l.color(i))
	}
	if low, high, ok := l.Series[i].errorBar(k); ok {
		l.drawError(c, (from+to-gap)/2, min(4, (to-from)/4), l.value.at(low), l.value.at(high))
	}
}

func (l *barLayout) drawError(c canvas, mid, half, a, b float64) {
	st := stroke{color: ink, width: 1}
	line := func(p, q point) {
		if l.Horizontal {
			p, q = point{p.y, p.x}, point{q.y, q.x}
		}
		c.polyline([]point{p, q}, st)
	}
	line(point{mid, a}, point{mid, b})
	line(point{mid - half, a}, point{mid + half, a})
	line(point{mid - half, b}, point{mid + half, b})
}

// drawNumbers writes the values beyond the ends of the bars and error bars.
func (l *barLayout) drawNumbers(c canvas) {
	if l.Format == nil {
		return
	}
	for i, s := range l.Series {
		for k, v := range s.Values {
			if !isFinite(v) {
				continue
			}
			farthest, sign := v, 1.0
			if v < 0 {
				sign = -1
			}
			if low, high, ok := s.errorBar(k); ok && sign < 0 {
				farthest = low
			} else if ok {
				farthest = high
			}
			from, to := l.bar(i, k)
			tip := l.value.at(farthest)
			text := l.Format(v)
			switch {
			case l.Horizontal && sign > 0:
				c.text(point{tip + 5, (from+to)/2 + tickStyle.drop()}, text, tickStyle)
			case l.Horizontal:
				c.text(point{tip - 5, (from+to)/2 + tickStyle.drop()}, text, tickStyle.at(end))
			case textWidth(text, tickStyle) > l.slot/float64(len(l.Series))+4: // would overlap its neighbour
			case sign > 0:
				c.text(point{(from + to) / 2, tip - 5}, text, tickStyle.at(middle))
			default:
				c.text(point{(from + to) / 2, tip + 13}, text, tickStyle.at(middle))
			}
		}
	}
}

func (l *barLayout) drawNames(c canvas) {
	for k, lines := range l.names {
		mid := l.slot * (float64(k) + 0.5)
		for i, s := range lines {
			down := (float64(i) - float64(len(lines)-1)/2) * 13
			switch {
			case l.Horizontal:
				c.text(point{l.plot.x - 8, l.plot.y + mid + down + l.style.drop()}, s, l.style.at(end))
			case l.tilt:
				st := l.style.at(end)
				st.vertical = true
				c.text(point{l.plot.x + mid + st.drop(), l.plot.bottom() + 7}, s, st)
			default:
				c.text(point{l.plot.x + mid, l.plot.bottom() + 15 + 14*float64(i)}, s, l.style.at(middle))
			}
		}
	}
}
