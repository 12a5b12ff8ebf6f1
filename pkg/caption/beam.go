package caption

import (
	"cmp"
	"math"
	"slices"
)

// beam is beam search as transformers' BeamSearchScorer defines it, without early
// stopping. Of the 2·width best continuations, the first width that don't end are
// continued; one that ends is kept if it is among the first width. A caption's score is
// the sum of its log-probabilities divided by its length, the closing [SEP] included, to
// the power of penalty. The search ends when width captions are kept and the best
// continuation, at its present length, scores no better than the worst of them.
type beam struct {
	width, end, limit int
	penalty           float64
	running           []scored // best first; their score is the sum of log-probabilities
	kept              []scored // ended captions by score, best first; at most width
	length            int      // tokens of the running captions
	finished          bool
}

type scored struct {
	caption *hypothesis
	score   float64
}

func newBeam(o Options, end int) *beam {
	return &beam{width: o.Beam, end: end, limit: o.MaxTokens, penalty: o.LengthPenalty, running: []scored{{caption: &hypothesis{}}}}
}

// candidate is a running caption and a token to add to it.
type candidate struct {
	row, id int
	score   float64
}

func (b *beam) advance(rows []prediction) (ids, parents []int) {
	b.length++
	candidates := b.candidates(rows)
	var next []scored
	for rank, c := range candidates {
		p := rows[c.row]
		h := &hypothesis{before: b.running[c.row].caption, id: c.id, logProb: float64(p.logProbs[c.id]), attention: p.attention}
		switch {
		case c.id == b.end && rank < b.width:
			b.keep(scored{h, c.score})
		case c.id != b.end && len(next) < b.width:
			next = append(next, scored{h, c.score})
			ids, parents = append(ids, c.id), append(parents, c.row)
		}
	}
	b.finished = b.length >= b.limit || len(next) == 0 ||
		len(b.kept) == b.width && b.kept[b.width-1].score >= b.normalised(candidates[0].score)
	b.running = next
	return ids, parents
}

// candidates lists the 2·width best continuations, best first; those of equal score are in
// the order of rows and ids.
func (b *beam) candidates(rows []prediction) []candidate {
	var best []candidate
	for r, caption := range b.running {
		for id, p := range rows[r].logProbs {
			c := candidate{r, id, caption.score + float64(p)}
			if len(best) == 2*b.width && c.score <= best[len(best)-1].score {
				continue
			}
			at, _ := slices.BinarySearchFunc(best, c, func(x, c candidate) int {
				if x.score >= c.score { // after those of equal score
					return -1
				}
				return 1
			})
			best = slices.Insert(best, at, c)
			best = best[:min(len(best), 2*b.width)]
		}
	}
	return best
}

// keep adds a caption that ended at the present length, in the order of scores.
func (b *beam) keep(s scored) {
	s.score = b.normalised(s.score)
	b.kept = append(b.kept, s)
	slices.SortStableFunc(b.kept, func(x, y scored) int { return cmp.Compare(y.score, x.score) })
	b.kept = b.kept[:min(len(b.kept), b.width)]
}

// normalised is the score of a caption of the present length.
func (b *beam) normalised(sum float64) float64 {
	return sum / math.Pow(float64(b.length), b.penalty)
}

func (b *beam) done() bool { return b.finished }

// best is the kept caption of the best score. Captions that the limit cut off compete with
// those that ended.
func (b *beam) best() *hypothesis { return b.all()[0].caption }

// all lists the kept captions, best first.
func (b *beam) all() []scored {
	if b.length >= b.limit {
		for _, r := range b.running {
			b.keep(r)
		}
		b.running = nil
	}
	return b.kept
}
