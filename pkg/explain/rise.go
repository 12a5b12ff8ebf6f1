package explain

// riseSamples is the number of masks of "rise" and "rise-tokens".
const riseSamples = 500

// rise multiplies the picture by random masks M and asks which pixels raise the score where
// they are kept (Petsiuk, Das & Saenko, RISE, 2018): Σ(f_i−f̄)(M_i−q)/(nq(1−q)), summed over
// the pixels of each patch. The paper's Σf_i·M_i/(nq), which [Settings].Original selects,
// adds a constant: the score that no mask takes away. It is signed.
func rise(j *job) ([]Map, error) {
	return j.each(func(j *job) ([]float32, error) {
		n, size, channels := or(j.settings.Samples, riseSamples), j.cfg.ImageSize, j.cfg.Channels
		r, mask := j.random(), make([]float32, size[0]*size[1])
		kept := make([][]float64, n) // how much of each patch
		answers, err := j.asked(changes{n: n, pixels: func(i int, to []float32) {
			j.chance.mask(r, j.indices[0], i, size, mask)
			for c := range channels {
				multiply(to[c*len(mask):(c+1)*len(mask)], mask)
			}
			kept[i] = j.planeCells(mask)
		}})
		if err != nil {
			return nil, err
		}
		return j.risen(answers, kept, float64(j.cfg.PatchSize[0]*j.cfg.PatchSize[1]))
	})
}

// riseTokens is rise that takes patches out of the sequence, each with probability ½,
// instead of darkening pixels. No colour stands for what isn't there.
func riseTokens(j *job) ([]Map, error) {
	return j.each(func(j *job) ([]float32, error) {
		n := or(j.settings.Samples, riseSamples)
		r := j.random()
		kept := make([][]float64, n)
		answers, err := j.asked(changes{n: n, drop: func(i int, to []bool) {
			j.chance.drop(r, j.indices[0], i, to)
			for _, dropped := range to {
				share := 1.0
				if dropped {
					share = 0
				}
				kept[i] = append(kept[i], share)
			}
		}})
		if err != nil {
			return nil, err
		}
		return j.risen(answers, kept, 1)
	})
}

// risen is RISE's estimate from the answers to the picture and its masked forms. kept is the
// sum of each mask over each patch, area the most that it can be.
func (j *job) risen(answers [][]float32, kept [][]float64, area float64) ([]float32, error) {
	f, err := j.scored(answers[1:], j.logit)
	if err != nil {
		return nil, err
	}
	n, mean, q := float64(len(f)), 0.0, riseKept
	for _, v := range f {
		mean += v / n
	}
	sums := make([]float64, len(kept[0]))
	for i, v := range f {
		for p, k := range kept[i] {
			if j.settings.Original {
				sums[p] += v * k / (n * q)
			} else {
				sums[p] += (v - mean) * (k - q*area) / (n * q * (1 - q))
			}
		}
	}
	out := make([]float32, len(sums))
	for i, v := range sums {
		out[i] = float32(v)
	}
	return out, nil
}

func multiply(a, b []float32) {
	for i, v := range b {
		a[i] *= v
	}
}

// planeCells sums values of pixels, [height, width], over each patch.
func (j *job) planeCells(values []float32) []float64 {
	grid, patch, width := j.cfg.Grid(), j.cfg.PatchSize, j.cfg.ImageSize[1]
	sums := make([]float64, grid[0]*grid[1])
	for i, v := range values {
		sums[i/width/patch[0]*grid[1]+i%width/patch[1]] += float64(v)
	}
	return sums
}
