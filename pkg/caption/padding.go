package caption

// GridPadding tells which cells of a batch's grid are padding, in the order
// [picture, row, column], for pictures laid into the top left corner of a frame
// of height by width pixels; sizes are their heights and widths. A cell is
// padding if the pixel that torch's nearest interpolation picks for it is.
func (c Config) GridPadding(sizes [][2]int, height, width int) []bool {
	grid := c.Grid(height, width)
	frame := [2]int{height, width}
	out := make([]bool, 0, len(sizes)*grid[0]*grid[1])
	inside := func(size [2]int, axis, cell int) bool {
		scale := float32(frame[axis]) / float32(grid[axis])
		return int(float32(cell)*scale) < size[axis]
	}
	for _, size := range sizes {
		for r := range grid[0] {
			for column := range grid[1] {
				out = append(out, !inside(size, 0, r) || !inside(size, 1, column))
			}
		}
	}
	return out
}
