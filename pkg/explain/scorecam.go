package explain

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/vit"
)

// lastFeatures is the last block's input after its first norm, on the patches of the job's
// only picture: [dim][patches]. The class to explain is fixed.
func (j *job) lastFeatures() ([][]float64, error) {
	values, err := j.passed("last features", vit.Explaining{}, func(p *pass) *Node {
		return Identity(p.patches(p.Blocks[len(p.Blocks)-1].Norm))
	})
	if err != nil {
		return nil, err
	}
	out := make([][]float64, j.cfg.Dim)
	for i, v := range values {
		out[i%j.cfg.Dim] = append(out[i%j.cfg.Dim], float64(v))
	}
	return out, j.fix(j.logits[0])
}

// scoreCAM weighs the channels u_k of the last block's normalised input by what the model
// answers to the picture where they are large (Wang et al., Score-CAM, 2020): M_k is u_k,
// scaled bilinearly to the picture and to 0 … 1, w the softmax over the channels of the
// logit f(x⊙M_k), and the map (Σ_k w_k u_k)⁺. A channel that is the same on all patches
// masks everything.
func scoreCAM(j *job) ([]Map, error) {
	return j.each(func(j *job) ([]float32, error) {
		u, err := j.lastFeatures()
		if err != nil {
			return nil, err
		}
		scale := newEnlarger(j.cfg.Grid(), j.cfg.ImageSize)
		mask := make([]float32, j.cfg.ImageSize[0]*j.cfg.ImageSize[1])
		answers, err := j.asked(changes{n: len(u), pixels: func(i int, to []float32) {
			scale.whole(u[i], mask)
			minMax(mask)
			for c := range j.cfg.Channels {
				multiply(to[c*len(mask):(c+1)*len(mask)], mask)
			}
		}})
		if err != nil {
			return nil, err
		}
		f, err := j.scored(answers[1:], j.logit)
		if err != nil {
			return nil, err
		}
		sums := make([]float64, j.cfg.Patches())
		for k, w := range softmax(f) {
			for p, v := range u[k] {
				sums[p] += w * v
			}
		}
		out := make([]float32, len(sums))
		for p, v := range sums {
			out[p] = float32(max(v, 0))
		}
		return out, nil
	})
}

// softmax is exp(v)/Σexp(v).
func softmax(values []float64) []float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range values {
		top = max(top, v)
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Exp(v - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}
