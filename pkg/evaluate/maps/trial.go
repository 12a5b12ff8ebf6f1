package maps

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gaze/pkg/explain"
	"gaze/pkg/vit"
)

// trial is a picture's removals by an operator. Equal removals are run once, for whatever
// map or metric.
type trial struct {
	of      *Case
	remove  remover // nil where tokens are dropped
	cells   int
	removed []int // numbers of cells along a curve
	whole   answer

	gone  [][]bool // of each run
	index map[string]int
	runs  []answer

	most, least [][]int // of each map: the runs of the curves; -1: the whole picture
	random      []int   // the runs of subsets
	subsets     []subset
	singles     []int // the runs of single cells
}

// add notes a removal, and returns its run.
func (t *trial) add(gone []bool) int {
	key := make([]byte, (len(gone)+7)/8)
	for i, g := range gone {
		if g {
			key[i/8] |= 1 << (i % 8)
		}
	}
	at, ok := t.index[string(key)]
	if !ok {
		at = len(t.gone)
		t.index[string(key)], t.gone = at, append(t.gone, gone)
	}
	return at
}

// path notes the removals of a curve that takes cells in an order.
func (t *trial) path(order []int) (runs []int) {
	for _, k := range t.removed {
		if k == 0 {
			runs = append(runs, -1)
			continue
		}
		gone := make([]bool, t.cells)
		for _, i := range order[:k] {
			gone[i] = true
		}
		runs = append(runs, t.add(gone))
	}
	return runs
}

// answer is that of a run.
func (t *trial) answer(run int) answer {
	if run < 0 {
		return t.whole
	}
	return t.runs[run]
}

// curve is the answers along runs.
func (t *trial) curve(runs []int) curve {
	c := curve{cells: t.cells, removed: t.removed}
	for _, r := range runs {
		c.answers = append(c.answers, t.answer(r))
	}
	return c
}

// plan notes what is to be removed from each picture; nil where the operator can't be used.
func (f *FaithfulnessJudge) plan(e responder, op Operator, cases []*Case, maps [][]explain.Map) ([]*trial, error) {
	out := make([]*trial, len(cases))
	for i, c := range cases {
		grid := [2]int{maps[i][0].Rows, maps[i][0].Cols}
		remove, err := op.ready(c, grid)
		if err != nil {
			return nil, err
		}
		if remove == nil && !op.drops {
			continue
		}
		if op.drops {
			if cfg, err := e.Config().WithImageSize(c.Tensor.Shape[1], c.Tensor.Shape[2]); err != nil {
				return nil, fmt.Errorf("maps: %s: %w", c.Name, err)
			} else if cfg.Grid() != grid {
				return nil, fmt.Errorf("maps: %s has maps of %dx%d cells but %dx%d patches: tokens can be dropped where each cell is a patch",
					c.Name, grid[0], grid[1], cfg.Grid()[0], cfg.Grid()[1])
			}
		}
		t := &trial{of: c, remove: remove, cells: grid[0] * grid[1], index: map[string]int{}}
		if t.removed, err = counts(f.o.Fractions, t.cells); err != nil {
			return nil, err
		}
		f.removals(t, maps[i])
		out[i] = t
	}
	return out, nil
}

// removals notes what is removed from one picture.
func (f *FaithfulnessJudge) removals(t *trial, maps []explain.Map) {
	if f.o.Parts&Curves != 0 {
		for _, m := range maps {
			order := descending(m.Values, f.o.Seed, t.of.Index)
			back := make([]int, len(order))
			for i, cell := range order {
				back[len(order)-1-i] = cell
			}
			t.most, t.least = append(t.most, t.path(order)), append(t.least, t.path(back))
		}
	}
	if f.o.Parts&Subsets != 0 {
		size := min(max(int(math.Round(f.o.SubsetShare*float64(t.cells))), 1), t.cells)
		t.subsets = subsets(f.o.Subsets, size, t.cells, f.o.Seed, t.of.Index)
		for _, s := range t.subsets {
			t.random = append(t.random, t.add(s))
		}
	}
	if f.o.Parts&Singles != 0 {
		for cell := range t.cells {
			gone := make([]bool, t.cells)
			gone[cell] = true
			t.singles = append(t.singles, t.add(gone))
		}
	}
}

// run asks the model about all removals.
func (f *FaithfulnessJudge) run(ctx context.Context, e responder, op Operator, trials []*trial) error {
	var changed, empty []asked
	var to, emptyTo []*answer
	for _, t := range trials {
		if t == nil {
			continue
		}
		t.runs = make([]answer, len(t.gone))
		for k, gone := range t.gone {
			a := asked{of: t.of, fill: func(dst []float32) error { return t.remove(dst, gone) }}
			if op.drops {
				a = plain(t.of)
				a.drop = gone
				if poolsPatches(e.Config()) && !anyLeft(gone) {
					a = asked{of: t.of, fill: func(dst []float32) error { clear(dst); return nil }}
					empty, emptyTo = append(empty, a), append(emptyTo, &t.runs[k])
					continue
				}
			}
			changed, to = append(changed, a), append(to, &t.runs[k])
		}
	}
	for _, part := range []struct {
		list []asked
		to   []*answer
	}{{changed, to}, {empty, emptyTo}} {
		answers, err := ask(ctx, e, part.list, f.o.Workers)
		if err != nil {
			return err
		}
		for i, a := range answers {
			*part.to[i] = a
		}
	}
	return nil
}

// poolsPatches says that a model can't answer when all patches have been dropped.
func poolsPatches(c vit.Config) bool { return c.Pool == vit.PoolMean || c.Pool == vit.PoolClassMean }

func anyLeft(gone []bool) bool { return slices.Contains(gone, false) }
