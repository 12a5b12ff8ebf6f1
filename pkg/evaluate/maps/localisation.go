package maps

import (
	"context"
	"fmt"

	"gaze/internal/parallel"
	"gaze/pkg/data"
	"gaze/pkg/explain"
)

// LocalisationJudge judges whether maps lie on the pet and on its head. What the truth
// isn't known of, or lies outside of what the model sees, isn't scored.
type LocalisationJudge struct {
	// Tolerance is that of the pointing game, in pixels that the model sees.
	Tolerance float64
	Workers   int // goroutines; 0: one for each processor
}

// perKind is the number of columns for each kind of truth.
const perKind = 6

// Columns are those for the pet, then those for the head.
func (LocalisationJudge) Columns() (out []Column) {
	unit := [2]float64{0, 1}
	for _, kind := range kinds {
		add := func(key, name, about string) {
			out = append(out, Column{Key: key + "-" + kind, Name: name + ", " + kind, Family: Localisation, Range: unit, About: about})
		}
		add("pointing", "pointing game", "Whether the centre of the map's largest cell is inside (Zhang et al., Excitation Backprop, 2016); equal cells count in part.")
		add("energy", "energy inside", "Share of the map's positive values inside (Wang et al., Score-CAM, 2020); without any, the share of the area.")
		add("iou", "IoU at its area", "Intersection over union of the truth and as many pixels as it has, those of the largest cells.")
		add("iou-otsu", "IoU, Otsu", "Intersection over union of the truth and the map, bilinear, above Otsu's threshold (1979).")
		add("iou-mean", "IoU, mean", "Intersection over union of the truth and the map, bilinear, above its mean (Chefer et al., 2021).")
		add("ap", "pixel AP", "Average precision of the map, bilinear, as a score of pixels inside (Chefer et al., 2021).")
	}
	return out
}

// Judge is as in [Judge]; it needs no model.
func (l LocalisationJudge) Judge(ctx context.Context, _ *explain.Explainer, entrants []*Entrant, cases []*Case, maps [][]explain.Map) ([][][]float64, error) {
	if err := checkMaps(entrants, cases, maps); err != nil {
		return nil, err
	}
	out := blank(len(cases), len(entrants), perKind*len(kinds))
	return out, parallel.Each(ctx, len(cases), l.Workers, func(i int) error {
		for kind, mask := range []*data.Mask{cases[i].Pet, cases[i].Head} {
			if mask == nil || len(maps[i]) == 0 {
				continue
			}
			areas, err := NewAreas(mask, maps[i][0].Rows, maps[i][0].Cols, l.Tolerance)
			if err != nil {
				continue // it shows nothing of it, or nothing else
			}
			for k, m := range maps[i] {
				if err := locate(areas, mask, m, out[i][k][kind*perKind:]); err != nil {
					return fmt.Errorf("%w (%s of %s)", err, entrants[k].Name, cases[i].Name)
				}
			}
		}
		return nil
	})
}

// locate scores a map against one kind of truth.
func locate(areas *Areas, mask *data.Mask, m explain.Map, out []float64) error {
	s, err := areas.Score(m.Values)
	if err != nil {
		return err
	}
	values, err := pixels(m, mask.Height, mask.Width)
	if err != nil {
		return err
	}
	out[0], out[1], out[2] = s.Pointing, s.Energy, s.IoU
	out[3] = iouAbove(mask, values, explain.Otsu(values))
	out[4] = iouAbove(mask, values, mean(values))
	out[5] = averagePrecision(mask, values, byValue(values))
	return nil
}
