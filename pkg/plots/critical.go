package plots

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// CriticalDifference is a critical-difference diagram (Demšar 2006): names at their mean
// ranks, and a bar under those that can't be told apart.
type CriticalDifference struct {
	Names    []string
	Ranks    []float64 // mean ranks, 1 is the best; in ascending order
	Groups   [][2]int  // the first and the last name of each group
	Mark     []int     // names in another colour, such as the one that others are compared with
	Title    string
	Subtitle string
	Label    string  // of the axis; "": mean rank
	Width    float64 // of the axis, in CSS pixels; 0: 420
}

// Image draws the diagram; see [Figure]. It returns an error if there are fewer than two
// names, if ranks aren't finite or not in ascending order, or if a group or a mark is of names
// that there aren't.
func (c CriticalDifference) Image(scale float64) (image.Image, error) { return drawImage(c, scale) }

// SVG draws the diagram; see [Figure].
func (c CriticalDifference) SVG() (string, error) { return drawSVG(c) }

const (
	criticalRow  = 17.0 // between two names
	criticalLane = 8.0  // between two bars
	longestRanks = 200.0
)

type criticalLayout struct {
	CriticalDifference
	axis   axis
	ticks  []tick
	head   header
	names  []string
	marked map[int]bool
	lanes  []int // of each group
	left   float64
	width  float64
	top    float64 // of the axis
	first  float64 // of the names
}

func (c CriticalDifference) layout() (*scene, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	l := &criticalLayout{CriticalDifference: c, marked: map[int]bool{}}
	for _, k := range c.Mark {
		l.marked[k] = true
	}
	wide := [2]float64{}
	half := (len(c.Names) + 1) / 2
	for i, name := range c.Names {
		text := fmt.Sprintf("%s  %s", ellipsis(name, longestRanks, labelStyle), number(c.Ranks[i], 3))
		side := 0
		if i >= half {
			side, text = 1, fmt.Sprintf("%s  %s", number(c.Ranks[i], 3), ellipsis(name, longestRanks, labelStyle))
		}
		l.names = append(l.names, text)
		wide[side] = max(wide[side], math.Ceil(textWidth(text, labelStyle)))
	}
	l.width = sizeOr(c.Width, 420)
	l.left = pad + wide[0] + 14
	right := l.left + l.width + 14 + wide[1]
	lo, hi := math.Floor(min(1, c.Ranks[0])), math.Ceil(c.Ranks[len(c.Ranks)-1])
	var err error
	if l.axis, err = newAxis(lo, max(hi, lo+1), false, 0); err != nil {
		return nil, err
	}
	l.axis.from, l.axis.to = l.left, l.left+l.width
	l.ticks = wholeTicks(l.axis.lo, l.axis.hi, max(2, int(l.width/40)))
	l.head = newHeader(c.Title, c.Subtitle, right-pad)
	l.top = pad + l.head.height() + 34
	l.first = l.top + 12 + criticalLane*float64(l.stack()) + criticalRow
	return &scene{w: right + pad, h: l.first + criticalRow*float64(half-1) + 8 + pad, title: c.Title, draw: l.draw}, nil
}

func (c CriticalDifference) check() error {
	if len(c.Names) < 2 || len(c.Ranks) != len(c.Names) {
		return fmt.Errorf("plots: the diagram has %d names and %d ranks; it needs as many of both, and two at least", len(c.Names), len(c.Ranks))
	}
	for i, r := range c.Ranks {
		if !isFinite(r) || math.Abs(r) > 1e6 {
			return fmt.Errorf("plots: the rank of %q is %g", c.Names[i], r)
		}
		if i > 0 && r < c.Ranks[i-1] {
			return fmt.Errorf("plots: the rank of %q, %g, comes after %g: sort them", c.Names[i], r, c.Ranks[i-1])
		}
	}
	for _, g := range c.Groups {
		if g[0] < 0 || g[1] < g[0] || g[1] >= len(c.Names) {
			return fmt.Errorf("plots: a group from %d to %d of %d names", g[0], g[1], len(c.Names))
		}
	}
	for _, k := range c.Mark {
		if k < 0 || k >= len(c.Names) {
			return errors.New("plots: a mark of a name that there isn't")
		}
	}
	return nil
}

// stack puts groups into lanes in which they don't touch, and returns the number of lanes.
func (l *criticalLayout) stack() int {
	var ends []float64
	for _, g := range l.Groups {
		lane := 0
		for lane < len(ends) && ends[lane] > l.axis.at(l.Ranks[g[0]])-12 {
			lane++
		}
		if lane == len(ends) {
			ends = append(ends, 0)
		}
		ends[lane] = l.axis.at(l.Ranks[g[1]])
		l.lanes = append(l.lanes, lane)
	}
	return len(ends)
}

func (l *criticalLayout) draw(c canvas) {
	l.head.draw(c, pad, pad)
	label := l.Label
	if label == "" {
		label = "mean rank, 1 is the best"
	}
	c.text(point{l.left + l.width/2, l.top - 22}, label, labelStyle.at(middle))
	c.polyline([]point{{l.left, l.top}, {l.left + l.width, l.top}}, stroke{color: axisInk, width: 1})
	for _, t := range l.ticks {
		x := l.axis.at(t.at)
		c.polyline([]point{{x, l.top - tickLen}, {x, l.top}}, stroke{color: axisInk, width: 1})
		c.text(point{x, l.top - tickLen - 4}, t.label, tickStyle.at(middle))
	}
	half := (len(l.Names) + 1) / 2
	for i := range l.Names {
		l.drawName(c, i, half)
	}
	for k, g := range l.Groups {
		y := l.top + 10 + criticalLane*float64(l.lanes[k])
		from, to := l.axis.at(l.Ranks[g[0]])-3, l.axis.at(l.Ranks[g[1]])+3
		c.rect(box{from, y - 2, to - from, 4}, ink)
	}
}

// drawName leads a line from the axis down and to the side; the outermost are highest, so that no
// two cross.
func (l *criticalLayout) drawName(c canvas, i, half int) {
	col := softInk
	st := labelStyle
	if l.marked[i] {
		col, st.color, st.bold = Palette[1], Palette[1], true
	}
	x := l.axis.at(l.Ranks[i])
	if i < half {
		y := l.first + criticalRow*float64(i)
		c.polyline([]point{{x, l.top}, {x, y}, {l.left - 8, y}}, stroke{color: col, width: 1})
		c.text(point{l.left - 12, y + st.drop()}, l.names[i], st.at(end))
		return
	}
	y := l.first + criticalRow*float64(len(l.Names)-1-i)
	c.polyline([]point{{x, l.top}, {x, y}, {l.left + l.width + 8, y}}, stroke{color: col, width: 1})
	c.text(point{l.left + l.width + 12, y + st.drop()}, l.names[i], st)
}
