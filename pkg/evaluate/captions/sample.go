package captions

import (
	"math"

	"gaze/pkg/evaluate"
)

// sample is values of words or pictures.
type sample struct{ values []float64 }

func (s *sample) add(v float64) { s.values = append(s.values, v) }

// yes adds 1 for true and 0 for false.
func (s *sample) yes(v bool) {
	if v {
		s.add(1)
	} else {
		s.add(0)
	}
}

// mean is 0 without values.
func (s sample) mean() float64 {
	sum := 0.0
	for _, v := range s.values {
		sum += v
	}
	return sum / float64(max(len(s.values), 1))
}

// wilson is the share of ones among zeros and ones.
func (s sample) wilson() evaluate.Interval {
	ones := 0
	for _, v := range s.values {
		if v == 1 {
			ones++
		}
	}
	return evaluate.Wilson(ones, len(s.values))
}

// interval is the mean and its interval by Student's t; of fewer than two values,
// which say nothing about their spread, an interval of no width.
func (s sample) interval() evaluate.Interval {
	if i, err := evaluate.MeanInterval(s.values); err == nil {
		return i
	}
	m := s.mean()
	return evaluate.Interval{Value: m, Low: m, High: m}
}

// cosine is the cosine similarity of two maps.
func cosine(a, b []float32) float64 {
	ab, aa, bb := 0.0, 0.0, 0.0
	for i, v := range a {
		ab += float64(v) * float64(b[i])
		aa += float64(v) * float64(v)
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}
