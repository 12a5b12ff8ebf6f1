package score

import (
	"math"
	"testing"
)

// TestCorpusIsCIDEr compares the agreement of a caption with one picture of its own corpus
// with that picture's CIDEr.
func TestCorpusIsCIDEr(t *testing.T) {
	refs := [][]string{
		{"a cat on a mat", "the cat sits on a mat"},
		{"a dog in the snow", "a brown dog runs"},
		{"two people with umbrellas"},
	}
	hyps := []string{"a cat on a red mat", "a dog runs in the snow", "three zebras"}
	_, each := CIDEr(refs, hyps)
	c := NewCorpus(refs)
	for i, hyp := range hyps {
		if got := c.Agreement([]string{hyp}, []int{i}, nil)[0]; math.Abs(got-each[i]) > 1e-12 {
			t.Errorf("%q: %v, CIDEr is %v", hyp, got, each[i])
		}
	}
	both := c.Agreement(hyps[:1], []int{0, 1}, []float64{3, 1})[0]
	one, other := c.Agreement(hyps[:1], []int{0}, nil)[0], c.Agreement(hyps[:1], []int{1}, nil)[0]
	if want := (3*one + other) / 4; math.Abs(both-want) > 1e-12 {
		t.Errorf("weighted: %v, want %v", both, want)
	}
	if got := c.Agreement([]string{"a cat"}, nil, nil)[0]; got != 0 {
		t.Errorf("against no picture: %v", got)
	}
	if c.Len() != 3 {
		t.Errorf("%d pictures", c.Len())
	}
}
