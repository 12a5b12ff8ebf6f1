package league

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gaze/internal/parallel"
	"gaze/pkg/evaluate"
)

// sample is the scores of a column: of several models on the same pictures.
type sample struct {
	entrants int
	values   [][]float64 // [models][pictures*entrants]; 0 where a picture doesn't count
	counts   [][]bool    // [models][pictures]
	strata   [][]int     // the pictures of each stratum
}

// mean is the mean of the models' means, with weights for models and pictures, of every
// entrant, in out. sums is memory for as many numbers.
func (s *sample) mean(models, pictures, sums, out []float64) {
	clear(out)
	all := 0.0
	for m, weight := range models {
		if weight == 0 {
			continue
		}
		clear(sums)
		total := 0.0
		for i, counts := range s.counts[m] {
			w := pictures[i]
			if w == 0 || !counts {
				continue
			}
			total += w
			for k, v := range s.values[m][i*s.entrants : (i+1)*s.entrants] {
				sums[k] += w * v
			}
		}
		if total == 0 { // none of its pictures was drawn
			continue
		}
		all += weight
		for k, v := range sums {
			out[k] += weight / total * v
		}
	}
	for k := range out {
		out[k] /= all
	}
}

// means is the mean of the models' means on all pictures.
func (s *sample) means() []float64 {
	out := make([]float64, s.entrants)
	s.mean(ones(len(s.counts)), ones(len(s.counts[0])), make([]float64, s.entrants), out)
	return out
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// resampled is the mean of every entrant in every resample, [entrants][resamples].
type resampled [][]float64

// atOnce is how many resamples a goroutine does at a time.
const atOnce = 100

// resample draws models with replacement, and pictures with replacement within their
// strata, the same for all models, since those see the same pictures. A draw is weights, not
// a copy of the values. Resample b depends on the seed and b alone, so columns of the same
// pictures share the draws, and the number of workers doesn't matter.
func (s *sample) resample(ctx context.Context, resamples int, seed uint64, workers int) (resampled, error) {
	out := make(resampled, s.entrants)
	for k := range out {
		out[k] = make([]float64, resamples)
	}
	err := parallel.Each(ctx, (resamples+atOnce-1)/atOnce, workers, func(part int) error {
		models, pictures := make([]float64, len(s.counts)), make([]float64, len(s.counts[0]))
		sums, means := make([]float64, s.entrants), make([]float64, s.entrants)
		for b := part * atOnce; b < min(resamples, (part+1)*atOnce); b++ {
			s.draw(rand.New(rand.NewPCG(seed, uint64(b))), models, pictures)
			s.mean(models, pictures, sums, means)
			for k, v := range means {
				out[k][b] = v
			}
		}
		return nil
	})
	return out, err
}

// draw fills in how often each model and each picture is drawn.
func (s *sample) draw(random *rand.Rand, models, pictures []float64) {
	clear(models)
	clear(pictures)
	for range models {
		models[random.IntN(len(models))]++
	}
	for _, group := range s.strata {
		for range group {
			pictures[group[random.IntN(len(group))]]++
		}
	}
}

// interval is the percentile interval of values at a level, such as 0.05 for 95 %.
func interval(value float64, values []float64, level float64) evaluate.Interval {
	sorted := slices.Sorted(slices.Values(values))
	return evaluate.Interval{Value: value, Low: quantile(sorted, level/2), High: quantile(sorted, 1-level/2)}
}

// quantile interpolates linearly between sorted values, as numpy does.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// difference is how much better entrant i is than j in every resample.
func (r resampled) difference(i, j int, lower bool) []float64 {
	out := make([]float64, len(r[i]))
	for b := range out {
		out[b] = better(r[i][b], r[j][b], lower)
	}
	return out
}

// better is how much better the first value is than the second.
func better(a, b float64, lower bool) float64 {
	if lower {
		return b - a
	}
	return a - b
}

// simultaneous are intervals of several differences at once: the most certain difference
// gets Bonferroni's interval for all of them, the next one for one fewer, and so on, as in
// Holm's test. If those before it exclude 0, an interval excludes 0 where Holm's test would
// reject. values are the differences, draws those of the resamples.
func simultaneous(values []float64, draws [][]float64, level float64) []evaluate.Interval {
	certain := make([]float64, len(values))
	order := make([]int, len(values))
	for i, d := range draws {
		order[i] = i
		certain[i] = math.Abs(values[i]) / (spread(d) + 1e-300)
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(certain[j], certain[i]) })
	out := make([]evaluate.Interval, len(values))
	for k, i := range order {
		out[i] = interval(values[i], draws[i], level/float64(len(values)-k))
	}
	return out
}

// spread is the standard deviation.
func spread(values []float64) float64 {
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)))
}
