package main

import (
	"cmp"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	leastPictures = 9   // training pictures whose captions have a word, for it to be a concept
	ridgeWords    = 5.0 // penalty of the fit from features to concepts
	ridgeText     = 30  // and of that from a sentence to what the features would have said
)

// common are words that tell nothing about a picture.
var common = map[string]bool{}

func init() {
	for _, w := range []string{
		"a", "an", "the", "of", "on", "in", "with", "and", "is", "to", "are", "at", "it", "its", "his", "her", "that", "by", "for", "from", "there",
		"this", "as", "up", "some", "next", "be", "has", "while", "their", "s", "'", "he", "she", "they", "has", "have", "was", "which", "who",
	} {
		common[w] = true
	}
}

// gist is how the values of a captioner's gist are made: a linear fit from the mean of a
// picture's features to the share of its captions that have each of some words, the
// concepts, standardised.
type gist struct {
	concepts []string
	index    map[string]int

	mean, deviation []float64 // of the means of features
	weight          matrix    // [channels, concepts]: from these, standardised, to standardised concepts
	bias            []float64 // of standardised concepts

	// training pictures' values: what a fit without the picture says, so that they are as
	// uncertain as those of a new picture.
	training matrix

	// fromText leads from a sentence's concepts, less their means, to values; residual is
	// how far the training captions are off.
	fromText  matrix
	textMeans []float64
	residual  matrix
}

// newConcepts are the words that many pictures' captions have.
func newConcepts(captions [][][]string) []string {
	pictures := map[string]int{}
	for _, list := range captions {
		here := map[string]bool{}
		for _, c := range list {
			for _, w := range c {
				here[w] = true
			}
		}
		for w := range here {
			pictures[w]++
		}
	}
	var out []string
	for _, w := range slices.SortedFunc(maps.Keys(pictures), func(a, b string) int {
		return cmp.Or(cmp.Compare(pictures[b], pictures[a]), cmp.Compare(a, b))
	}) {
		if pictures[w] >= leastPictures && !common[w] {
			out = append(out, w)
		}
	}
	return out
}

// bag says which concepts a sentence has.
func (g *gist) bag(sentence []string) []float64 {
	out := make([]float64, len(g.concepts))
	for _, w := range sentence {
		if i, ok := g.index[w]; ok {
			out[i] = 1
		}
	}
	return out
}

// newGist fits the gist of training pictures: the means of their features, and their
// captions.
func newGist(pooled matrix, captions [][][]string) (*gist, error) {
	g := &gist{concepts: newConcepts(captions), index: map[string]int{}}
	for i, w := range g.concepts {
		g.index[w] = i
	}
	shares := newMatrix(len(captions), len(g.concepts))
	for i, list := range captions {
		for _, c := range list {
			addTo(shares[i], 1/float64(len(list)), g.bag(c))
		}
	}
	g.mean = means(pooled)
	g.deviation = deviations(pooled, g.mean)
	floor := 0.1 * dot(g.deviation, g.deviation) / max(sum(g.deviation), 1e-9)
	for i := range g.deviation {
		g.deviation[i] = (g.deviation[i] + floor) * math.Sqrt(float64(len(g.deviation)))
	}
	w, mean, leftOut, err := ridge(g.standardised(pooled), shares, ridgeWords)
	if err != nil {
		return nil, err
	}
	center := means(leftOut)
	spread := deviations(leftOut, center)
	g.weight, g.bias, g.training = w, make([]float64, len(mean)), leftOut
	for j := range mean {
		spread[j] += 0.02
		g.bias[j] = (mean[j] - center[j]) / spread[j]
		for i := range w {
			w[i][j] /= spread[j]
		}
		for i := range leftOut {
			leftOut[i][j] = (leftOut[i][j] - center[j]) / spread[j]
		}
	}
	return g, g.fitText(captions)
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

// standardised is the means of features as the fit takes them.
func (g *gist) standardised(pooled matrix) matrix {
	out := newMatrix(len(pooled), len(g.mean))
	for i, row := range pooled {
		for j, v := range row {
			out[i][j] = (v - g.mean[j]) / g.deviation[j]
		}
	}
	return out
}

// fitText fits the values of the training pictures from each of their captions.
func (g *gist) fitText(captions [][][]string) error {
	var bags, values matrix
	for i, list := range captions {
		for _, c := range list {
			bags, values = append(bags, g.bag(c)), append(values, g.training[i])
		}
	}
	g.textMeans = means(bags)
	for _, b := range bags {
		addTo(b, -1, g.textMeans)
	}
	t := bags.transposed()
	square := t.timesTransposed(t)
	for i := range square {
		square[i][i] += ridgeText
	}
	l, err := cholesky(square)
	if err != nil {
		return err
	}
	g.fromText = solve(l, t.times(values))
	g.residual = newMatrix(len(bags), len(g.concepts))
	for i, fit := range bags.times(g.fromText) {
		copy(g.residual[i], values[i])
		addTo(g.residual[i], -1, fit)
	}
	return nil
}

// imagined are the values that features of a picture with this caption might have given:
// the fit, plus how far off it was for a caption of the training pictures, drawn at random.
func (g *gist) imagined(sentence []string, r *rand.Rand) []float64 {
	bag := g.bag(sentence)
	out := slices.Clone(g.residual[r.IntN(len(g.residual))])
	for i, v := range bag {
		addTo(out, v-g.textMeans[i], g.fromText[i])
	}
	return out
}
