package maps

import (
	"errors"
	"fmt"
	"math"

	"gaze/pkg/data/pets"
	"gaze/pkg/transform"
)

// Backdrop is the case's picture drawn without the animal, as the model would see it: what
// is truly behind the animal, and what stands in front. It is an error if the case isn't
// drawn.
func Backdrop(c *Case) (*transform.Tensor, error) {
	if c.Drawn == nil {
		return nil, fmt.Errorf("maps: what is behind the pet is known of drawn pictures only, and %s isn't one", c.Name)
	}
	d := c.Drawn
	s, err := pets.DrawChanged(d.Seed, d.Breed, d.Index, d.Size, d.Options, pets.Change{Without: []pets.Part{pets.PartAnimal}})
	if err != nil {
		return nil, fmt.Errorf("maps: %s: %w", c.Name, err)
	}
	t, err := d.Pipeline.Tensor(s.Image)
	if err != nil {
		return nil, fmt.Errorf("maps: %s: %w", c.Name, err)
	}
	return t, nil
}

// cellGrid puts masks of a drawing's size on the cells of a model's grid.
type cellGrid struct {
	rows, cols int
	down       [][]overlap // of each row of cells with rows of pixels
	across     [][]overlap // of each column
}

// overlap is a row or a column of pixels, and the share that it has of a cell's height or
// width.
type overlap struct {
	at    int
	share float64
}

// newCellGrid makes a grid on what a pipeline leaves of a drawing.
func newCellGrid(p transform.Pipeline, size, rows, cols int) (*cellGrid, error) {
	r, ok := p.Region(size, size)
	if !ok {
		return nil, errors.New("where the drawing's pixels lie after " + p.String() + " can't be told: use a pipeline that only resizes and crops")
	}
	return &cellGrid{rows: rows, cols: cols, down: overlaps(r.Y0, r.Y1, rows, size), across: overlaps(r.X0, r.X1, cols, size)}, nil
}

// overlaps divides from lo to hi into n cells.
func overlaps(lo, hi float64, n, size int) [][]overlap {
	out := make([][]overlap, n)
	wide := (hi - lo) / float64(n)
	for i := range out {
		from, to := lo+wide*float64(i), lo+wide*float64(i+1)
		for at := int(math.Floor(from)); at < min(int(math.Ceil(to)), size); at++ {
			if both := min(to, float64(at+1)) - max(from, float64(at)); both > 0 {
				out[i] = append(out[i], overlap{at: at, share: both / wide})
			}
		}
	}
	return out
}

// of is the share of each cell that a mask covers, which has 255 where a pixel is covered
// whole.
func (g *cellGrid) of(mask *transform.Image) []float64 {
	out := make([]float64, 0, g.rows*g.cols)
	for _, rows := range g.down {
		for _, cols := range g.across {
			sum := 0.0
			for _, y := range rows {
				line := 0.0
				for _, x := range cols {
					line += x.share * float64(mask.Pix[y.at*mask.Width+x.at])
				}
				sum += y.share * line
			}
			out = append(out, min(sum/255, 1))
		}
	}
	return out
}
