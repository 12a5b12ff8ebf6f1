// Package explorer makes a page in which a reader moves over a photograph and sees where
// that patch looks, and chooses layer, head, method, class, word, opacity and colours. The
// page is one HTML document with its scripts and data in it: it loads nothing, so it works
// as a file, in a notebook's output, and in an exported page without a network.
//
// Maps are bytes, from each map's least to its greatest value (signed ones from the
// negative to the positive of the greatest magnitude), so that a reader sees the colours
// that [plots] would draw, and values to 1/255 of the range. They are compressed (zlib) and
// unpacked by the browser. A picture takes at most [Budget] bytes of the page; see [fit]
// for what is left out if its attention is larger.
package explorer

import (
	"errors"
	"fmt"
	"math"

	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// Budget is how many bytes a picture may take in a page, with its photograph and all maps.
const Budget = 2_000_000

// Picture is a photograph with maps over it.
type Picture struct {
	Name   string
	Credit string           // who made the photograph, or where it is from
	Model  string           // the checkpoint's name
	Image  *transform.Image // the part of the photograph that the model saw, in its original colours
	Rows   int              // of patches
	Cols   int
	// Covered is how many rows and columns lie on the photograph, where the last ones extend
	// beyond it; zero: all.
	Covered [2]float64

	// Tokens are the names of tokens before the patches that the attention also has rows
	// of, such as "[class]".
	Tokens []string
	Layers []Layer // attention of every query; may be empty

	GroupLabel string  // what groups are: "Class" (the default), "Word"
	Groups     []Group // in order; groups that only Maps name follow
	Maps       []Named
}

// Layer is the attention of one layer.
type Layer struct {
	Name    string // "" is its number, counted from 0
	Heads   int
	Weights []float32 // [heads, tokens + patches, patches]: each query's weights of the patches
}

// Group is what a map is for: a class, or a word of a caption.
type Group struct {
	Name string
	Note string // such as its probability
}

// Named is a map by a method.
type Named struct {
	Group  string // the group's name; "": the same for every group
	Key    string // the method's name as in flags; "": Name
	Name   string // the method's name as in figures
	Note   string // a short note behind the name, such as the method's rank
	About  string // a sentence on the method
	Signed bool   // values around 0, for colours that diverge
	Map    explain.Map
}

// check reports what can't be shown.
func (p *Picture) check() error {
	cells := p.Rows * p.Cols
	switch {
	case p.Image == nil || p.Image.Width < 1 || p.Image.Height < 1:
		return errors.New("there is no photograph")
	case len(p.Image.Pix) != p.Image.Width*p.Image.Height*p.Image.Channels:
		return fmt.Errorf("the photograph has %d bytes for %d×%d pixels of %d channels", len(p.Image.Pix), p.Image.Width, p.Image.Height, p.Image.Channels)
	case p.Rows < 1 || p.Cols < 1:
		return fmt.Errorf("a grid of %d×%d patches", p.Rows, p.Cols)
	case p.Rows > maxSide || p.Cols > maxSide:
		return fmt.Errorf("a grid of %d×%d patches: more than %d on a side can't be told apart", p.Rows, p.Cols, maxSide)
	case p.Covered != [2]float64{} && !(inside(p.Covered[0], p.Rows) && inside(p.Covered[1], p.Cols)):
		return fmt.Errorf("%g rows and %g columns on the photograph, of %d and %d", p.Covered[0], p.Covered[1], p.Rows, p.Cols)
	case len(p.Layers) == 0 && len(p.Maps) == 0:
		return errors.New("there are no maps")
	}
	for i, l := range p.Layers {
		want := l.Heads * (len(p.Tokens) + cells) * cells
		if l.Heads < 1 || len(l.Weights) != want {
			return fmt.Errorf("layer %d: %d weights for %d heads, %d tokens before the patches and %d×%d patches; there must be heads × (tokens + patches) × patches", i, len(l.Weights), l.Heads, len(p.Tokens), p.Rows, p.Cols)
		}
		if at := notFinite(l.Weights); at >= 0 {
			head, row := at/((len(p.Tokens)+cells)*cells), at/cells%(len(p.Tokens)+cells)
			return fmt.Errorf("layer %d, head %d, query %d: a weight isn't finite (%g)", i, head, row, l.Weights[at])
		}
	}
	return p.checkMaps()
}

// inside says whether so many of n rows can lie on a photograph.
func inside(covered float64, n int) bool { return covered > float64(n-1) && covered <= float64(n) }

// maxSide is the largest number of patches on a side of the grid.
const maxSide = 512

func (p *Picture) checkMaps() error {
	seen := map[[2]string]bool{}
	for _, m := range p.Maps {
		key := [2]string{m.Group, m.key()}
		switch at := notFinite(m.Map.Values); {
		case m.key() == "":
			return errors.New("a map has no name")
		case m.Map.Rows != p.Rows || m.Map.Cols != p.Cols || len(m.Map.Values) != p.Rows*p.Cols:
			return fmt.Errorf("%s: a map of %d×%d with %d values on a grid of %d×%d", m.Name, m.Map.Rows, m.Map.Cols, len(m.Map.Values), p.Rows, p.Cols)
		case at >= 0:
			return fmt.Errorf("%s: the value in row %d, column %d isn't finite (%g)", m.Name, at/p.Cols, at%p.Cols, m.Map.Values[at])
		case seen[key]:
			return fmt.Errorf("there are two maps by %s for %q", m.Name, m.Group)
		}
		seen[key] = true
	}
	return nil
}

// key is the method's name as in flags.
func (m *Named) key() string {
	if m.Key != "" {
		return m.Key
	}
	return m.Name
}

// notFinite is the index of the first value that isn't finite; -1: all are.
func notFinite(values []float32) int {
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return i
		}
	}
	return -1
}

// groups are the picture's groups, with those that only maps name.
func (p *Picture) groups() []Group {
	var out []Group
	seen := map[string]bool{"": true}
	add := func(g Group) {
		if !seen[g.Name] {
			seen[g.Name] = true
			out = append(out, g)
		}
	}
	for _, g := range p.Groups {
		add(g)
	}
	for _, m := range p.Maps {
		add(Group{Name: m.Group})
	}
	return out
}
