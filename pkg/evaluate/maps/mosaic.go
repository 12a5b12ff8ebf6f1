package maps

import (
	"context"
	"errors"
	"fmt"

	"gaze/internal/parallel"
	"gaze/pkg/data"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// MosaicJudge is the grid pointing game (Böhle, Fritz & Schiele, Convolutional Dynamic
// Alignment Networks, 2021): a map for a picture's class of a mosaic of two by two pictures
// of different strata should lie on that picture. Each picture is taken at half its size,
// the mean of two by two pixels, so that the mosaic has the size that the model knows; in
// the paper, of convolutional networks, the mosaic is larger. It needs maps of its own, so
// that it costs as much again as the maps that are judged.
type MosaicJudge struct {
	// Pool has the other pictures of mosaics. Which ones a case gets depends on Seed, its
	// index and the pool, not on what else is judged.
	Pool    []*Case
	Seed    uint64
	Workers int // goroutines that build mosaics; 0: one for each processor
}

// Columns is the only column.
func (MosaicJudge) Columns() []Column {
	return []Column{{Key: "gridpg", Name: "GridPG", Family: Localisation, Range: [2]float64{0, 1}, Chance: known(0.25),
		About: "Share of a map's positive values on the picture of its class in a mosaic of four (Böhle et al., 2021); without any, a quarter."}}
}

// Judge is as in [Judge]. Cases that the model doesn't predict right have NaN.
func (j MosaicJudge) Judge(ctx context.Context, e *explain.Explainer, entrants []*Entrant, cases []*Case, _ [][]explain.Map) ([][][]float64, error) {
	out := blank(len(cases), len(entrants), 1)
	var at []int
	for i, c := range cases {
		if c.Right {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return out, nil
	}
	mosaics, places := make([]*Case, len(at)), make([]int, len(at))
	err := parallel.Each(ctx, len(at), j.Workers, func(i int) (err error) {
		mosaics[i], places[i], err = j.mosaic(cases[at[i]])
		return err
	})
	if err != nil {
		return nil, err
	}
	for k, entrant := range entrants {
		maps, err := mapsBy(ctx, e, entrant, mosaics)
		if err != nil {
			return nil, err
		}
		for i, m := range maps {
			s := mosaics[i].Tensor.Shape
			areas, err := NewAreas(quarter(places[i], s[1], s[2]), m.Rows, m.Cols, 0)
			if err != nil {
				return nil, err
			}
			out[at[i]][k][0] = areas.energy(m.Values)
		}
	}
	return out, nil
}

// mosaic puts a case in a random quarter among three others, and says in which, in
// reading order. Masks aren't known of it.
func (j MosaicJudge) mosaic(c *Case) (*Case, int, error) {
	r := random(j.Seed, forMosaics, c.Index)
	place := r.IntN(4)
	strata := map[string]bool{c.Stratum: true}
	var others []*Case
	for _, i := range r.Perm(len(j.Pool)) {
		if o := j.Pool[i]; o.Right && !strata[o.Stratum] && o.Class != c.Class && len(others) < 3 {
			strata[o.Stratum] = true
			others = append(others, o)
		}
	}
	if len(others) < 3 {
		return nil, 0, fmt.Errorf("maps: the pool of %d pictures has only %d of other strata than %q that are predicted right: a mosaic needs three", len(j.Pool), len(others), c.Stratum)
	}
	out := &Case{Name: "mosaic of " + c.Name, Stratum: c.Stratum, Index: c.Index, Class: c.Class, Right: c.Right}
	var err error
	parts := make([]*transform.Tensor, 4)
	for i := range parts {
		from := c
		if i != place {
			from, others = others[0], others[1:]
		}
		parts[i] = from.Tensor
	}
	out.Tensor, err = mosaicOf(parts)
	if err != nil {
		return nil, 0, fmt.Errorf("maps: a mosaic with %s: %w", c.Name, err)
	}
	return out, place, nil
}

// mosaicOf is four pictures at half their size, in reading order.
func mosaicOf(parts []*transform.Tensor) (*transform.Tensor, error) {
	for _, p := range parts {
		if p == nil || p.Shape != parts[0].Shape || len(p.Data) != p.Shape[0]*p.Shape[1]*p.Shape[2] {
			return nil, errors.New("its pictures aren't of one size, or have no tensor")
		}
	}
	shape := parts[0].Shape
	channels, h, w := shape[0], shape[1], shape[2]
	if h%2 != 0 || w%2 != 0 {
		return nil, fmt.Errorf("pictures of %dx%d pixels can't be halved: both must be even", h, w)
	}
	out := &transform.Tensor{Data: make([]float32, len(parts[0].Data)), Shape: shape}
	for i, p := range parts {
		for c := range channels {
			for y := range h / 2 {
				to := out.Data[(c*h+i/2*h/2+y)*w+i%2*w/2:][:w/2]
				up, low := p.Data[(c*h+2*y)*w:][:w], p.Data[(c*h+2*y+1)*w:][:w]
				for x := range to {
					to[x] = (up[2*x] + up[2*x+1] + low[2*x] + low[2*x+1]) / 4
				}
			}
		}
	}
	return out, nil
}

// quarter is a mask of a quarter of a picture.
func quarter(place, height, width int) *data.Mask {
	m := &data.Mask{Width: width, Height: height, Pix: make([]uint8, width*height)}
	for i := range m.Pix {
		if y, x := i/width, i%width; (y >= height/2) == (place/2 == 1) && (x >= width/2) == (place%2 == 1) {
			m.Pix[i] = data.Inside
		}
	}
	return m
}
