package explain

import (
	"errors"
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/vit"
)

// This file is what the methods share that change a picture many times. Each picture has
// its own batches, so that its map doesn't depend on the pictures beside it.

// each makes the map of each picture apart, from a job of that picture.
func (j *job) each(one func(j *job) ([]float32, error)) ([]Map, error) {
	var values []float32
	for i := range j.pictures {
		p := j.part(i, i+1)
		v, err := one(p)
		if err != nil {
			return nil, err
		}
		values = append(values, v...)
		j.logits, j.warnings = append(j.logits, p.logits...), append(j.warnings, p.warnings...)
	}
	return j.maps(values)
}

// fix keeps the answer to the picture itself and, if the predicted class is to be
// explained, that class for all changes of the picture.
func (j *job) fix(answer []float32) error {
	j.logits = [][]float32{answer}
	if j.class[0] == Predicted {
		j.class[0] = argmax(answer)
	}
	return notAgainstItself(j.first, j.class[0], j.against[0])
}

// notAgainstItself reports a class that is held against itself.
func notAgainstItself(picture, class, against int) error {
	if class >= 0 && class == against {
		return fmt.Errorf("picture %d: the model predicts class %d, which is held against itself: give the class to explain, or another to hold against it", picture, class)
	}
	return nil
}

// changes are of one picture. Exactly one of the functions is there. They are called for
// 0 to n-1 in this order.
type changes struct {
	n      int
	pixels func(i int, to []float32) // to holds the picture and becomes its change
	drop   func(i int, to []bool)    // marks the patches that are taken out
}

// atOnce bounds the changed pictures of a batch. More than 32 aren't faster.
func (j *job) atOnce() int {
	c, tokens := j.cfg, j.cfg.Tokens()
	return min(max(maxValues/(tokens*(c.MLPDim+4*c.Dim+c.Heads*tokens)), 1), 32)
}

// asked is the model's answers to the job's only picture, first, and to its changes, each
// [classes]. The class to explain is fixed by the first.
func (j *job) asked(c changes) ([][]float32, error) {
	picture, patches := j.pictures[0].Data, j.cfg.Patches()
	size := min(c.n+1, j.atOnce()) // the last batch is filled up with the picture
	images := make([]float32, size*len(picture))
	var drop []bool
	if c.drop != nil {
		drop = make([]bool, size*patches)
	}
	var rows [][]float32
	for at := -1; at < c.n; at += size { // -1 is the picture itself
		clear(drop)
		for k := range size {
			to, i := images[k*len(picture):(k+1)*len(picture)], at+k
			copy(to, picture)
			if i < 0 || i >= c.n {
				continue
			}
			if c.drop != nil {
				c.drop(i, drop[k*patches:(k+1)*patches])
			} else {
				c.pixels(i, to)
			}
		}
		r, err := j.answers(images, j.shape(size), drop)
		if err != nil {
			return nil, err
		}
		j.warnings = append(j.warnings, r.Warnings...)
		got := answersOf(r.Arrays[0])[:min(size, c.n-at)]
		for k, row := range got {
			if !finite(row) {
				return nil, j.notFinite(images[k*len(picture) : (k+1)*len(picture)])
			}
		}
		if at < 0 {
			if err := j.fix(got[0]); err != nil {
				return nil, err
			}
		}
		rows = append(rows, got...)
	}
	return rows, nil
}

func finite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return v-v != 0 })
}

// notFinite is the error for a changed picture whose logits aren't finite. It names the
// first layer of which that is true.
func (j *job) notFinite(image []float32) error {
	_, _, err := j.pass("layers", vit.Explaining{}, image, j.class, j.against, func(p *pass) *Node { return Identity(p.Logits) })
	if err != nil {
		return err
	}
	return fmt.Errorf("picture %d: the model's answer isn't finite: look for weights or pixels that are far too large", j.first)
}

// logit is the score of an answer: the class's logit, less that of the one it is held
// against.
func (j *job) logit(answer []float32) float64 {
	f := float64(answer[j.class[0]])
	if a := j.against[0]; a >= 0 {
		f -= float64(answer[a])
	}
	return f
}

// scored is the score of each answer. It is an error if they are all the same.
func (j *job) scored(answers [][]float32, score func(answer []float32) float64) ([]float64, error) {
	out := make([]float64, len(answers))
	differ := false
	for i, a := range answers {
		out[i] = score(a)
		differ = differ || out[i] != out[0]
	}
	if !differ {
		return nil, fmt.Errorf("picture %d: the score is %g for each of %d changes of the picture, so there is nothing to show: is the picture blank, or does the model answer everything alike?", j.first, out[0], len(out))
	}
	return out, nil
}

// batches cuts n changes of the job's only picture into batches of one size, of which the
// last is filled up. run gets each with the class for every picture, and how many count.
func (j *job) batches(n int, change func(i int, to []float32), run func(images []float32, class, against []int, n int) error) error {
	picture := j.pictures[0].Data
	size := min(n, j.most())
	images := make([]float32, size*len(picture))
	class, against := slices.Repeat(j.class[:1], size), slices.Repeat(j.against[:1], size)
	for at := 0; at < n; at += size {
		for k := range size {
			to := images[k*len(picture) : (k+1)*len(picture)]
			copy(to, picture)
			if at+k < n {
				change(at+k, to)
			}
		}
		if err := run(images, class, against, min(size, n-at)); err != nil {
			return err
		}
	}
	return nil
}

// errBlank is for methods that weigh by the picture's values.
var errBlank = errors.New("every value of the picture is zero, which is the baseline: the picture can't be told from nothing, so there is nothing to explain")

// allZero says whether no value differs from zero.
func allZero[T float32 | float64](values []T) bool {
	return !slices.ContainsFunc(values, func(v T) bool { return v != 0 })
}

// spread is the greatest value less the smallest.
func spread(values []float32) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, float64(v)), max(high, float64(v))
	}
	return high - low
}
