package evaluate

import (
	"errors"
	"fmt"
	"math"
)

// Interval is an estimate and its 95 % confidence interval.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Half is half the interval's width.
func (i Interval) Half() float64 { return (i.High - i.Low) / 2 }

// Percent is the interval in percent, as "93.4 % (91.9 to 94.6)".
func (i Interval) Percent() string {
	return fmt.Sprintf("%.1f %% (%.1f to %.1f)", 100*i.Value, 100*i.Low, 100*i.High)
}

// normal975 is the 97.5 % quantile of the normal distribution.
const normal975 = 1.959963984540054

// Wilson is the share of right answers and its 95 % score interval (Wilson 1927),
// which holds for few answers and near 0 and 1, too. Without answers it is 0, from
// 0 to 1.
func Wilson(correct, total int) Interval {
	if total <= 0 {
		return Interval{High: 1}
	}
	n, p := float64(total), float64(correct)/float64(total)
	const z2 = normal975 * normal975
	middle := (p + z2/(2*n)) / (1 + z2/n)
	half := normal975 / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	out := Interval{Value: p, Low: max(middle-half, 0), High: min(middle+half, 1)}
	if correct == 0 {
		out.Low = 0 // not a rounding error beside it
	}
	if correct == total {
		out.High = 1
	}
	return out
}

// MeanInterval is the mean of a few values, such as the accuracies of runs with
// different seeds, and its 95 % interval by Student's t distribution: mean ±
// t·s/√n with n-1 degrees of freedom. It needs two values or more, all finite.
func MeanInterval(values []float64) (Interval, error) {
	n := float64(len(values))
	if len(values) < 2 {
		return Interval{}, errors.New("evaluate: an interval needs two values or more")
	}
	mean := 0.0
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Interval{}, fmt.Errorf("evaluate: value %d is %g", i, v)
		}
		mean += v / n
	}
	squares := 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	half := studentQuantile(0.975, n-1) * math.Sqrt(squares/(n-1)/n)
	return Interval{Value: mean, Low: mean - half, High: mean + half}, nil
}
