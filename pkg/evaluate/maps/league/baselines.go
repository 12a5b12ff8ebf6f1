package league

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// randomSeeds is how many random maps are averaged.
const randomSeeds = 5

// Baselines are the entries that don't compete: random maps (five, averaged picture by
// picture), a constant, the centre, the picture's edges, and what knows the answer: the masks
// and the loss of every single cell.
func Baselines() []Entry {
	var out []Entry
	for seed := range uint64(randomSeeds) {
		out = append(out, each(fmt.Sprintf("random %d", seed+1), Random, func(c *maps.Case, rows, cols int) ([]float32, error) {
			return randomMap(seed, c.Index, rows*cols), nil
		}))
	}
	return append(out,
		each("constant", Constant, func(_ *maps.Case, rows, cols int) ([]float32, error) { return constantMap(rows * cols), nil }),
		each("centre", Blind, func(_ *maps.Case, rows, cols int) ([]float32, error) { return maps.CentreGaussian(rows, cols), nil }),
		each("edges", Blind, func(c *maps.Case, rows, cols int) ([]float32, error) { return edges(c.Tensor, rows, cols), nil }),
		each("pet's mask", Ceiling, func(c *maps.Case, rows, cols int) ([]float32, error) {
			return coverage(c, rows, cols, false)
		}),
		each("head's mask", Ceiling, func(c *maps.Case, rows, cols int) ([]float32, error) { return coverage(c, rows, cols, true) }),
	)
}

// each is an entry whose maps need nothing of the model but its grid.
func each(name string, role Role, values func(c *maps.Case, rows, cols int) ([]float32, error)) Entry {
	make := func(_ context.Context, e *explain.Explainer, cases []*maps.Case) ([]explain.Map, error) {
		out := make([]explain.Map, len(cases))
		for i, c := range cases {
			cfg, err := e.Config().WithImageSize(c.Tensor.Shape[1], c.Tensor.Shape[2])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			grid := cfg.Grid()
			v, err := values(c, grid[0], grid[1])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			out[i] = explain.Map{Rows: grid[0], Cols: grid[1], Values: v}
		}
		return out, nil
	}
	return Entry{Role: role, Entrant: &maps.Entrant{Name: name, Make: make}}
}

func randomMap(seed uint64, index, n int) []float32 {
	random := rand.New(rand.NewPCG(seed, uint64(index)))
	out := make([]float32, n)
	for i := range out {
		out[i] = random.Float32()
	}
	return out
}

func constantMap(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// edges is the length of Sobel's gradient of the tensor, summed over channels and over the
// pixels of each cell. Pixels beyond the border are those at it.
func edges(t *transform.Tensor, rows, cols int) []float32 {
	channels, height, width := t.Shape[0], t.Shape[1], t.Shape[2]
	sums := make([]float64, rows*cols)
	for c := range channels {
		plane := t.Data[c*height*width : (c+1)*height*width]
		at := func(y, x int) float64 {
			return float64(plane[min(max(y, 0), height-1)*width+min(max(x, 0), width-1)])
		}
		for y := range height {
			for x := range width {
				dx := at(y-1, x+1) + 2*at(y, x+1) + at(y+1, x+1) - at(y-1, x-1) - 2*at(y, x-1) - at(y+1, x-1)
				dy := at(y+1, x-1) + 2*at(y+1, x) + at(y+1, x+1) - at(y-1, x-1) - 2*at(y-1, x) - at(y-1, x+1)
				sums[y*rows/height*cols+x*cols/width] += math.Hypot(dx, dy)
			}
		}
	}
	out := make([]float32, len(sums))
	for i, v := range sums {
		out[i] = float32(v)
	}
	return out
}

// coverage is each cell's share of the pet or of its head; a constant where there is no
// mask, which is then scored by no column of masks.
func coverage(c *maps.Case, rows, cols int, head bool) ([]float32, error) {
	mask := c.Pet
	if head {
		mask = c.Head
	}
	if mask == nil {
		return constantMap(rows * cols), nil
	}
	areas, err := maps.NewAreas(mask, rows, cols, 0)
	if err != nil { // all or nothing of the picture
		return constantMap(rows * cols), nil
	}
	return areas.Coverage(), nil
}

// Invert turns an entry's maps round: what was largest is smallest. Maps of evidence are
// negated; of maps without a sign each value is taken from the largest, so that they stay
// positive.
func Invert(of Entry) Entry {
	signed := of.Method != nil && of.Method.Signed
	turned := func(m []explain.Map, err error) ([]explain.Map, error) {
		for i := range m {
			m[i].Values = inverted(m[i].Values, signed)
		}
		return m, err
	}
	entrant := &maps.Entrant{Name: "inverted " + of.Name, Settings: of.Settings, Operator: of.Operator,
		Make: func(ctx context.Context, e *explain.Explainer, cases []*maps.Case) ([]explain.Map, error) {
			return turned(of.Make(ctx, e, cases))
		}}
	if of.MakeAgainst != nil {
		entrant.MakeAgainst = func(ctx context.Context, e *explain.Explainer, cases []*maps.Case, against []int) ([]explain.Map, error) {
			return turned(of.MakeAgainst(ctx, e, cases, against))
		}
	}
	return Entry{Role: Inverted, Version: of.key(), Entrant: entrant}
}

func inverted(values []float32, signed bool) []float32 {
	largest := float32(0)
	if !signed && len(values) > 0 {
		largest = values[0]
		for _, v := range values {
			largest = max(largest, v)
		}
	}
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = largest - v
	}
	return out
}

