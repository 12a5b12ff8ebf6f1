package score

import (
	"maps"
	"math"
	"slices"
)

// CIDEr returns the CIDEr of a corpus (the mean) and of each picture, from 0 to
// 10. refs and hyps are as for BLEU.
//
// It is what pycocoevalcap and the COCO server print as CIDEr: by its formula the
// CIDEr-D of Vedantam et al. 2015, where a repeated n-gram counts no more often
// than in the reference, and a Gaussian (sigma 6) lowers the score if lengths differ.
// CIDErUnclipped is the paper's CIDEr without either.
//
// The document frequencies of n-grams are counted in refs, so that a score depends on its
// corpus: with a single picture every weight, and so the score, is 0. The length that is
// compared is the number of 2-grams.
func CIDEr(refs [][]string, hyps []string) (corpus float64, each []float64) {
	return cider(refs, hyps, true)
}

// CIDErUnclipped is the CIDEr of the paper before its D: the mean cosine of
// tf-idf vectors of 1- to 4-grams, times 10, without a penalty on repetition or length. It
// equals the program of that name by the paper's authors.
func CIDErUnclipped(refs [][]string, hyps []string) (corpus float64, each []float64) {
	return cider(refs, hyps, false)
}

// weighted is a caption as tf-idf vectors, one per length of n-gram.
type weighted struct {
	grams  [order]map[ngram]float64
	sorted [order][]ngram // of grams: sums taken in it have the same bits each time
	norm   [order]float64
	pairs  int // 2-grams, which is what CIDEr takes for the length
}

func cider(refs [][]string, hyps []string, clipped bool) (corpus float64, each []float64) {
	checkPairs(refs, hyps)
	v := vocabulary{}
	counts := make([][]counted, len(refs))
	for i, list := range refs {
		counts[i] = v.countAll(list)
	}
	seen := pictureCounts(counts)
	pictures := math.Log(float64(len(refs)))
	for i, hyp := range hyps {
		h := weigh(v.count(hyp), seen, pictures)
		sum := 0.0
		for _, c := range counts[i] {
			sum += similarity(h, weigh(c, seen, pictures), clipped)
		}
		if len(counts[i]) > 0 {
			sum *= 10 / float64(len(counts[i]))
		}
		each = append(each, sum)
	}
	return mean(each), each
}

// pictureCounts counts, for each n-gram, the pictures that have it in a caption.
func pictureCounts(pictures [][]counted) map[ngram]int {
	seen := map[ngram]int{}
	for _, list := range pictures {
		here := map[ngram]bool{}
		for _, c := range list {
			for n := range order {
				for g := range c.grams[n] {
					here[g] = true
				}
			}
		}
		for g := range here {
			seen[g]++
		}
	}
	return seen
}

// weigh turns counts into tf-idf.
func weigh(c counted, seen map[ngram]int, pictures float64) weighted {
	var w weighted
	for n := range order {
		w.grams[n] = make(map[ngram]float64, len(c.grams[n]))
		w.sorted[n] = slices.SortedFunc(maps.Keys(c.grams[n]), func(a, b ngram) int { return slices.Compare(a[:], b[:]) })
		for _, g := range w.sorted[n] {
			weight := float64(c.grams[n][g]) * (pictures - math.Log(math.Max(1, float64(seen[g]))))
			w.grams[n][g] = weight
			w.norm[n] += weight * weight
		}
		w.norm[n] = math.Sqrt(w.norm[n])
	}
	w.pairs = max(0, c.words-1)
	return w
}

// similarity is the mean cosine over the lengths of n-grams.
func similarity(hyp, ref weighted, clipped bool) float64 {
	const sigma = 6.0
	sum := 0.0
	for n := range order {
		dot := 0.0
		for _, g := range hyp.sorted[n] {
			weight, other := hyp.grams[n][g], ref.grams[n][g]
			if clipped {
				weight = min(weight, other)
			}
			dot += weight * other
		}
		if hyp.norm[n] != 0 && ref.norm[n] != 0 {
			dot /= hyp.norm[n] * ref.norm[n]
		}
		sum += dot
	}
	if clipped {
		delta := float64(hyp.pairs - ref.pairs)
		sum *= math.Exp(-delta * delta / (2 * sigma * sigma))
	}
	return sum / order
}
