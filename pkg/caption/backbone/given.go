package backbone

import "fmt"

func (b Config) validateGiven() error {
	if b.Values < 1 || b.Values > maxWidth || min(b.Cells[0], b.Cells[1]) < 1 || max(b.Cells[0], b.Cells[1]) > maxSide || b.CellStride < 1 || b.CellStride > maxSide {
		return fmt.Errorf("given features of %d values in %d×%d cells of %d pixels: all must be at least 1", b.Values, b.Cells[0], b.Cells[1], b.CellStride)
	}
	return nil
}
