package maps

import (
	"context"
	"fmt"

	"gaze/internal/parallel"
	"gaze/pkg/explain"
)

// TruthJudge scores maps of drawn pictures by what made the model's answer, which is
// known there: the picture is drawn again without a part of the animal, without a thing
// around it, or with another breed's ears, and the model is asked again (the idea of
// Hesse, Schaub-Meyer & Roth, FunnyBirds, 2023). See [TruthJudge.Columns] for the scores
// and [DrawnTruth] for what is known. Cases that aren't drawn get NaN.
type TruthJudge struct {
	Workers int // goroutines that draw; 0: one for each processor
}

// The columns of a TruthJudge.
const (
	truthParts = iota
	truthDensity
	truthContrast
	truthScenery
	truthColumns
)

// Columns are the scores.
//
//   - "parts" is (1+ρ)/2, where ρ is Spearman's rank correlation, over the parts that the
//     picture shows, of how much the class's logit drops without a part and of the map's
//     positive mass on it. Large parts catch more of any map's mass: compare with what a
//     constant map scores.
//   - "part density" is the same with the mean of the positive values on a part, so that a
//     constant map scores ½.
//   - "contrast" is (1+s-a)/2, where s is the share of the map's positive mass that lies
//     where the picture changes with the attribute which decides between two classes, for
//     a map of the one class against the other, and a is the share of the area. A constant
//     map scores ½, and so do random ones on the average.
//   - "idle scenery" is the share of the map's positive mass on things around the animal
//     whose absence hardly moves the answer. Less is better.
//
// A map without positive values counts as a constant one. Equal masses, as equal drops,
// share their mean rank; if all are equal, ρ is 0.
func (TruthJudge) Columns() []Column {
	out := make([]Column, truthColumns)
	out[truthParts] = Column{Key: "parts", Name: "parts, mass", Range: [2]float64{0, 1},
		About: "Rank correlation, as (1+ρ)/2, of the logit's drop without each part of the drawn animal and the map's positive mass on the part (after Hesse et al., FunnyBirds, 2023)."}
	out[truthDensity] = Column{Key: "part-density", Name: "parts, density", Range: [2]float64{0, 1}, Chance: known(0.5),
		About: "The same with the map's mean on each part, so that large parts get nothing for their size."}
	out[truthContrast] = Column{Key: "contrast", Name: "contrast", Range: [2]float64{0, 1}, Chance: known(0.5),
		About: "(1+s-a)/2 of the positive mass s of a map, for one class against another, where the drawn animal differs by the attribute that decides between them, and that area's share a."}
	out[truthScenery] = Column{Key: "idle-scenery", Name: "idle scenery", Lower: true, Range: [2]float64{0, 1},
		About: "Share of the positive mass on things around the drawn animal whose absence moves the logit by less than 5 % of what the animal's absence does."}
	for i := range out {
		out[i].Family = Truth
	}
	return out
}

// Judge scores the maps.
func (t TruthJudge) Judge(ctx context.Context, e *explain.Explainer, entrants []*Entrant, cases []*Case, maps [][]explain.Map) ([][][]float64, error) {
	if err := checkMaps(entrants, cases, maps); err != nil {
		return nil, err
	}
	truths, err := t.Know(ctx, e, cases)
	if err != nil {
		return nil, err
	}
	against, err := contrasted(ctx, e, entrants, cases, truths, maps)
	if err != nil {
		return nil, err
	}
	out := make([][][]float64, len(cases))
	for i := range cases {
		for k := range entrants {
			scores, err := truths[i].Score(maps[i][k], against[i][k])
			if err != nil {
				return nil, fmt.Errorf("%w (the map by %s of %s)", err, entrants[k].Name, cases[i].Name)
			}
			out[i] = append(out[i], scores)
		}
	}
	return out, nil
}

// Know finds out what made the model's answers: a truth for each case, nil for those that
// aren't drawn. The cost is about 25 drawings and forward passes for each.
func (t TruthJudge) Know(ctx context.Context, e *explain.Explainer, cases []*Case) ([]*DrawnTruth, error) {
	out := make([]*DrawnTruth, len(cases))
	err := parallel.Each(ctx, len(cases), t.Workers, func(i int) error {
		if cases[i].Drawn == nil {
			return nil
		}
		q, err := newQuestions(e, cases[i])
		if err == nil {
			out[i], err = q.ask(e)
		}
		if err != nil {
			return fmt.Errorf("maps: %s: %w", cases[i].Name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// contrasted returns the maps, [case][entrant], of each case's class against the one of
// its truth's contrast; where there is no contrast, those that there are.
func contrasted(ctx context.Context, e *explain.Explainer, entrants []*Entrant, cases []*Case, truths []*DrawnTruth, maps [][]explain.Map) ([][]explain.Map, error) {
	out := make([][]explain.Map, len(cases))
	var at, against []int
	var some []*Case
	for i, t := range truths {
		out[i] = append(out[i], maps[i]...)
		if t != nil && t.Contrast != nil {
			at, against, some = append(at, i), append(against, t.Contrast.Against), append(some, cases[i])
		}
	}
	for k, entrant := range entrants {
		if entrant.MakeAgainst == nil || len(some) == 0 {
			continue
		}
		made, err := entrant.MakeAgainst(ctx, e, some, against)
		if err != nil {
			return nil, fmt.Errorf("maps: %s, one class against another: %w", entrant.Name, err)
		}
		if len(made) != len(some) {
			return nil, fmt.Errorf("maps: %s made %d maps of %d pictures, one class against another", entrant.Name, len(made), len(some))
		}
		for j, i := range at {
			out[i][k] = made[j]
		}
	}
	return out, nil
}
