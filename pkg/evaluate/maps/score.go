package maps

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gaze/pkg/data"
)

// Metric names a score.
type Metric string

// The scores, each from 0 to 1. A uniform map gets what chance gets.
const (
	// Pointing is the pointing game (Zhang et al., Top-down Neural Attention by
	// Excitation Backprop, 2016): whether the centre of the largest cell is inside. A
	// cell whose centre isn't counted doesn't take part; of equally large cells the
	// share that is inside counts.
	Pointing Metric = "pointing"
	// Energy is the share of the map's positive values that lies inside, each cell's
	// value spread evenly over its counted pixels (Wang et al., Score-CAM, 2020).
	Energy Metric = "energy"
	// Over is Energy minus the mask's share of the area, which is a uniform map's energy.
	Over Metric = "energy over area"
	// IoU is the intersection over union of the mask and as many pixels as it has, those
	// with the largest values.
	IoU Metric = "IoU"
	// IoUFixed is the intersection over union of the mask and a fixed share of the
	// pixels, those with the largest values. The share was chosen on other pictures.
	IoUFixed Metric = "IoU at a fixed share"
)

// TopShares are the shares of the pixels among which the one of [IoUFixed] is chosen.
var TopShares = func() []float64 {
	out := make([]float64, 19)
	for i := range out {
		out[i] = float64(i+1) / 20
	}
	return out
}()

// Score is what one map gets on one picture.
type Score struct {
	Pointing, Energy, Over, IoU float64
	AtShares                    []float64 // the IoU of the mask and each of TopShares
}

// Score scores a map, [rows*cols] in reading order. The border of a trimap isn't counted
// by any score. It is an error if a value isn't finite.
func (a *Areas) Score(values []float32) (Score, error) {
	if len(values) != len(a.Inside) {
		return Score{}, fmt.Errorf("maps: a map of %d values on a grid of %dx%d", len(values), a.Rows, a.Cols)
	}
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return Score{}, fmt.Errorf("maps: the map's value in row %d, column %d is %g", i/a.Cols, i%a.Cols, v)
		}
	}
	s := Score{Pointing: a.pointing(values), Energy: a.energy(values)}
	s.Over = s.Energy - a.Share()
	levels := a.levels(values)
	s.IoU = a.iou(levels, a.inside)
	for _, share := range TopShares {
		s.AtShares = append(s.AtShares, a.iou(levels, share*a.counted))
	}
	return s, nil
}

func (a *Areas) pointing(values []float32) float64 {
	top, hits, ties := float32(math.Inf(-1)), 0, 0
	for i, v := range values {
		if a.hit[i] == data.Uncounted || v < top {
			continue
		}
		if v > top {
			top, hits, ties = v, 0, 0
		}
		ties++
		if a.hit[i] == data.Inside {
			hits++
		}
	}
	if ties == 0 {
		return 0 // no centre is counted
	}
	return float64(hits) / float64(ties)
}

// energy is a uniform map's if no value is positive.
func (a *Areas) energy(values []float32) float64 {
	inside, all := 0.0, 0.0
	for i, v := range values {
		if v > 0 {
			inside += float64(v) * a.Inside[i]
			all += float64(v) * a.Counted[i]
		}
	}
	if all == 0 {
		return a.Share()
	}
	return inside / all
}

// level is a set of cells with equal values: their pixels inside and counted.
type level struct{ inside, counted float64 }

// levels groups the cells, the largest value first.
func (a *Areas) levels(values []float32) []level {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Or(cmp.Compare(values[j], values[i]), cmp.Compare(i, j)) })
	var out []level
	for k, i := range order {
		if k == 0 || values[i] != values[order[k-1]] {
			out = append(out, level{})
		}
		l := &out[len(out)-1]
		l.inside += a.Inside[i]
		l.counted += a.Counted[i]
	}
	return out
}

// iou is the intersection over union of the mask and the area with the largest values.
// Of the last cells, only some of the pixels are needed: they are taken evenly.
func (a *Areas) iou(levels []level, area float64) float64 {
	hit, left := 0.0, area
	for _, l := range levels {
		if l.counted >= left {
			if l.counted > 0 {
				hit += l.inside * left / l.counted
			}
			break
		}
		hit += l.inside
		left -= l.counted
	}
	return hit / (area + a.inside - hit)
}
