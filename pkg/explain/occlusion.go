package explain

import "fmt"

// occlusion hides a square of patches at each place of the grid in turn, by the zero of the
// normalised picture, which is the mean colour (Zeiler & Fergus, 2014). A patch's value is
// f(x)−f(x hidden), averaged over the squares that cover it. It is signed: what speaks
// against the class is negative.
func occlusion(j *job) ([]Map, error) {
	return j.each(func(j *job) ([]float32, error) {
		grid, side := j.cfg.Grid(), j.settings.Window
		rows, cols := grid[0]-side+1, grid[1]-side+1
		if rows < 1 || cols < 1 {
			return nil, fmt.Errorf("a window of %d patches doesn't fit a grid of %d×%d", side, grid[0], grid[1])
		}
		answers, err := j.asked(changes{n: rows * cols, pixels: func(i int, to []float32) {
			j.hide(to, i/cols, i%cols, side)
		}})
		if err != nil {
			return nil, err
		}
		scores, err := j.scored(answers, j.logit)
		if err != nil {
			return nil, err
		}
		sums, covered := make([]float64, grid[0]*grid[1]), make([]float64, grid[0]*grid[1])
		for i, f := range scores[1:] {
			for y := i / cols; y < i/cols+side; y++ {
				for x := i % cols; x < i%cols+side; x++ {
					sums[y*grid[1]+x] += scores[0] - f
					covered[y*grid[1]+x]++
				}
			}
		}
		out := make([]float32, len(sums))
		for i := range out {
			out[i] = float32(sums[i] / covered[i])
		}
		return out, nil
	})
}

// hide sets the pixels of a square of patches to zero.
func (j *job) hide(pixels []float32, row, col, side int) {
	size, patch := j.cfg.ImageSize, j.cfg.PatchSize
	for c := range j.cfg.Channels {
		for y := row * patch[0]; y < (row+side)*patch[0]; y++ {
			at := (c*size[0]+y)*size[1] + col*patch[1]
			clear(pixels[at : at+side*patch[1]])
		}
	}
}
