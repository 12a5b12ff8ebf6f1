package maps

import (
	"math"

	"gaze/pkg/transform"
)

// Blur replaces pixels by those of the picture blurred by a Gaussian, so that colours stay
// and shapes go. sigma is its standard deviation in pixels; 0: the longer side of a cell,
// so that no shape within a cell can be seen. The picture is continued by its reflection,
// and the Gaussian is cut off at four deviations, as scipy's gaussian_filter does.
func Blur(sigma float64) Operator {
	o := Operator{Key: "blur", Name: "Gaussian blur", About: "removed pixels become those of the picture blurred by a Gaussian as wide as a cell"}
	o.prepare = func(c *Case, grid [2]int) (remover, error) {
		s := sigma
		if s <= 0 {
			s = max(float64(c.Tensor.Shape[1])/float64(grid[0]), float64(c.Tensor.Shape[2])/float64(grid[1]))
		}
		return Replacing(o.Key, o.Name, o.About, func(c *Case) (*transform.Tensor, error) { return blurred(c.Tensor, s), nil }).prepare(c, grid)
	}
	return o
}

// blurred is a picture after a Gaussian filter along both axes.
func blurred(t *transform.Tensor, sigma float64) *transform.Tensor {
	weights := gaussianWeights(sigma)
	out := &transform.Tensor{Data: make([]float32, len(t.Data)), Shape: t.Shape}
	h, w := t.Shape[1], t.Shape[2]
	plane := make([]float64, h*w)
	for c := range t.Shape[0] {
		for i, v := range t.Data[c*h*w : (c+1)*h*w] {
			plane[i] = float64(v)
		}
		for x := range w {
			blurLine(plane[x:], h, w, weights)
		}
		for y := range h {
			blurLine(plane[y*w:], w, 1, weights)
		}
		for i, v := range plane {
			out.Data[c*h*w+i] = float32(v)
		}
	}
	return out
}

// gaussianWeights are the weights at 0, 1, … up to four deviations; with those of the
// other side they sum to 1.
func gaussianWeights(sigma float64) []float64 {
	out := make([]float64, int(4*sigma+0.5)+1)
	sum := 0.0
	for i := range out {
		out[i] = math.Exp(-float64(i*i) / (2 * sigma * sigma))
		sum += out[i]
		if i > 0 {
			sum += out[i]
		}
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// blurLine filters n values that are a stride apart, in place.
func blurLine(values []float64, n, stride int, weights []float64) {
	reach := len(weights) - 1
	line := make([]float64, n+2*reach)
	for i := range line {
		line[i] = values[reflected(i-reach, n)*stride]
	}
	for i := range n {
		at := i + reach
		sum := weights[0] * line[at]
		for k := 1; k <= reach; k++ {
			sum += weights[k] * (line[at-k] + line[at+k])
		}
		values[i*stride] = sum
	}
}

// reflected is the position of n that stands at i of the line continued by its
// reflection: d c b a | a b c d | d c b a.
func reflected(i, n int) int {
	i = ((i % (2 * n)) + 2*n) % (2 * n)
	return min(i, 2*n-1-i)
}
