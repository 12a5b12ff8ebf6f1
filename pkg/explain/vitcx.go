package explain

import (
	"fmt"
	"math"
)

// The settings of ViT-CX: the deviation of its noise, and the cosine distance below which
// channels are one.
const (
	cxNoise    = 0.1
	cxDistance = 0.1
)

// viTCX is causal explanation (Xie et al., ViT-CX, 2023). The channels of the last block's
// normalised input, on the patches, become masks as in scoreCAM, but for those that are the
// same everywhere. Masks that are alike are added up and scaled to 0 … 1 again. With noise
// ε~N(0,0.1²) drawn for each, a mask M scores p(xM+ε(1−M)) − p(x+ε(1−M)) + p(x), where p is
// the class's probability, less that of the one it is held against. The map is
// Σscore·M/ΣM, zero where ΣM is, summed over the pixels of each patch.
func viTCX(j *job) ([]Map, error) {
	return j.each(func(j *job) ([]float32, error) {
		u, err := j.lastFeatures()
		if err != nil {
			return nil, err
		}
		scale := newEnlarger(j.cfg.Grid(), j.cfg.ImageSize)
		groups := maskGroups(u, scale)
		if len(groups) < 2 {
			return nil, fmt.Errorf("picture %d: all channels of the last layer are alike on the patches, so there is nothing to compare: is the picture of a single colour?", j.first)
		}
		scores, err := j.causes(groups, scale)
		if err != nil {
			return nil, err
		}
		plane := j.cfg.ImageSize[0] * j.cfg.ImageSize[1]
		sums, weights, mask := make([]float64, plane), make([]float64, plane), make([]float32, plane)
		for k, g := range groups {
			scale.whole(g, mask)
			minMax(mask)
			for i, m := range mask {
				sums[i] += scores[k] * float64(m)
				weights[i] += float64(m)
			}
		}
		for i := range mask {
			mask[i] = 0
			if weights[i] > 0 {
				mask[i] = float32(sums[i] / weights[i])
			}
		}
		out := make([]float32, j.cfg.Patches())
		for i, v := range j.planeCells(mask) {
			out[i] = float32(v)
		}
		return out, nil
	})
}

// causes are the masks' scores.
func (j *job) causes(groups [][]float64, scale *enlarger) ([]float64, error) {
	r, sigma := j.random(), float32(or(j.settings.Noise, cxNoise))
	plane := j.cfg.ImageSize[0] * j.cfg.ImageSize[1]
	mask, noise := make([]float32, plane), make([]float32, j.cfg.Channels*plane)
	answers, err := j.asked(changes{n: 2 * len(groups), pixels: func(i int, to []float32) {
		if i%2 == 0 {
			scale.whole(groups[i/2], mask)
			minMax(mask)
			j.chance.noise(r, j.indices[0], i/2, noise)
		}
		for k := range to {
			m, e := mask[k%plane], sigma*noise[k]
			if i%2 == 0 {
				to[k] *= m
			}
			to[k] += e * (1 - m)
		}
	}})
	if err != nil {
		return nil, err
	}
	p, err := j.scored(answers, j.probability)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(groups))
	for k := range scores {
		scores[k] = p[1+2*k] - p[2+2*k] + p[0]
	}
	return scores, nil
}

// probability is the class's probability, less that of the one it is held against.
func (j *job) probability(answer []float32) float64 {
	logits := make([]float64, len(answer))
	for i, v := range answer {
		logits[i] = float64(v)
	}
	all := softmax(logits)
	p := all[j.class[0]]
	if a := j.against[0]; a >= 0 {
		p -= all[a]
	}
	return p
}

// maskGroups are the sums of the masks that are alike, as maps of patches, which are masks
// once they are scaled to the picture and to 0 … 1.
func maskGroups(u [][]float64, scale *enlarger) [][]float64 {
	pixels := make([]float32, scale.to[0]*scale.to[1])
	var masks [][]float64
	for _, channel := range u {
		scale.whole(channel, pixels)
		low, width := minMax(pixels)
		if width == 0 {
			continue
		}
		mask := make([]float64, len(channel))
		for i, v := range channel {
			mask[i] = (v - low) / width
		}
		masks = append(masks, mask)
	}
	var groups [][]float64
	at := map[int]int{}
	for i, label := range completeLinkage(cosineDistances(masks, scale), cxDistance) {
		k, ok := at[label]
		if !ok {
			k = len(groups)
			at[label] = k
			groups = append(groups, make([]float64, len(masks[i])))
		}
		for p, v := range masks[i] {
			groups[k][p] += v
		}
	}
	return groups
}

// cosineDistances are 1 less the cosine between masks after they are scaled to the picture.
func cosineDistances(masks [][]float64, scale *enlarger) [][]float64 {
	rows, cols := scale.products(0), scale.products(1)
	h, w := len(rows), len(cols)
	n := len(masks)
	out := make([][]float64, n)
	for a := range masks {
		// between is UᵀU of mask a.
		half, between := make([]float64, h*w), make([]float64, h*w)
		for y := range h {
			for x := range w {
				for k := range h {
					half[y*w+x] += rows[y][k] * masks[a][k*w+x]
				}
			}
		}
		for y := range h {
			for x := range w {
				for k := range w {
					between[y*w+x] += half[y*w+k] * cols[k][x]
				}
			}
		}
		out[a] = make([]float64, n)
		for b := 0; b <= a; b++ {
			for i, v := range between {
				out[a][b] += v * masks[b][i]
			}
		}
	}
	norms := make([]float64, n)
	for i := range norms {
		norms[i] = math.Sqrt(out[i][i])
	}
	for a := range out {
		for b := range a {
			out[a][b] = 1 - out[a][b]/(norms[a]*norms[b])
			out[b][a] = out[a][b]
		}
		out[a][a] = 0
	}
	return out
}
