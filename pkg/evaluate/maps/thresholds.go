package maps

import (
	"cmp"
	"slices"

	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/plots"
)

// pixels is a map enlarged bilinearly to the pixels of a mask, row by row. It is rounded to
// float32, since pixels beyond the centres of the outer cells should be equal, but differ in
// the last bits of a float64.
func pixels(m explain.Map, height, width int) ([]float64, error) {
	rows, err := plots.Upsample(m.Matrix(), height, width, plots.Bilinear)
	if err != nil {
		return nil, err
	}
	out := slices.Concat(rows...)
	for i, v := range out {
		out[i] = float64(float32(v))
	}
	return out, nil
}

// iouAbove is the intersection over union of a mask and the pixels above a threshold.
// Nothing of a constant map is above the mean, and everything is not below: it gets half
// the pixels, evenly, as random values would have.
func iouAbove(m *data.Mask, values []float64, threshold float64) float64 {
	flat := constant(values)
	var both, inside, above float64
	for i, v := range values {
		if m.Pix[i] == data.Uncounted {
			continue
		}
		share := 0.0
		switch {
		case flat:
			share = 0.5
		case v > threshold:
			share = 1
		}
		above += share
		if m.Pix[i] == data.Inside {
			inside++
			both += share
		}
	}
	return both / (inside + above - both)
}

// averagePrecision is the area under precision against recall, as a step function, for
// pixels that are inside of a mask; pixels with equal values come together. order has all
// pixels by value, the largest first. A constant map gets the mask's share of the area.
func averagePrecision(m *data.Mask, values []float64, order []int) float64 {
	var taken, hits, ap float64
	for from := 0; from < len(order); {
		to, more := from, 0.0
		for ; to < len(order) && values[order[to]] == values[order[from]]; to++ {
			switch m.Pix[order[to]] {
			case data.Inside:
				more++
				taken++
			case data.Outside:
				taken++
			}
		}
		from = to
		if more > 0 {
			hits += more
			ap += more * hits / taken
		}
	}
	return ap / hits
}

// byValue lists pixels by value, the largest first.
func byValue(values []float64) []int {
	out := make([]int, len(values))
	for i := range out {
		out[i] = i
	}
	slices.SortFunc(out, func(i, j int) int { return cmp.Compare(values[j], values[i]) })
	return out
}
