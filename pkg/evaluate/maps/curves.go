package maps

import (
	"fmt"
	"math"
	"slices"
)

// DefaultFractions are the shares of a picture's cells that are removed for a curve.
var DefaultFractions = []float64{0, 0.1, 0.3, 0.5, 0.7, 0.9, 1}

// counts are the numbers of removed cells for fractions, ascending, without repeats, with
// none and all of n among them.
func counts(fractions []float64, n int) ([]int, error) {
	out := []int{0, n}
	for _, f := range fractions {
		if !(f >= 0 && f <= 1) {
			return nil, fmt.Errorf("maps: a fraction of %g of the cells: it goes from 0 to 1", f)
		}
		out = append(out, int(math.Round(f*float64(n))))
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// curve is the answers while more and more cells are removed.
type curve struct {
	cells   int   // of the picture
	removed []int // ascending, from none to all
	answers []answer
}

// area is the area under a value of the answers against the removed share, as long as at
// most so many cells are removed, by the trapezoid rule on the actual shares.
func (c curve) area(of func(answer) float64, most int) float64 {
	sum := 0.0
	for i := 1; i < len(c.removed) && c.removed[i] <= most; i++ {
		sum += float64(c.removed[i]-c.removed[i-1]) * (of(c.answers[i]) + of(c.answers[i-1])) / 2
	}
	return sum / float64(c.cells)
}

func probability(a answer) float64 { return a.probability }

// accuracy is 1 where the class is still the predicted one.
func accuracy(a answer) float64 {
	if a.first {
		return 1
	}
	return 0
}

// lastPerturbed is the greatest share that positive and negative perturbation remove.
const lastPerturbed = 0.9

// The metrics of the curves, in the order of their columns.
const (
	deletion = iota
	insertion
	gap
	positivePerturbation
	negativePerturbation
	curveMetrics
)

// scoreCurves scores a map by its curves: most is removed the most relevant cells first,
// least the least relevant first. A picture from which the least relevant cells have been
// removed is one into which the most relevant have been inserted.
func scoreCurves(most, least curve) (out [curveMetrics]float64) {
	all := most.cells
	out[deletion] = most.area(probability, all)
	out[insertion] = least.area(probability, all)
	n := 0
	for i, k := range most.removed {
		if k > 0 && k < all {
			out[gap] += (least.answers[i].probability - most.answers[i].probability) / 2
			n++
		}
	}
	out[gap] /= float64(max(n, 1))
	last := int(math.Round(lastPerturbed * float64(all)))
	out[positivePerturbation] = 100 * most.area(accuracy, last)
	out[negativePerturbation] = 100 * least.area(accuracy, last)
	return out
}

// change scores a picture that is multiplied by its map: the average drop, the increase
// and the average gain, from the probabilities of the whole picture and of the product.
func change(whole, product float64) (drop, increase, gain float64) {
	if whole > 0 {
		drop = max(0, whole-product) / whole
	}
	if product > whole {
		increase = 1
	}
	if whole < 1 {
		gain = max(0, product-whole) / (1 - whole)
	}
	return drop, increase, gain
}
