package maps

import (
	"math"
	"slices"

	"gaze/pkg/explain"
)

// ssimWindow is the side of the window of [ssim], in cells, as in Adebayo et al.
const ssimWindow = 5

// ssim is the structural similarity of two maps of one size whose values span a range:
// the mean over all square windows that lie within the map (Wang et al., Image Quality
// Assessment, 2004), as scikit-image computes it with uniform weights. On small grids the
// window is the largest odd one that fits; a grid that no window of three fits has NaN.
func ssim(a, b []float64, rows, cols int, span float64) float64 {
	side := min(ssimWindow, rows, cols)
	side -= 1 - side%2
	if side < 3 {
		return math.NaN()
	}
	c1, c2 := math.Pow(0.01*span, 2), math.Pow(0.03*span, 2)
	n := float64(side * side)
	sum, windows := 0.0, 0.0
	for y := 0; y+side <= rows; y++ {
		for x := 0; x+side <= cols; x++ {
			var sa, sb, aa, bb, ab float64
			for dy := range side {
				for i := (y+dy)*cols + x; i < (y+dy)*cols+x+side; i++ {
					sa, sb = sa+a[i], sb+b[i]
					aa, bb, ab = aa+a[i]*a[i], bb+b[i]*b[i], ab+a[i]*b[i]
				}
			}
			ma, mb := sa/n, sb/n
			va, vb, vab := (aa/n-ma*ma)*n/(n-1), (bb/n-mb*mb)*n/(n-1), (ab/n-ma*mb)*n/(n-1)
			sum += (2*ma*mb + c1) * (2*vab + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
			windows++
		}
	}
	return sum / windows
}

// The similarities of two maps, in the order of their columns.
const (
	rankSigned = iota
	rankAbsolute
	ssimSigned
	ssimAbsolute
	similarities
)

// similar compares a picture's maps before and after a model was changed. Equal maps have
// similarity 1, constant ones too: they say nothing of the model.
func similar(before, after explain.Map) (out [similarities]float64) {
	if slices.Equal(before.Values, after.Values) || constant(before.Values) && constant(after.Values) {
		return [similarities]float64{1, 1, 1, 1}
	}
	a, b := doubles(before.Values), doubles(after.Values)
	absA, absB := absolute(a), absolute(b)
	out[rankSigned] = rankSimilarity(a, b)
	out[rankAbsolute] = rankSimilarity(absA, absB)
	out[ssimSigned] = ssim(scaled(a), scaled(b), before.Rows, before.Cols, 2)
	out[ssimAbsolute] = ssim(scaled(absA), scaled(absB), before.Rows, before.Cols, 1)
	return out
}

// rankSimilarity is Spearman's correlation; two constant maps are alike.
func rankSimilarity(a, b []float64) float64 {
	if constant(a) && constant(b) {
		return 1
	}
	return explain.Spearman(a, b)
}

func absolute(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Abs(v)
	}
	return out
}

// scaled divides values by the greatest magnitude, so that signs stay.
func scaled(values []float64) []float64 {
	top := slices.Max(absolute(values))
	out := make([]float64, len(values))
	for i, v := range values {
		if top > 0 {
			out[i] = v / top
		}
	}
	return out
}

// histogramEntropy is the entropy in nats of a map's histogram: as many bins as the square
// root of the number of cells, rounded up, between the least and the greatest value. A
// constant map has 0.
func histogramEntropy(values []float64) float64 {
	lo, hi := slices.Min(values), slices.Max(values)
	if lo == hi {
		return 0
	}
	bins := int(math.Ceil(math.Sqrt(float64(len(values)))))
	count := make([]float64, bins)
	for _, v := range values {
		count[bin(v, lo, hi, bins)]++
	}
	return entropy(count)
}

// entropy is the Shannon entropy of weights in nats, scaled to sum to 1.
func entropy(weights []float64) (h float64) {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	for _, w := range weights {
		if w > 0 {
			h -= w / sum * math.Log(w/sum)
		}
	}
	return h
}

// greatestRise bounds [rise].
const greatestRise = 10

// rise is how much the entropy of a map's histogram rises, as a share of what it was, at
// most greatestRise. A constant map has no entropy that could rise.
func rise(before, after []float64) float64 {
	h := histogramEntropy(before)
	if h == 0 {
		return 0
	}
	return min((histogramEntropy(after)-h)/h, greatestRise)
}

// bin is the bin of a value among equal ones from lo to hi; the last includes hi.
func bin(v, lo, hi float64, bins int) int {
	return min(int((v-lo)/(hi-lo)*float64(bins)), bins-1)
}
