package caption

import "gaze/pkg/transform"

// Coverage is the share of each cell, row by row, that a mask covers. input is the
// height and width of the network's input, to which the mask's picture was brought
// ([Result].Input), and stride the side of a cell in its pixels.
func Coverage(mask *transform.Image, input [2]int, stride int) []float64 {
	rows, columns := CellSpans(mask.Height, input[0], stride), CellSpans(mask.Width, input[1], stride)
	out := make([]float64, 0, len(rows)*len(columns))
	for _, r := range rows {
		for _, c := range columns {
			sum := 0.0
			for y := int(r.From); y < mask.Height && float64(y) < r.To; y++ {
				line, height := mask.Pix[y*mask.Width:][:mask.Width], r.overlap(y)
				for x := int(c.From); x < mask.Width && float64(x) < c.To; x++ {
					sum += float64(line[x]) * height * c.overlap(x)
				}
			}
			out = append(out, sum/(255*(r.To-r.From)*(c.To-c.From)))
		}
	}
	return out
}

// Span is a part of an axis, in pixels.
type Span struct{ From, To float64 }

// overlap is how much of pixel i lies in the span.
func (s Span) overlap(i int) float64 { return min(s.To, float64(i+1)) - max(s.From, float64(i)) }

// CellSpans cuts an axis of a picture, size pixels long, into the captioner's cells.
// input is how long the axis is in the network's input, and stride the side of a cell
// there; the last cell ends where the picture does.
func CellSpans(size, input, stride int) []Span {
	var out []Span
	each := float64(size) / float64(input)
	for at := 0; at < input; at += stride {
		out = append(out, Span{float64(at) * each, float64(min(at+stride, input)) * each})
	}
	return out
}
