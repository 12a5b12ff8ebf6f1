package plots

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// tick is a value on an axis and its label.
type tick struct {
	at    float64
	label string
}

// steps are the usual distances between ticks, times a power of ten.
var steps = []float64{1, 2, 2.5, 5}

// niceTicks returns round values from lo to hi: as many as possible up to most + 1, and
// at least two if possible.
func niceTicks(lo, hi float64, most int) []tick {
	if !(hi > lo) || !isFinite(hi-lo) {
		return nil
	}
	var last []tick
	for e := math.Floor(math.Log10(hi-lo)) + 1; ; e-- {
		for i := len(steps) - 1; i >= 0; i-- {
			if steps[i] == 2.5 && e == 0 {
				continue // 2.5, 5.0, 7.5 would give whole numbers decimals
			}
			ts := ticksByStep(lo, hi, steps[i]*math.Pow(10, e))
			if len(ts) > most+1 && len(last) >= 2 || len(ts) > 40 || e < -320 {
				return last
			}
			last = ts
		}
	}
}

func ticksByStep(lo, hi, step float64) []tick {
	first := math.Ceil(lo/step - 1e-6)
	var out []tick
	for k := first; k*step <= hi+step*1e-6 && len(out) < 50; k++ {
		v := k * step
		if k == 0 {
			v = 0
		}
		out = append(out, tick{v, formatTick(v, step, max(math.Abs(lo), math.Abs(hi)))})
	}
	return out
}

// formatTick formats v with the decimals that a multiple of step needs, and with a power
// of ten if the numbers of the axis (up to biggest) are very large or small.
func formatTick(v, step, biggest float64) string {
	if v == 0 {
		return "0"
	}
	decimals := 0
	for s := step; decimals < 12 && math.Abs(s-math.Round(s)) > 1e-6*s; s *= 10 {
		decimals++
	}
	if biggest >= 1e6 || biggest < 1e-3 || decimals > 6 {
		last := math.Floor(math.Log10(step) + 1e-9) // power of ten of the step's last digit
		if m := step / math.Pow(10, last); math.Abs(m-math.Round(m)) > 1e-6 {
			last-- // 2.5
		}
		digits := math.Floor(math.Log10(math.Abs(v))+1e-9) - last
		return minus(strconv.FormatFloat(v, 'e', trimDigits(v, int(max(0, min(15, digits)))), 64))
	}
	return minus(strconv.FormatFloat(v, 'f', decimals, 64))
}

// trimDigits removes trailing zeros of the mantissa.
func trimDigits(v float64, digits int) int {
	for ; digits > 0; digits-- {
		a := strconv.FormatFloat(v, 'e', digits, 64)
		mantissa, _, _ := strings.Cut(a, "e")
		if !strings.HasSuffix(mantissa, "0") {
			break
		}
	}
	return digits
}

// minus uses the typographic minus sign and removes the padding of exponents.
func minus(s string) string {
	s = strings.NewReplacer("e-0", "e-", "e+0", "e", "e+", "e").Replace(s)
	return strings.ReplaceAll(s, "-", "−")
}

// number formats a value with about the given number of significant digits.
func number(v float64, digits int) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return minus(strings.Replace(strconv.FormatFloat(v, 'f', -1, 64), "Inf", "∞", 1))
	}
	return minus(strconv.FormatFloat(v, 'g', digits, 64))
}

// wholeTicks returns whole numbers from lo to hi, at most most + 1. Layers and epochs
// have nothing between them that a number could name.
func wholeTicks(lo, hi float64, most int) []tick {
	for scale := 1.0; scale < 1e15; scale *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if (hi-lo)/(step*scale) < float64(most+1) {
				return ticksByStep(lo, hi, step*scale)
			}
		}
	}
	return niceTicks(lo, hi, most)
}

// indexTicks numbers n positions from first. It omits some, so that at most most remain,
// at round numbers.
func indexTicks(n, first, most int) []tick {
	step := 1
	for _, s := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000} {
		step = s
		if (n+s-1)/s <= max(1, most) {
			break
		}
	}
	var out []tick
	for i := 0; i < n; i++ {
		if (i+first)%step == 0 {
			out = append(out, tick{float64(i), strconv.Itoa(i + first)})
		}
	}
	return out
}

// logTicks returns the powers of ten from lo to hi (not all if there are many), or round
// numbers between them if there are fewer than two.
func logTicks(lo, hi float64) []tick {
	var out []tick
	a, b := math.Ceil(math.Log10(lo)-1e-9), math.Floor(math.Log10(hi)+1e-9)
	every := max(1, math.Ceil((b-a)/8))
	for e := a; e <= b; e += every {
		v := math.Pow(10, e)
		out = append(out, tick{v, powerLabel(v)})
	}
	if len(out) >= 2 {
		return out
	}
	out = nil
	for e := math.Floor(math.Log10(lo)); e <= b+1; e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= lo*(1-1e-9) && v <= hi*(1+1e-9) {
				out = append(out, tick{v, powerLabel(v)})
			}
		}
	}
	if len(out) >= 2 {
		return out
	}
	return niceTicks(lo, hi, 4) // such a short range is nearly linear
}

func powerLabel(v float64) string {
	if v >= 1e-3 && v < 1e6 {
		return minus(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return minus(strconv.FormatFloat(v, 'e', 0, 64))
}

// sign matches a hyphen that stands for a minus sign: before a number, after nothing, a
// blank or a bracket.
var sign = regexp.MustCompile(`(^|[\s(\[±…])-(\.?\d)`)

// exponent matches a number of its own whose exponent has a leading zero, as package fmt
// writes it, but not a part of a name.
var exponent = regexp.MustCompile(`(^|[\s(\[±=])(\d[\d.]*)e([-+])0(\d)(\.?(?:$|[\s,;:)\]%]))`)

// Signs replaces hyphens that stand before numbers by minus signs, as charts and the
// numbers of tables have them: "-1.2 (-3 to +0.4)" becomes "−1.2 (−3 to +0.4)", and "1e-06"
// becomes "1e-6". Other hyphens, as in "1e-6", "ViT-S" or "2-3", stay.
func Signs(s string) string {
	return sign.ReplaceAllString(exponent.ReplaceAllString(s, "${1}${2}e${3}${4}${5}"), "${1}−$2")
}
