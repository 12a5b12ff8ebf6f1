package maps

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/data/pets"
	"gaze/pkg/explain"
)

// DrawnTruth is what made a model's answer to a drawn picture. Cells are shares, from 0
// to 1, of each cell of the model's grid, [Rows*Cols] in reading order.
type DrawnTruth struct {
	Rows, Cols int
	Logit      float64 // of the case's class
	Drop       float64 // of the logit without the whole animal
	// Parts are the parts of the animal that the picture shows, a quarter of a cell at
	// least, and Scenery the things around it.
	Parts, Scenery []Removal
	// Idle is the scenery whose absence moves the logit by less than a twentieth of Drop:
	// of a logit itself a share means nothing, since its zero is anywhere. Nil if there is
	// none, and if Drop isn't positive.
	Idle []float64
	// Contrast is nil if no attribute decides.
	Contrast *Contrast
}

// Removal is what happens when the picture is drawn without a part.
type Removal struct {
	Part  pets.Part
	Drop  float64   // of the logit; negative: it rises
	Cells []float64 // that change
}

// Contrast is an attribute that decides between the case's class and another. No two
// breeds of package pets differ in a single attribute, so that the animal is drawn with
// one attribute of its nearest breed (see [pets.Neighbour]), and the other class is the
// one that the model then gives, or would give if it didn't give the case's. The two
// pictures differ by that attribute alone, so whatever the logits' difference loses from
// the one to the other is due to the changed cells. Of the attributes (pattern, ears,
// muzzle, skull, eyes, colour of the eyes, tail and fur: the others change all of the
// animal), it is the one that takes the largest share of the difference, and half of it
// at least.
type Contrast struct {
	Attribute string  // as in pets.AttributeNames
	Against   int     // the other class
	Fall      float64 // share of the logits' difference that is lost; above 1, the other class wins
	Cells     []float64
}

// fewestParts is the least number of parts that are put in an order.
const fewestParts = 4

// Score scores a map by the columns of [TruthJudge], the contrast by a map of the case's
// class against the contrast's. Columns that don't apply are NaN: "parts" with fewer than
// four parts or with drops that are all equal, "contrast" and "idle scenery" where there
// is none. A nil truth gives NaN everywhere.
func (t *DrawnTruth) Score(m, against explain.Map) ([]float64, error) {
	out := slices.Repeat([]float64{math.NaN()}, truthColumns)
	if t == nil {
		return out, nil
	}
	values, err := t.mass(m)
	if err != nil {
		return nil, err
	}
	if len(t.Parts) >= fewestParts {
		out[truthParts], out[truthDensity] = t.order(values)
	}
	if t.Idle != nil {
		out[truthScenery] = onto(values, t.Idle)
	}
	if t.Contrast != nil {
		if values, err = t.mass(against); err != nil {
			return nil, err
		}
		out[truthContrast] = over(values, t.Contrast.Cells)
	}
	return out, nil
}

// mass is the positive values of a map, divided by their sum; even, if there are none.
func (t *DrawnTruth) mass(m explain.Map) ([]float64, error) {
	if m.Rows != t.Rows || m.Cols != t.Cols || len(m.Values) != t.Rows*t.Cols {
		return nil, fmt.Errorf("maps: a map of %d values on %dx%d cells for a model whose grid has %dx%d", len(m.Values), m.Rows, m.Cols, t.Rows, t.Cols)
	}
	out, sum := make([]float64, len(m.Values)), 0.0
	for i, v := range m.Values {
		f := float64(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("maps: the map's value in row %d, column %d is %g", i/m.Cols, i%m.Cols, f)
		}
		out[i] = max(f, 0)
		sum += out[i]
	}
	for i := range out {
		if sum > 0 {
			out[i] /= sum
		} else {
			out[i] = 1 / float64(len(out))
		}
	}
	return out, nil
}

// order compares the parts' order by what they do with that by mass, and with that by
// density.
func (t *DrawnTruth) order(mass []float64) (byMass, byDensity float64) {
	var drops, masses, densities []float64
	for _, p := range t.Parts {
		on := onto(mass, p.Cells)
		drops, masses = append(drops, p.Drop), append(masses, steady(on))
		densities = append(densities, steady(on/(mean(p.Cells)*float64(len(p.Cells)))))
	}
	if slices.Min(drops) == slices.Max(drops) {
		return math.NaN(), math.NaN()
	}
	return (1 + explain.Spearman(drops, masses)) / 2, (1 + explain.Spearman(drops, densities)) / 2
}

// steady rounds what sums in another order would differ by, so that what is equal is a
// tie.
func steady(v float64) float64 { return float64(float32(v)) }

// onto is how much of a mass lies on cells.
func onto(mass, cells []float64) (sum float64) {
	for i, v := range mass {
		sum += v * cells[i]
	}
	return sum
}

// over is how much more of the mass lies on cells than of an even one: from 0 to 1, ½ for
// an even mass. A random map's mean is ½, too.
func over(mass, cells []float64) float64 { return (1 + onto(mass, cells) - mean(cells)) / 2 }
