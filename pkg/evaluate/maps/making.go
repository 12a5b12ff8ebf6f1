package maps

import (
	"context"
	"fmt"

	"gaze/pkg/explain"
)

// makeBatch is the number of pictures of which judges ask an entrant for maps at a time.
// The last ones are filled up with copies: a program for fewer pictures would round
// otherwise, and scores would depend on what is judged together.
const makeBatch = 8

// mapsBy are an entrant's maps of cases, checked. A number of cases that is a multiple of
// makeBatch wastes nothing.
func mapsBy(ctx context.Context, e *explain.Explainer, entrant *Entrant, cases []*Case) ([]explain.Map, error) {
	var out []explain.Map
	for at := 0; at < len(cases); at += makeBatch {
		batch := append([]*Case(nil), cases[at:min(at+makeBatch, len(cases))]...)
		n := len(batch)
		for len(batch) < makeBatch {
			batch = append(batch, batch[0])
		}
		maps, err := entrant.Make(ctx, e, batch)
		if err != nil {
			return nil, fmt.Errorf("maps: %s: %w", entrant.Name, err)
		}
		if len(maps) != len(batch) {
			return nil, fmt.Errorf("maps: %s made %d maps of %d pictures", entrant.Name, len(maps), len(batch))
		}
		for i, c := range batch[:n] {
			if err := checkMaps([]*Entrant{entrant}, []*Case{c}, [][]explain.Map{{maps[i]}}); err != nil {
				return nil, err
			}
		}
		out = append(out, maps[:n]...)
	}
	return out, ctx.Err()
}
