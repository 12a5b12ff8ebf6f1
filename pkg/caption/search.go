package caption

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// hypothesis is the beginning of a caption, from its last token back to the first.
type hypothesis struct {
	before    *hypothesis // nil at [CLS]
	id        int
	logProb   float64   // the model's, of this token
	attention []float32 // of the step that predicted it: [layers, heads, cells]
}

// tokens lists the tokens from the first on, without [CLS].
func (h *hypothesis) tokens() []*hypothesis {
	var list []*hypothesis
	for ; h.before != nil; h = h.before {
		list = append(list, h)
	}
	slices.Reverse(list)
	return list
}

// prediction is the model's output for one row: the log-probability of every token, and
// the cross-attention.
type prediction struct {
	logProbs  []float32
	attention []float32
}

// search chooses the caption of one picture token by token.
type search interface {
	// advance takes the predictions for each row and returns, for each row of the next
	// step, the token to read and the row that it continues.
	advance(rows []prediction) (ids, parents []int)
	// done says that no further step can change the caption.
	done() bool
	// best is the caption.
	best() *hypothesis
}

// single is the search that follows one caption. It takes the likeliest token each time,
// or one drawn at random.
type single struct {
	options Options
	end     int
	random  *rand.Rand // nil: the likeliest
	caption *hypothesis
	length  int
}

func newSingle(o Options, end int, picture int) *single {
	s := &single{options: o, end: end, caption: &hypothesis{}}
	if o.sampled() {
		s.random = rand.New(rand.NewPCG(o.Seed, uint64(picture)))
	}
	return s
}

func (s *single) advance(rows []prediction) (ids, parents []int) {
	p := rows[0]
	id := likeliest(p.logProbs)
	if s.random != nil {
		id = s.options.draw(p.logProbs, s.random)
	}
	s.caption = &hypothesis{before: s.caption, id: id, logProb: float64(p.logProbs[id]), attention: p.attention}
	s.length++
	return []int{id}, []int{0}
}

func (s *single) done() bool {
	return s.length > 0 && s.caption.id == s.end || s.length >= s.options.MaxTokens
}

func (s *single) best() *hypothesis { return s.caption }

// likeliest is the index of the largest value, the first of several.
func likeliest(logProbs []float32) int {
	best := 0
	for i, v := range logProbs {
		if v > logProbs[best] {
			best = i
		}
	}
	return best
}

// draw takes a token at random: after dividing by the temperature, among the TopK
// likeliest, and of those among the fewest that together have probability TopP, in this
// order as in transformers.
func (o Options) draw(logProbs []float32, r *rand.Rand) int {
	order := make([]int, len(logProbs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logProbs[b], logProbs[a]) })
	if o.TopK > 0 {
		order = order[:min(o.TopK, len(order))]
	}
	temperature := o.Temperature
	if temperature == 0 {
		temperature = 1
	}
	weight, total := make([]float64, len(order)), 0.0
	for i, id := range order {
		weight[i] = math.Exp(float64(logProbs[id]-logProbs[order[0]]) / temperature)
		total += weight[i]
	}
	if o.TopP > 0 && o.TopP < 1 {
		sum, kept := 0.0, 0
		for kept < len(weight) && sum < o.TopP*total {
			sum += weight[kept]
			kept++
		}
		weight, total = weight[:kept], sum
	}
	at := r.Float64() * total
	for i, w := range weight {
		if at -= w; at < 0 {
			return order[i]
		}
	}
	return order[len(weight)-1]
}
