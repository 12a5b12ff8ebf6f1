package evaluate

import (
	"fmt"
	"math"
)

// exactBelow is the number of pictures that two classifiers judge differently
// below which McNemar's test is exact: for so few the chi-square distribution is
// no good approximation.
const exactBelow = 25

// Comparison is McNemar's test (1947) of two classifiers on the same pictures.
type Comparison struct {
	Pictures  int     `json:"pictures"`
	OnlyFirst int     `json:"only_first"`  // right by the first alone
	OnlyOther int     `json:"only_second"` // right by the second alone
	Exact     bool    `json:"exact"`       // the binomial distribution, else chi-square with continuity correction
	Statistic float64 `json:"statistic"`   // exact: the smaller of the two numbers; else chi-square
	P         float64 `json:"p"`           // probability of a difference as large if both were as good
}

// McNemar tests whether two classifiers are right equally often on the same
// pictures: right tells for each picture which was. Pictures that both judge alike
// don't count.
func McNemar(first, second []bool) (Comparison, error) {
	if len(first) != len(second) || len(first) == 0 {
		return Comparison{}, fmt.Errorf("evaluate: McNemar's test needs the same pictures twice, not %d and %d", len(first), len(second))
	}
	c := Comparison{Pictures: len(first)}
	for i, right := range first {
		switch {
		case right && !second[i]:
			c.OnlyFirst++
		case !right && second[i]:
			c.OnlyOther++
		}
	}
	differ := c.OnlyFirst + c.OnlyOther
	if c.Exact = differ < exactBelow; c.Exact {
		fewer := min(c.OnlyFirst, c.OnlyOther)
		c.Statistic, c.P = float64(fewer), min(1, 2*binomialTail(fewer, differ))
		return c, nil
	}
	d := math.Abs(float64(c.OnlyFirst-c.OnlyOther)) - 1
	c.Statistic = d * d / float64(differ)
	c.P = math.Erfc(math.Sqrt(c.Statistic / 2)) // chi-square with one degree of freedom
	return c, nil
}

// binomialTail is the probability of at most k heads in n throws of a fair coin.
func binomialTail(k, n int) float64 {
	term := math.Pow(0.5, float64(n))
	sum := term
	for i := 1; i <= k; i++ {
		term *= float64(n-i+1) / float64(i)
		sum += term
	}
	return sum
}

// String is the test in a sentence.
func (c Comparison) String() string { return c.Sentence("the first", "the second") }

// Sentence is the test in a sentence that calls the two by name.
func (c Comparison) Sentence(first, other string) string {
	how := fmt.Sprintf("chi-square %.2f", c.Statistic)
	if c.Exact {
		how = "exact"
	}
	return fmt.Sprintf("of %d pictures, %s alone is right on %d, %s alone on %d: p = %.3g (McNemar's test, %s)",
		c.Pictures, first, c.OnlyFirst, other, c.OnlyOther, c.P, how)
}

// Difference is by how much the second's share of right answers exceeds the first's, and
// its 95 % interval for the same pictures twice: Agresti and Min's adjusted Wald interval
// ("Simple improved confidence intervals for comparing matched proportions", 2005), which
// adds half a picture to each of the four outcomes.
func (c Comparison) Difference() Interval {
	gained, lost, n := float64(c.OnlyOther), float64(c.OnlyFirst), float64(c.Pictures)
	out := Interval{Value: (gained - lost) / max(n, 1)}
	n += 2
	middle := (gained - lost) / n
	half := normal975 * math.Sqrt((gained+lost+1)-(gained-lost)*(gained-lost)/n) / n
	out.Low, out.High = max(middle-half, -1), min(middle+half, 1)
	return out
}
