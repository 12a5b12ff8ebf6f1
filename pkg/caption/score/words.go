package score

import "strings"

// order is the length of the longest n-gram that BLEU and CIDEr count.
const order = 4

// ngram is up to four words by number; those past its length are -1.
type ngram [order]int32

// A vocabulary numbers words, so that n-grams are small keys.
type vocabulary map[string]int32

func (v vocabulary) number(word string) int32 {
	n, ok := v[word]
	if !ok {
		n = int32(len(v))
		v[word] = n
	}
	return n
}

// counted is a caption's n-grams with their counts, by length less one.
type counted struct {
	words int
	grams [order]map[ngram]int
}

// count counts the n-grams of a tokenized caption, split at any space.
func (v vocabulary) count(caption string) counted {
	words := strings.FieldsFunc(caption, isSpace)
	numbers := make([]int32, len(words))
	for i, w := range words {
		numbers[i] = v.number(w)
	}
	c := counted{words: len(words)}
	for n := range order {
		c.grams[n] = make(map[ngram]int, len(words))
		for i := 0; i+n < len(numbers); i++ {
			g := ngram{-1, -1, -1, -1}
			copy(g[:], numbers[i:i+n+1])
			c.grams[n][g]++
		}
	}
	return c
}

func (v vocabulary) countAll(captions []string) []counted {
	out := make([]counted, len(captions))
	for i, c := range captions {
		out[i] = v.count(c)
	}
	return out
}

// mean of no values is 0.
func mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// checkPairs panics if the lists differ in length, which is a mistake of the caller.
func checkPairs(refs [][]string, hyps []string) {
	if len(refs) != len(hyps) {
		panic("score: as many lists of references as hypotheses are needed")
	}
}
