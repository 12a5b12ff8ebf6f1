package score

import "math"

// bleuParts are the counts from which BLEU is computed.
type bleuParts struct {
	hyp, ref       int // words of the hypothesis, of the reference closest in length
	guess, correct [order]int
}

// BLEU returns BLEU-1 to BLEU-4 of a corpus and of each picture, from 0 to 1.
// refs holds the references of each picture and hyps its caption, tokenized (see
// Tokenize). It panics unless both have the same length; no pictures score 0.
//
// It is pycocoevalcap's BLEU (Papineni et al. 2002), which differs from other programs:
// the brevity penalty uses the length of the reference closest to the caption's, the
// shorter of two that are equally close; 1e-15 is added to every count of matches and 1e-9
// to its divisor, so that a caption without a match scores a little above 0; a caption
// shorter than n has 0 matches of 0 n-grams. There is no other smoothing.
func BLEU(refs [][]string, hyps []string) (corpus [order]float64, each [][order]float64) {
	checkPairs(refs, hyps)
	v := vocabulary{}
	var total bleuParts
	for i, hyp := range hyps {
		p := countBLEU(v.countAll(refs[i]), v.count(hyp))
		each = append(each, p.score())
		total.hyp += p.hyp
		total.ref += p.ref
		for n := range order {
			total.guess[n] += p.guess[n]
			total.correct[n] += p.correct[n]
		}
	}
	if len(hyps) > 0 {
		corpus = total.score()
	}
	return corpus, each
}

// countBLEU compares one caption with its references.
func countBLEU(refs []counted, hyp counted) bleuParts {
	p := bleuParts{hyp: hyp.words}
	for i, r := range refs {
		d, best := distance(r.words, hyp.words), distance(p.ref, hyp.words)
		if i == 0 || d < best || d == best && r.words < p.ref {
			p.ref = r.words
		}
	}
	for n := range order {
		p.guess[n] = max(0, hyp.words-n)
		for g, count := range hyp.grams[n] {
			most := 0
			for _, r := range refs {
				most = max(most, r.grams[n][g])
			}
			p.correct[n] += min(count, most)
		}
	}
	return p
}

func (p bleuParts) score() (bleu [order]float64) {
	const small, tiny = 1e-9, 1e-15
	product := 1.0
	for n := range order {
		product *= (float64(p.correct[n]) + tiny) / (float64(p.guess[n]) + small)
		bleu[n] = math.Pow(product, 1/float64(n+1))
	}
	ratio := (float64(p.hyp) + tiny) / (float64(p.ref) + small)
	if ratio < 1 {
		for n := range order {
			bleu[n] *= math.Exp(1 - 1/ratio)
		}
	}
	return bleu
}

func distance(a, b int) int { return max(a-b, b-a) }
