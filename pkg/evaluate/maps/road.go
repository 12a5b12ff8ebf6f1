package maps

import "fmt"

// The weights of a pixel's neighbours in [LinearImputation].
const (
	edgeWeight   = 1.0 / 6
	cornerWeight = 1.0 / 12
)

// LinearImputation is ROAD's noisy linear imputation (Rong et al., A Consistent and
// Efficient Evaluation Strategy for Attribution Methods, ICML 2022): every missing pixel
// is the weighted mean of its eight neighbours, 1/6 for those at its edges and 1/12 at its
// corners, those outside the picture left out, and noise of the given standard deviation
// is added (0.01 in the paper), so that the gap's shape tells less about the class. The
// noise depends on the seed and the case's index. If everything is missing, the picture is
// the training mean with noise.
func LinearImputation(noise float64, seed uint64) Operator {
	return Operator{Key: "road", Name: "ROAD", About: "removed pixels are interpolated between their neighbours, with noise (Rong et al., ROAD, 2022)",
		prepare: func(c *Case, grid [2]int) (remover, error) {
			if !(noise >= 0) {
				return nil, fmt.Errorf("noise of standard deviation %g", noise)
			}
			var added []float32
			if noise > 0 {
				r := random(seed, forNoise, c.Index)
				added = make([]float32, len(c.Tensor.Data))
				for i := range added {
					added[i] = float32(noise * r.NormFloat64())
				}
			}
			return func(dst []float32, gone []bool) error {
				copy(dst, c.Tensor.Data)
				if err := impute(dst, c.Tensor.Shape, grid, gone); err != nil {
					return err
				}
				if added != nil {
					eachGone(c.Tensor.Shape, grid, gone, func(from, to int) {
						for i := from; i < to; i++ {
							dst[i] += added[i]
						}
					})
				}
				return nil
			}, nil
		}}
}

// impute replaces the missing values of a picture.
func impute(picture []float32, shape [3]int, grid [2]int, gone []bool) error {
	h, w := shape[1], shape[2]
	missing := make([]bool, h*w)
	eachGone([3]int{1, h, w}, grid, gone, func(from, to int) {
		for i := from; i < to; i++ {
			missing[i] = true
		}
	})
	g := newGaps(missing, h, w)
	for c := range shape[0] {
		if err := g.fill(picture[c*h*w : (c+1)*h*w]); err != nil {
			return err
		}
	}
	return nil
}
