package caption

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// hypothesis is a caption so far, from its last piece back to the first.
type hypothesis struct {
	before    *hypothesis // nil at [CLS]
	id        int
	logProb   float64   // of this piece, as the model has it
	attention []float32 // of the step that predicted it: [layers, heads, cells]
}

// pieces lists the hypothesis from its first piece on, [CLS] left out.
func (h *hypothesis) pieces() []*hypothesis {
	var list []*hypothesis
	for ; h.before != nil; h = h.before {
		list = append(list, h)
	}
	slices.Reverse(list)
	return list
}

// prediction is what the model said in one row: log-probabilities of every piece
// and where it looked.
type prediction struct {
	logProbs  []float32
	attention []float32
}

// search chooses one picture's caption piece by piece.
type search interface {
	// advance takes the predictions for each row and returns, for each row of the
	// next step, the piece to read and the row it goes on from.
	advance(rows []prediction) (ids, parents []int)
	// done tells that no further step can change the caption.
	done() bool
	// best is the caption.
	best() *hypothesis
}

// single is the search that follows one caption: the likeliest piece each time,
// or one drawn at random.
type single struct {
	options Options
	end     int
	random  *rand.Rand // nil: the likeliest
	so      *hypothesis
	length  int
}

func newSingle(o Options, end int, picture int) *single {
	s := &single{options: o, end: end, so: &hypothesis{}}
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
	s.so = &hypothesis{before: s.so, id: id, logProb: float64(p.logProbs[id]), attention: p.attention}
	s.length++
	return []int{id}, []int{0}
}

func (s *single) done() bool {
	return s.length > 0 && s.so.id == s.end || s.length >= s.options.MaxTokens
}

func (s *single) best() *hypothesis { return s.so }

// likeliest is the greatest value's index, the first of equals.
func likeliest(logProbs []float32) int {
	best := 0
	for i, v := range logProbs {
		if v > logProbs[best] {
			best = i
		}
	}
	return best
}

// draw takes a piece at random: tempered, then cut to the TopK likeliest, then
// to the fewest that together have probability TopP, as transformers orders it.
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
