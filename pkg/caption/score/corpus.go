package score

import (
	"math"
	"sync"
)

// Corpus is captioned pictures against which other captions are compared by CIDEr, with the
// document frequencies of n-grams counted in these pictures. With it, captions can be chosen
// by how much they agree with those of pictures that look alike: consensus captions (Devlin
// et al., "Exploring Nearest Neighbor Approaches for Image Captioning", 2015). It is safe
// for concurrent use.
type Corpus struct {
	pictures [][]weighted
	seen     map[ngram]int
	log      float64 // of the number of pictures

	mu    sync.Mutex
	words vocabulary
}

// NewCorpus takes the captions of each picture, tokenized as for [CIDEr].
func NewCorpus(captions [][]string) *Corpus {
	c := &Corpus{words: vocabulary{}, log: math.Log(float64(max(len(captions), 1)))}
	counts := make([][]counted, len(captions))
	for i, list := range captions {
		counts[i] = c.words.countAll(list)
	}
	c.seen = pictureCounts(counts)
	c.pictures = make([][]weighted, len(captions))
	for i, list := range counts {
		for _, n := range list {
			c.pictures[i] = append(c.pictures[i], weigh(n, c.seen, c.log))
		}
	}
	return c
}

// Len is the number of pictures.
func (c *Corpus) Len() int { return len(c.pictures) }

// Agreement is, for each of some captions, its mean CIDEr against the captions of some of
// the corpus' pictures, from 0 to 10. weights are the pictures' weights in the mean; nil:
// they are equal. It panics if a picture isn't in the corpus, or if weights are of another
// number than pictures.
func (c *Corpus) Agreement(captions []string, pictures []int, weights []float64) []float64 {
	if weights != nil && len(weights) != len(pictures) {
		panic("score: a weight for each picture is needed")
	}
	c.mu.Lock()
	counts := c.words.countAll(captions)
	c.mu.Unlock()
	out := make([]float64, len(captions))
	for i, n := range counts {
		w := weigh(n, c.seen, c.log)
		sum, total := 0.0, 0.0
		for k, p := range pictures {
			share := 1.0
			if weights != nil {
				share = weights[k]
			}
			for _, reference := range c.pictures[p] {
				sum += share * similarity(w, reference, true)
				total += share
			}
		}
		if total > 0 {
			out[i] = 10 * sum / total
		}
	}
	return out
}
