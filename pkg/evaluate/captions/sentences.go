package captions

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"gaze/pkg/caption/score"
	"gaze/pkg/evaluate"
)

// Sentences is how good captions of any pictures with references are, such as photographs:
// the scores that `gaze score` prints, with 95 % intervals by the bootstrap over pictures
// (2,000 draws for CIDEr and ROUGE-L, whose weights of n-grams stay those of the whole set,
// 400 for BLEU-4), and the share of sentences that repeat themselves ([score.Repeats]).
type Sentences struct {
	Name     string            `json:"name"`
	Pictures int               `json:"pictures"`
	CIDEr    evaluate.Interval `json:"CIDEr"`
	BLEU4    evaluate.Interval `json:"Bleu_4"`
	ROUGEL   evaluate.Interval `json:"ROUGE_L"`
	Repeats  evaluate.Interval `json:"repeats"`
	Words    float64           `json:"words"`    // mean length
	Distinct int               `json:"distinct"` // different sentences
}

const (
	draws     = 2000
	drawsBLEU = 400
)

// JudgeSentences scores captions, one for each of some pictures of refs. The seed draws the
// pictures of the bootstrap.
func JudgeSentences(name string, refs *score.References, results []score.Caption, seed uint64) (*Sentences, error) {
	report, err := score.Evaluate(refs, results)
	if err != nil {
		return nil, err
	}
	n := len(report.Each)
	texts := map[string]string{}
	for _, r := range results {
		texts[r.Image] = r.Text
	}
	var hyps, flat []string
	var ciders, rouges []float64
	lists := make([][]string, n)
	for i, e := range report.Each {
		hyps, flat = append(hyps, texts[e.Image]), append(flat, refs.Captions[e.Image]...)
		lists[i] = refs.Captions[e.Image]
		ciders, rouges = append(ciders, e.CIDEr), append(rouges, e.ROUGEL)
	}
	hyps, flat = score.Tokenize(hyps), score.Tokenize(flat)
	s := &Sentences{Name: name, Pictures: n}
	repeats, distinct := 0, map[string]bool{}
	for i, h := range hyps {
		lists[i], flat = flat[:len(lists[i])], flat[len(lists[i]):]
		if score.Repeats(h) {
			repeats++
		}
		distinct[h] = true
		s.Words += float64(len(strings.Fields(h))) / float64(n)
	}
	s.Distinct = len(distinct)
	s.Repeats = evaluate.Wilson(repeats, n)
	s.CIDEr, s.ROUGEL = bootstrapMean(ciders, seed), bootstrapMean(rouges, seed)
	s.BLEU4 = bootstrap(n, drawsBLEU, seed, func(drawn []int) float64 {
		r, h := make([][]string, n), make([]string, n)
		for k, i := range drawn {
			r[k], h[k] = lists[i], hyps[i]
		}
		corpus, _ := score.BLEU(r, h)
		return corpus[3]
	})
	s.BLEU4.Value = report.Corpus.BLEU4
	return s, nil
}

// bootstrapMean is the mean of values and its interval.
func bootstrapMean(values []float64, seed uint64) evaluate.Interval {
	mean := func(drawn []int) float64 {
		sum := 0.0
		for _, i := range drawn {
			sum += values[i]
		}
		return sum / float64(len(values))
	}
	interval := bootstrap(len(values), draws, seed, mean)
	all := make([]int, len(values))
	for i := range all {
		all[i] = i
	}
	interval.Value = mean(all)
	return interval
}

// bootstrap is the 95 % percentile interval of a statistic of n pictures.
func bootstrap(n, times int, seed uint64, statistic func(drawn []int) float64) evaluate.Interval {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	values, drawn := make([]float64, times), make([]int, n)
	for k := range values {
		for i := range drawn {
			drawn[i] = r.IntN(n)
		}
		values[k] = statistic(drawn)
	}
	slices.Sort(values)
	at := func(share float64) float64 { return values[min(int(share*float64(times)), times-1)] }
	return evaluate.Interval{Low: at(0.025), High: at(0.975)}
}

// Constant is the caption, out of candidates, that agrees best with the captions of a
// corpus' pictures: what a captioner says that doesn't look.
func Constant(candidates []string, corpus *score.Corpus, pictures []int) (string, error) {
	if len(candidates) == 0 {
		return "", errors.New("captions: no caption to choose from")
	}
	best := 0
	agreement := corpus.Agreement(candidates, pictures, nil)
	for i, a := range agreement {
		if a > agreement[best] {
			best = i
		}
	}
	return candidates[best], nil
}
