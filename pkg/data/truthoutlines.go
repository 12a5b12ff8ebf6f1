package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// outline is an entry of outlines.json.
type outline struct {
	File     string      `json:"file"`
	Width    int         `json:"width"`
	Height   int         `json:"height"`
	Polygons [][]float64 `json:"polygons"` // each x, y, x, y, …
	line     int
}

// parseOutlines reads an outlines.json. Errors begin with the line number, which is that
// of the entry's end.
func parseOutlines(content []byte) ([]outline, error) {
	in := json.NewDecoder(bytes.NewReader(content))
	line := func(offset int64) int {
		return 1 + bytes.Count(content[:min(int(offset), len(content))], []byte("\n"))
	}
	fail := func(err error) error {
		at := in.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = syntax.Offset
		}
		return fmt.Errorf("%d: it isn't a list of outlines: %w", line(at), err)
	}
	if token, err := in.Token(); err != nil {
		return nil, fail(err)
	} else if token != json.Delim('[') {
		return nil, fail(fmt.Errorf("it begins with %v, not with a bracket", token))
	}
	var list []outline
	for in.More() {
		var o outline
		if err := in.Decode(&o); err != nil {
			return nil, fail(err)
		}
		o.line = line(in.InputOffset())
		if err := o.check(); err != nil {
			return nil, fmt.Errorf("%d: outline %d, of %q: %w", o.line, len(list), o.File, err)
		}
		list = append(list, o)
	}
	if _, err := in.Token(); err != nil {
		return nil, fail(err)
	}
	if in.More() {
		return nil, fail(errors.New("there is more after the list"))
	}
	return list, nil
}

func (o *outline) check() error {
	switch {
	case o.File == "":
		return errors.New("it names no file")
	case o.Width < 1 || o.Height < 1 || o.Width > maxSide || o.Height > maxSide:
		return fmt.Errorf("its size is %dx%d: numbers of pixels from 1 to %d were expected", o.Width, o.Height, maxSide)
	case len(o.Polygons) == 0:
		return errors.New("it has no polygons")
	}
	for i, p := range o.Polygons {
		if len(p) < 6 || len(p)%2 != 0 {
			return fmt.Errorf("polygon %d has %d numbers: an x and a y for each of three points or more were expected", i, len(p))
		}
		for j, v := range p {
			if v < -1 || v > float64([2]int{o.Width, o.Height}[j%2])+1 {
				return fmt.Errorf("polygon %d: point %d is outside the picture of %dx%d", i, j/2, o.Width, o.Height)
			}
		}
	}
	return nil
}

// fill makes the mask of an outline. A pixel is the pet's if its centre is inside by the
// even-odd rule, so that a polygon within another is a hole.
//
// Points are numbers of pixels, as contours are traced: 3 is the centre of pixel 3, not
// its left edge.
func (o *outline) fill() *Mask {
	m := newMask(o.Width, o.Height)
	var crossings []float64
	for y := range o.Height {
		crossings = crossings[:0]
		for _, p := range o.Polygons {
			crossings = appendCrossings(crossings, p, float64(y))
		}
		slices.Sort(crossings)
		for i := 0; i+1 < len(crossings); i += 2 {
			from, to := max(int(math.Ceil(crossings[i])), 0), min(int(math.Floor(crossings[i+1])), o.Width-1)
			for x := from; x <= to; x++ {
				m.Pix[y*o.Width+x] = Inside
			}
		}
	}
	return m
}

// appendCrossings appends where the edges of a closed polygon cross a row, from the
// upper end of each edge, included, to its lower end, excluded.
func appendCrossings(list, polygon []float64, y float64) []float64 {
	n := len(polygon)
	for i := 0; i < n; i += 2 {
		x0, y0, x1, y1 := polygon[i], polygon[i+1], polygon[(i+2)%n], polygon[(i+3)%n]
		if (y0 <= y) != (y1 <= y) {
			list = append(list, x0+(y-y0)*(x1-x0)/(y1-y0))
		}
	}
	return list
}
