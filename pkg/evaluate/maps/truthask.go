package maps

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/data/pets"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

const (
	// leastCells is how much of a cell must change for a part to be seen.
	leastCells = 0.25
	// idleShare is the share of the animal's drop below which scenery is idle.
	idleShare = 0.05
	// leastFall is the share of the logits' difference that a contrast takes.
	leastFall = 0.5
	// askedAtOnce is what the number of pictures of a run is a multiple of. A case's
	// pictures run apart from other cases', so that the answers can't depend on those.
	askedAtOnce = 8
)

// deciding are the attributes of a contrast, numbered as in pets.AttributeNames.
var deciding = []int{2, 3, 4, 5, 6, 7, 8, 10}

// questions are changes of a case's picture, and what the model is to be asked of each.
type questions struct {
	of     *Case
	grid   *cellGrid
	drawn  *pets.Original
	shape  [3]int
	images []float32 // the picture, then the changed ones
	list   []question
}

// question is a picture without a part, or with another attribute.
type question struct {
	part      pets.Part // "": an attribute
	scenery   bool
	attribute int
	mask      *transform.Image
	cells     []float64
}

// newQuestions draws a case again.
func newQuestions(e *explain.Explainer, c *Case) (*questions, error) {
	d := c.Drawn
	shape := c.Tensor.Shape
	cfg, err := e.Config().WithImageSize(shape[1], shape[2])
	if err != nil {
		return nil, err
	}
	q := &questions{of: c, shape: shape}
	if q.grid, err = newCellGrid(d.Pipeline, d.Size, cfg.Grid()[0], cfg.Grid()[1]); err != nil {
		return nil, err
	}
	if q.drawn, err = pets.NewOriginal(d.Seed, d.Breed, d.Index, d.Size, d.Options); err != nil {
		return nil, err
	}
	if err := q.add(q.drawn.Image); err != nil {
		return nil, err
	}
	if err := q.checkPicture(); err != nil {
		return nil, err
	}
	return q, q.draw()
}

// draw draws all changes that can be seen.
func (q *questions) draw() error {
	var all []question
	for _, p := range append(pets.Parts(), pets.PartAnimal) {
		all = append(all, question{part: p})
	}
	for _, p := range q.drawn.Scenery {
		all = append(all, question{part: p, scenery: true})
	}
	for _, a := range deciding {
		all = append(all, question{attribute: a})
	}
	for _, one := range all {
		change := pets.Change{Without: []pets.Part{one.part}}
		if one.part == "" {
			looks, _, ok := pets.Neighbour(q.of.Drawn.Breed, one.attribute)
			if !ok {
				continue
			}
			change = pets.Change{Looks: &looks}
		}
		s, err := q.drawn.Draw(change)
		if err != nil {
			return err
		}
		one.mask, one.cells = s.Changed, q.grid.of(s.Changed)
		if mean(one.cells)*float64(len(one.cells)) < leastCells {
			continue
		}
		if err := q.add(s.Image); err != nil {
			return err
		}
		q.list = append(q.list, one)
	}
	return nil
}

// add puts a picture on the list.
func (q *questions) add(im *transform.Image) error {
	t, err := q.of.Drawn.Pipeline.Tensor(im)
	if err != nil {
		return err
	}
	if t.Shape != q.shape {
		return fmt.Errorf("its tensor is %v, but that of its drawing is %v", q.shape, t.Shape)
	}
	q.images = append(q.images, t.Data...)
	return nil
}

// checkPicture reports a case whose tensor isn't of its drawing. Compression may have
// changed it a little.
func (q *questions) checkPicture() error {
	const most = 0.1 // of the range of the values
	own := q.of.Tensor.Data
	lo, hi, sum := q.images[0], q.images[0], 0.0
	for i, v := range q.images {
		lo, hi = min(lo, v), max(hi, v)
		sum += math.Abs(float64(v) - float64(own[i]))
	}
	if apart := sum / float64(len(own)); !(apart <= most*float64(hi-lo)) {
		return fmt.Errorf("its tensor differs by %.2g on the average from the drawing that it should be (seed %d, breed %d, index %d)",
			apart, q.of.Drawn.Seed, q.of.Drawn.Breed, q.of.Drawn.Index)
	}
	return nil
}

