package league

import (
	"context"
	"fmt"
	"slices"

	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
)

// onlyJudge is a judge of which some columns are taken.
type onlyJudge struct {
	judge maps.Judge
	which []int
}

// Only is a judge without all columns but some, by their keys.
func Only(j maps.Judge, keys ...string) (maps.Judge, error) {
	out := onlyJudge{judge: j}
	all := j.Columns()
	for _, key := range keys {
		i := slices.IndexFunc(all, func(c maps.Column) bool { return c.Key == key })
		if i < 0 {
			return nil, fmt.Errorf("league: the judge has no column %q", key)
		}
		out.which = append(out.which, i)
	}
	return out, nil
}

// Columns are those that are taken.
func (o onlyJudge) Columns() []maps.Column {
	all := o.judge.Columns()
	var out []maps.Column
	for _, i := range o.which {
		out = append(out, all[i])
	}
	return out
}

// Judge is as in [maps.Judge].
func (o onlyJudge) Judge(ctx context.Context, e *explain.Explainer, entrants []*maps.Entrant, cases []*maps.Case, all [][]explain.Map) ([][][]float64, error) {
	scores, err := o.judge.Judge(ctx, e, entrants, cases, all)
	if err != nil {
		return nil, err
	}
	for _, rows := range scores {
		for k, row := range rows {
			cut := make([]float64, len(o.which))
			for i, c := range o.which {
				cut[i] = row[c]
			}
			rows[k] = cut
		}
	}
	return scores, nil
}
