package plots

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
)

// Match joins a place in the left picture of [Matches] with one in the right. Places are
// shares of the picture's width and height, 0 to 1 from the top left corner.
type Match struct{ FromX, FromY, ToX, ToY float64 }

// Matches draws two pictures side by side, with lines between places in the one and in
// the other.
type Matches struct {
	Left, Right           image.Image // in their original colours
	LeftTitle, RightTitle string
	Title                 string
	Subtitle              string
	Lines                 []Match
	Width                 float64 // of both pictures and the gap, in CSS pixels; 0: 900
}

// Image draws the matches; see [Figure]. It returns an error if a picture is missing or
// has no pixels, or if a place is outside a picture.
func (m Matches) Image(scale float64) (image.Image, error) { return drawImage(m, scale) }

// SVG draws the matches; see [Figure].
func (m Matches) SVG() (string, error) { return drawSVG(m) }

const (
	matchGap    = 40.0
	tallestPair = 460.0
)

type matchLayout struct {
	Matches
	head        header
	titles      [2][]string
	styles      [2]textStyle
	left, right box
}

func (m Matches) layout() (*scene, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	l := &matchLayout{Matches: m}
	a, b := Panel{Picture: m.Left}, Panel{Picture: m.Right}
	limit := func(a float64) float64 { return min(4, max(0.25, a)) }
	// Both are equally tall and fill the width, unless they would be too tall.
	wide := limit(a.aspect()) + limit(b.aspect())
	height := math.Round(min(tallestPair, (sizeOr(m.Width, figureWidth)-matchGap)/wide))
	l.left = box{pad, 0, math.Round(height * limit(a.aspect())), height}
	l.right = box{l.left.right() + matchGap, 0, math.Round(height * limit(b.aspect())), height}
	w := l.right.right() - pad
	l.head = newHeader(m.Title, m.Subtitle, w)
	y, lines := pad+l.head.height(), 0
	for i, t := range []string{m.LeftTitle, m.RightTitle} {
		l.titles[i], l.styles[i] = fitLines(t, []box{l.left, l.right}[i].w, 2, panelStyle, 11)
		lines = max(lines, len(l.titles[i]))
	}
	if lines > 0 {
		y += float64(lines)*panelLead + 3
	}
	l.left.y, l.right.y = y, y
	return &scene{w: w + 2*pad, h: y + height + pad, title: m.Title, draw: l.draw}, nil
}

func (m Matches) check() error {
	for _, p := range []image.Image{m.Left, m.Right} {
		if p == nil {
			return errors.New("plots: matches need two pictures")
		}
		if err := (Panel{Picture: p}).check(); err != nil {
			return err
		}
	}
	for i, l := range m.Lines {
		for _, v := range []float64{l.FromX, l.FromY, l.ToX, l.ToY} {
			if !(v >= 0 && v <= 1) {
				return fmt.Errorf("plots: line %d goes from (%g, %g) to (%g, %g): places are from 0 to 1", i, l.FromX, l.FromY, l.ToX, l.ToY)
			}
		}
	}
	return nil
}

func (l *matchLayout) draw(c canvas) {
	l.head.draw(c, pad, pad)
	for i, b := range []box{l.left, l.right} {
		p := Panel{Picture: []image.Image{l.Left, l.Right}[i]}
		c.image(b, func() image.Image { return p.image(b, resolved{}, false) }, true)
		for k, s := range l.titles[i] {
			c.text(point{b.x + b.w/2, b.y - 6 - float64(len(l.titles[i])-1-k)*panelLead}, s, l.styles[i])
		}
	}
	// White below the colour makes lines and ends visible on any picture.
	for i, m := range l.Lines {
		from, to := l.ends(m)
		c.polyline([]point{from, to}, stroke{color: color.RGBA{255, 255, 255, 170}, width: 3.5})
		c.polyline([]point{from, to}, stroke{color: l.colour(i), width: 1.75})
	}
	for i, m := range l.Lines {
		from, to := l.ends(m)
		for _, p := range []point{from, to} {
			c.polygon(disc(p, 5.5), white)
			c.polygon(disc(p, 4), l.colour(i))
		}
	}
}

func (l *matchLayout) ends(m Match) (from, to point) {
	return point{l.left.x + m.FromX*l.left.w, l.left.y + m.FromY*l.left.h},
		point{l.right.x + m.ToX*l.right.w, l.right.y + m.ToY*l.right.h}
}

// colour is a line's colour: the lines' left ends from the top to the bottom go through
// the colours of the rainbow, so that lines next to each other differ and crossing ones
// can be followed.
func (l *matchLayout) colour(i int) color.RGBA {
	above := 0
	for k, m := range l.Lines {
		if m.FromY < l.Lines[i].FromY || m.FromY == l.Lines[i].FromY && k < i {
			above++
		}
	}
	return Turbo.At(0.08 + 0.84*(float64(above)+0.5)/float64(len(l.Lines)))
}
