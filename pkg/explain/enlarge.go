package explain

import "math"

// enlarger scales maps bilinearly, as torch's interpolate does with align_corners=False. It
// is plots.Upsample for many maps without gaps.
type enlarger struct {
	from, to [2]int
	taps     [2][]tap
	rows     []float64 // rows of the map, scaled to the width
}

// tap is the two cells that a position lies between, and the weight of the second.
type tap struct {
	low, high int
	weight    float64
}

func newEnlarger(from, to [2]int) *enlarger {
	e := &enlarger{from: from, to: to}
	for axis := range 2 {
		n := from[axis]
		for i := range to[axis] {
			at := max((float64(i)+0.5)*float64(n)/float64(to[axis])-0.5, 0)
			low := min(int(math.Floor(at)), n-1)
			e.taps[axis] = append(e.taps[axis], tap{low, min(low+1, n-1), at - float64(low)})
		}
	}
	return e
}

// whole scales a map.
func (e *enlarger) whole(values []float64, to []float32) { e.window(values, [2]int{}, e.to, to) }

// window scales a map and cuts out the part of a size whose upper left corner is at a place.
func (e *enlarger) window(values []float64, at, size [2]int, to []float32) {
	width := size[1]
	e.rows = append(e.rows[:0], make([]float64, e.from[0]*width)...)
	for y := range e.from[0] {
		row := values[y*e.from[1] : (y+1)*e.from[1]]
		for x, t := range e.taps[1][at[1] : at[1]+width] {
			e.rows[y*width+x] = row[t.low] + t.weight*(row[t.high]-row[t.low])
		}
	}
	for y, t := range e.taps[0][at[0] : at[0]+size[0]] {
		low, high := e.rows[t.low*width:(t.low+1)*width], e.rows[t.high*width:(t.high+1)*width]
		line := to[y*width : (y+1)*width]
		for x := range line {
			line[x] = float32(low[x] + t.weight*(high[x]-low[x]))
		}
	}
}

// products is UᵀU along an axis, where U scales: the product of two scaled maps is then that
// of the maps with this between them.
func (e *enlarger) products(axis int) [][]float64 {
	n := e.from[axis]
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
	}
	for _, t := range e.taps[axis] {
		l, h := 1-t.weight, t.weight
		out[t.low][t.low] += l * l
		out[t.low][t.high] += l * h
		out[t.high][t.low] += h * l
		out[t.high][t.high] += h * h
	}
	return out
}

// minMax shifts and scales values to 0 … 1. It returns the smallest and the range; where
// that is zero, all become zero.
func minMax(values []float32) (low, width float64) {
	high := math.Inf(-1)
	low = math.Inf(1)
	for _, v := range values {
		low, high = min(low, float64(v)), max(high, float64(v))
	}
	width = high - low
	for i, v := range values {
		if width == 0 {
			values[i] = 0
		} else {
			values[i] = float32((float64(v) - low) / width)
		}
	}
	return low, width
}
