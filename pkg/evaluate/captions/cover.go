package captions

import "gaze/pkg/transform"

// touched is the least share of a cell that a mask must cover for the cell to be
// on it: of a cell of 8×8 pixels, one.
const touched = 1.0 / 64

// Coverage is the share of each cell, row by row, that a mask covers. input is the
// height and width of the network's input, to which the mask's picture was brought
// ([caption.Result].Input), and stride the side of a cell in its pixels.
func Coverage(mask *transform.Image, input [2]int, stride int) []float64 {
	rows, columns := spans(mask.Height, input[0], stride), spans(mask.Width, input[1], stride)
	out := make([]float64, 0, len(rows)*len(columns))
	for _, r := range rows {
		for _, c := range columns {
			sum := 0.0
			for y := int(r.from); y < mask.Height && float64(y) < r.to; y++ {
				line, height := mask.Pix[y*mask.Width:][:mask.Width], r.overlap(y)
				for x := int(c.from); x < mask.Width && float64(x) < c.to; x++ {
					sum += float64(line[x]) * height * c.overlap(x)
				}
			}
			out = append(out, sum/(255*(r.to-r.from)*(c.to-c.from)))
		}
	}
	return out
}

// span is a part of an axis, in pixels of the mask.
type span struct{ from, to float64 }

// overlap is how much of pixel i lies in the span.
func (s span) overlap(i int) float64 { return min(s.to, float64(i+1)) - max(s.from, float64(i)) }

// spans cuts an axis of size pixels into cells; the last one ends where the
// picture does.
func spans(size, input, stride int) []span {
	var out []span
	each := float64(size) / float64(input)
	for at := 0; at < input; at += stride {
		out = append(out, span{float64(at) * each, float64(min(at+stride, input)) * each})
	}
	return out
}
