package captions

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
	"gaze/pkg/transform"
)

// OcclusionOptions say which cells are masked.
type OcclusionOptions struct {
	Options
	Dilate int    // cells around the object that are masked too, diagonals included
	Seed   uint64 // chooses where else the shape is put
}

// Occlusion is an occlusion test of one object: the caption when no attention may
// reach the cells that the object's mask touches (see [caption.Options].Masked), and
// the caption when the same shape is masked elsewhere, off the object.
type Occlusion struct {
	Picture *transform.Image
	Word    string // the object's usual word
	Kind    scenes.Kind
	Input   [2]int // height and width of the network's input in pixels
	Stride  int    // side of a cell in its pixels

	Cells, Elsewhere                []bool // the masked cells, row by row
	Before, After, AfterElsewhere   string // captions
	StillNamed, StillNamedElsewhere bool   // whether they still name the object
}

// OccludeScene tests each person, animal, thing and colour of a scene that its caption
// names; the cells of a colour are those of the thing that has it. Objects whose shape
// doesn't fit anywhere else are left out; noRoom is how many.
func OccludeScene(c Captioner, s scenes.Scene, o OcclusionOptions) (list []Occlusion, noRoom int, err error) {
	of, noRoom, err := occlusions(c, []scenes.Scene{s}, 0, o)
	if err != nil {
		return nil, 0, err
	}
	return of[0], noRoom, nil
}

// occlusions tests several scenes; the first has the index first in its set.
func occlusions(c Captioner, list []scenes.Scene, first int, o OcclusionOptions) (each [][]Occlusion, noRoom int, err error) {
	if o.Dilate < 0 {
		return nil, 0, fmt.Errorf("captions: %d cells around an object", o.Dilate)
	}
	o.Caption.NoAttention = true
	before, err := c.Caption(imagesOf(list), o.Caption)
	if err != nil {
		return nil, 0, fmt.Errorf("captions: %w", err)
	}
	each = make([][]Occlusion, len(list))
	var images []*transform.Image
	var blocked [][]bool
	for i, s := range list {
		r := rand.New(rand.NewPCG(o.Seed, uint64(first+i)))
		for _, n := range objects(s, wordsOf(before[i])) {
			d := Occlusion{Picture: s.Image, Word: n.Word, Kind: n.Kind, Input: before[i].Input, Stride: c.Config().Backbone.Stride(), Before: before[i].Text}
			if !d.place(n.Mask, before[i].Grid, o.Dilate, r) {
				noRoom++
				continue
			}
			each[i] = append(each[i], d)
			images, blocked = append(images, s.Image, s.Image), append(blocked, d.Cells, d.Elsewhere)
		}
	}
	if len(images) == 0 {
		return each, noRoom, nil
	}
	o.Caption.Masked = blocked
	after, err := c.Caption(images, o.Caption)
	if err != nil {
		return nil, 0, fmt.Errorf("captions: %w", err)
	}
	for _, of := range each {
		for i := range of {
			of[i].take(after[0], after[1])
			after = after[2:]
		}
	}
	return each, noRoom, nil
}

// objects are the nouns of a scene that a caption names, except places.
func objects(s scenes.Scene, words []word) []scenes.Noun {
	return slices.DeleteFunc(slices.Clone(s.Nouns), func(n scenes.Noun) bool {
		return n.Kind == scenes.Place || !stillNamed(words, n.Word, n.Kind)
	})
}

// place chooses the cells to mask, on the object and elsewhere; false if the shape
// fits nowhere else or the object's mask touches no cell.
func (d *Occlusion) place(mask *transform.Image, grid [2]int, dilate int, r *rand.Rand) bool {
	cover := caption.Coverage(mask, d.Input, d.Stride)
	d.Cells = make([]bool, len(cover))
	for i, v := range cover {
		if v < touched {
			continue
		}
		row, column := i/grid[1], i%grid[1]
		for y := max(row-dilate, 0); y <= min(row+dilate, grid[0]-1); y++ {
			for x := max(column-dilate, 0); x <= min(column+dilate, grid[1]-1); x++ {
				d.Cells[y*grid[1]+x] = true
			}
		}
	}
	if !slices.Contains(d.Cells, true) {
		return false
	}
	var found [][]bool
	for down := 1 - grid[0]; down < grid[0]; down++ {
		for right := 1 - grid[1]; right < grid[1]; right++ {
			if moved := shifted(d.Cells, grid, down, right); moved != nil {
				found = append(found, moved)
			}
		}
	}
	if len(found) == 0 {
		return false
	}
	d.Elsewhere = found[r.IntN(len(found))]
	return true
}

// shifted moves cells; nil if one would leave the grid or overlap the original ones.
func shifted(cells []bool, grid [2]int, down, right int) []bool {
	out := make([]bool, len(cells))
	for i, on := range cells {
		if !on {
			continue
		}
		row, column := i/grid[1]+down, i%grid[1]+right
		if row < 0 || row >= grid[0] || column < 0 || column >= grid[1] || cells[row*grid[1]+column] {
			return nil
		}
		out[row*grid[1]+column] = true
	}
	return out
}

// take records the captions that were made with masked cells.
func (d *Occlusion) take(on, elsewhere caption.Result) {
	d.After, d.AfterElsewhere = on.Text, elsewhere.Text
	d.StillNamed = stillNamed(wordsOf(on), d.Word, d.Kind)
	d.StillNamedElsewhere = stillNamed(wordsOf(elsewhere), d.Word, d.Kind)
}

// usual is the usual word for other names of the same thing.
var usual = map[string]string{
	"men": "man", "women": "woman", "boys": "boy", "girls": "girl",
	"dogs": "dog", "cats": "cat", "horses": "horse", "cows": "cow", "birds": "bird",
	"bicycle": "bike", "bikes": "bike", "bicycles": "bike", "umbrellas": "umbrella",
}

// stillNamed tells whether a caption names something, also by another word or in the
// plural; "person" and "people" name any person. The green of a field doesn't count as
// the colour green.
func stillNamed(words []word, name string, kind scenes.Kind) bool {
	base := func(w string) string {
		if u, ok := usual[w]; ok {
			return u
		}
		if u, ok := young[w]; ok {
			return u
		}
		return w
	}
	for i, w := range words {
		if base(w.text) == base(name) && !(kind == scenes.Colour && ofField(words, i)) {
			return true
		}
		if kind == scenes.Person && (w.text == "person" || w.text == "people") {
			return true
		}
	}
	return false
}