// ask asks the model.
func (q *questions) ask(e *explain.Explainer) (*DrawnTruth, error) {
	size, n := q.shape[0]*q.shape[1]*q.shape[2], 1+len(q.list)
	for n%askedAtOnce != 0 {
		q.images = append(q.images, q.images[:size]...)
		n++
	}
	logits, err := e.Logits(q.images, [4]int{n, q.shape[0], q.shape[1], q.shape[2]}, nil)
	if err != nil {
		return nil, err
	}
	classes := len(logits.Values) / n
	if q.of.Class < 0 || q.of.Class >= classes {
		return nil, fmt.Errorf("class %d is explained, but the model has %d, counted from 0", q.of.Class, classes)
	}
	answers := make([][]float64, 0, 1+len(q.list))
	for i := range 1 + len(q.list) {
		answer := make([]float64, classes)
		for k, v := range logits.Values[i*classes : (i+1)*classes] {
			if answer[k] = float64(v); math.IsNaN(answer[k]) || math.IsInf(answer[k], 0) {
				return nil, fmt.Errorf("the logit of class %d is %g: look for weights or pixels that are far too large", k, v)
			}
		}
		answers = append(answers, answer)
	}
	return q.truth(answers), nil
}

// truth reads the answers, of the picture and of each question.
func (q *questions) truth(answers [][]float64) *DrawnTruth {
	whole, class := answers[0], q.of.Class
	t := &DrawnTruth{Rows: q.grid.rows, Cols: q.grid.cols, Logit: whole[class]}
	for i, one := range q.list {
		r := Removal{Part: one.part, Drop: whole[class] - answers[1+i][class], Cells: one.cells}
		switch {
		case one.part == pets.PartAnimal:
			t.Drop = r.Drop
		case one.scenery:
			t.Scenery = append(t.Scenery, r)
		case one.part != "":
			t.Parts = append(t.Parts, r)
		default:
			t.contrast(one, class, whole, answers[1+i])
		}
	}
	t.Idle = q.idle(t)
	return t
}

// contrast keeps an attribute if it decides more than the one that is known.
func (t *DrawnTruth) contrast(one question, class int, whole, changed []float64) {
	if len(whole) < 2 {
		return
	}
	other := -1
	for k, v := range changed {
		if k != class && (other < 0 || v > changed[other]) {
			other = k
		}
	}
	margin := whole[class] - whole[other]
	fall := 1 - (changed[class]-changed[other])/margin
	if margin > 0 && fall >= leastFall && (t.Contrast == nil || fall > t.Contrast.Fall) {
		t.Contrast = &Contrast{Attribute: pets.AttributeNames[one.attribute], Against: other, Fall: fall, Cells: one.cells}
	}
}

// idle is the scenery that the answer doesn't depend on, less what it shares with scenery
// that it does depend on, such as ground under the animal's shadow.
func (q *questions) idle(t *DrawnTruth) []float64 {
	if t.Drop <= 0 {
		return nil
	}
	size := q.of.Drawn.Size
	idle, used := make([]int, size*size), make([]int, size*size)
	for _, one := range q.list {
		if !one.scenery {
			continue
		}
		to := used
		at := slices.IndexFunc(t.Scenery, func(r Removal) bool { return r.Part == one.part })
		if math.Abs(t.Scenery[at].Drop) < idleShare*t.Drop {
			to = idle
		}
		for i, v := range one.mask.Pix {
			to[i] += int(v)
		}
	}
	mask := transform.NewImage(size, size, 1)
	for i, v := range idle {
		mask.Pix[i] = uint8(max(min(v, 255-used[i]), 0))
	}
	cells := q.grid.of(mask)
	if mean(cells)*float64(len(cells)) < leastCells {
		return nil
	}
	return cells
}
