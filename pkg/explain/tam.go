package explain

import (
	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/vit"
)

// tamSteps is the number of scaled pictures of "tam".
const tamSteps = 20

// tam is transition attention maps (Yuan et al., 2021): attention followed through the
// layers from the last, v ← E_hA_L[s], v ← v + v·E_hA_l, times the positive part of the last
// layer's attention gradient, averaged over m scaled pictures: E_h[(mean_k ∇A_L(kx/m))⁺][s]
// for k = 1 … m.
func tam(j *job) ([]Map, error) {
	return j.each(func(j *job) ([]float32, error) {
		flow, err := j.passed("tam: flow", vit.Explaining{}, tamFlow)
		if err != nil {
			return nil, err
		}
		if err := j.fix(j.logits[0]); err != nil {
			return nil, err
		}
		weights, err := j.tamWeights()
		if err != nil {
			return nil, err
		}
		for i := range flow {
			flow[i] *= weights[j.cfg.Prefix()+i]
		}
		return flow, nil
	})
}

func tamFlow(p *pass) *Node {
	last := len(p.Blocks) - 1
	v := through(p.start, meanHeads(p.Blocks[last].Probabilities))
	for i := last - 1; i >= 0; i-- {
		v = Add(v, through(v, meanHeads(p.Blocks[i].Probabilities)))
	}
	return p.patches(v)
}

// tamWeights are the gradient's weights of the tokens.
func (j *job) tamWeights() ([]float32, error) {
	start, tokens := j.startRow(), j.cfg.Tokens()
	queries := tokens // with a weight; the others' gradient isn't fetched
	for start[queries-1] == 0 {
		queries--
	}
	steps := or(j.settings.Steps, tamSteps)
	var sums []float32 // [heads, queries, tokens]
	err := j.batches(steps, func(i int, to []float32) {
		for k := range to {
			to[k] *= float32(i+1) / float32(steps)
		}
	}, func(images []float32, class, against []int, n int) error {
		g, _, err := j.pass("tam: gradients", vit.Explaining{}, images, class, against, func(p *pass) *Node {
			g := p.gradients("the last layer's attention", p.Blocks[len(p.Blocks)-1].Probabilities)[0]
			return SliceAxis(g, 2, AxisRange(0, queries))
		})
		if err != nil {
			return err
		}
		each := len(g) / len(class)
		if sums == nil {
			sums = make([]float32, each)
		}
		for i, v := range g[:n*each] {
			sums[i%each] += v
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]float32, tokens)
	for i, v := range sums {
		out[i%tokens] += start[i/tokens%queries] * max(v, 0) / float32(steps*j.cfg.Heads)
	}
	return out, nil
}
