package captions

import (
	"fmt"
	"math"
	"testing"

	"gaze/pkg/caption/score"
)

// judged is 30 pictures with two references, and results of which half repeat
// themselves: ten by triples, five as "a cat near the cat".
func judged() (*score.References, []score.Caption) {
	refs := &score.References{Path: "refs", Captions: map[string][]string{}, Numbers: map[string]bool{}}
	var results []score.Caption
	things := []string{"cat", "dog", "horse", "plate", "train"}
	for i := range 30 {
		id := fmt.Sprint(i)
		thing, place := things[i%5], things[i%3]
		refs.Images = append(refs.Images, id)
		refs.Captions[id] = []string{fmt.Sprintf("A %s near the %s.", thing, place), fmt.Sprintf("the %s is beside a %s in the grass", thing, place)}
		text := fmt.Sprintf("a %s near the %s in the grass", thing, things[i%4])
		if i%3 == 0 {
			text = fmt.Sprintf("a %s of a %s of a %s", thing, thing, thing)
		}
		results = append(results, score.Caption{Image: id, Text: text})
	}
	return refs, results
}

func TestJudgeSentences(t *testing.T) {
	refs, results := judged()
	want, err := score.Evaluate(refs, results)
	if err != nil {
		t.Fatal(err)
	}
	s, err := JudgeSentences("some", refs, results, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name            string
		got, low, high  float64
		want            float64
		leastWide, most float64
	}{
		{"CIDEr", s.CIDEr.Value, s.CIDEr.Low, s.CIDEr.High, want.Corpus.CIDEr, 0.1, 3},
		{"BLEU-4", s.BLEU4.Value, s.BLEU4.Low, s.BLEU4.High, want.Corpus.BLEU4, 0.02, 0.6},
		{"ROUGE-L", s.ROUGEL.Value, s.ROUGEL.Low, s.ROUGEL.High, want.Corpus.ROUGEL, 0.02, 0.4},
		{"repeats", s.Repeats.Value, s.Repeats.Low, s.Repeats.High, 0.5, 0.2, 0.4},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
		if !(c.low < c.got && c.got < c.high) || c.high-c.low < c.leastWide || c.high-c.low > c.most {
			t.Errorf("%s is %v with the interval [%v, %v]", c.name, c.got, c.low, c.high)
		}
	}
	if s.Pictures != 30 || s.Words < 7.9 || s.Words > 9 || s.Distinct < 10 {
		t.Errorf("%+v", s)
	}
	again, err := JudgeSentences("some", refs, results, 1)
	if err != nil || *again != *s {
		t.Errorf("the second time %+v, %v", again, err)
	}
	if _, err := JudgeSentences("none", refs, nil, 1); err == nil {
		t.Error("no results are judged")
	}
}

func TestConstant(t *testing.T) {
	corpus := score.NewCorpus([][]string{{"a man on a bench", "a man sits on a bench"}, {"a man on a horse"}, {"two zebras"}, {"a man on a bench in a park"}})
	got, err := Constant([]string{"two zebras", "a man on a bench", "nothing"}, corpus, []int{0, 1, 2, 3})
	if err != nil || got != "a man on a bench" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Constant(nil, corpus, nil); err == nil {
		t.Error("no candidates")
	}
}