// LeaveOut is what the logit loses when each single cell is left out of the picture, by
// dropping its token: what measures of faithfulness ask for, if cells didn't depend on each
// other.
func LeaveOut() Entry {
	maker := func(ctx context.Context, e *explain.Explainer, cases []*maps.Case, against []int) ([]explain.Map, error) {
		out := make([]explain.Map, len(cases))
		for i, c := range cases {
			other := -1
			if against != nil {
				other = against[i]
			}
			var err error
			if out[i], err = leaveOut(e, c, other); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		return out, nil
	}
	return Entry{Role: Ceiling, Entrant: &maps.Entrant{Name: "single tokens left out", Operator: "drop", MakeAgainst: maker,
		Make: func(ctx context.Context, e *explain.Explainer, cases []*maps.Case) ([]explain.Map, error) {
			return maker(ctx, e, cases, nil)
		}}}
}

// leftOutAtOnce is how many pictures with a cell left out run at a time.
const leftOutAtOnce = 64

// leaveOut makes a map of a class, or of what it has over another (-1: none).
func leaveOut(e *explain.Explainer, c *maps.Case, other int) (explain.Map, error) {
	cfg, err := e.Config().WithImageSize(c.Tensor.Shape[1], c.Tensor.Shape[2])
	if err != nil {
		return explain.Map{}, err
	}
	grid := cfg.Grid()
	n := grid[0] * grid[1]
	if c.Class < 0 || c.Class >= cfg.Classes || other >= cfg.Classes {
		return explain.Map{}, errors.New("there is no logit to lose: the model has no such class")
	}
	images := make([]float32, 0, leftOutAtOnce*len(c.Tensor.Data))
	for range leftOutAtOnce {
		images = append(images, c.Tensor.Data...)
	}
	shape := [4]int{leftOutAtOnce, c.Tensor.Shape[0], c.Tensor.Shape[1], c.Tensor.Shape[2]}
	var logits []float64 // of nothing left out, then of every cell
	for from := 0; from <= n; from += leftOutAtOnce {
		drop := make([]bool, leftOutAtOnce*n)
		for k := range leftOutAtOnce {
			if cell := from + k - 1; cell >= 0 && cell < n {
				drop[k*n+cell] = true
			}
		}
		got, err := e.Logits(images, shape, drop)
		if err != nil {
			return explain.Map{}, err
		}
		for k := range leftOutAtOnce {
			v := float64(got.Values[k*cfg.Classes+c.Class])
			if other >= 0 {
				v -= float64(got.Values[k*cfg.Classes+other])
			}
			logits = append(logits, v)
		}
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(logits[0] - logits[i+1])
	}
	return explain.Map{Rows: grid[0], Cols: grid[1], Values: values}, nil
}
