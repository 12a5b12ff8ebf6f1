package league

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
	"gaze/pkg/vit"
)

// MostSettings is how many settings of a method are tried at most.
const MostSettings = 8

// tuned is the row of attention whose layer and heads are chosen, beside the reference, which is
// as everybody shows it.
const tuned = "attention, chosen layer"

// candidates are the settings that are tried on validation pictures, by row; the first is
// taken where nothing was chosen, and is the default but for the number of masks. Layers are counted from the last, so that they fit any depth.
func candidates() map[string][]explain.Settings {
	layer := func(fromLast int, h explain.Heads) explain.Settings {
		return explain.Settings{Layer: &fromLast, Heads: h}
	}
	return map[string][]explain.Settings{
		tuned: {
			layer(-1, explain.MeanHeads), layer(-2, explain.MeanHeads), layer(-3, explain.MeanHeads), layer(-4, explain.MeanHeads),
			layer(-1, explain.MaxHeads), layer(-2, explain.MaxHeads), layer(-3, explain.MaxHeads), layer(-4, explain.MaxHeads),
		},
		"rollout": {
			{}, {Discard: 0.5}, {Discard: 0.9}, {Heads: explain.MaxHeads}, {Heads: explain.MaxHeads, Discard: 0.5}, {Heads: explain.MaxHeads, Discard: 0.9},
		},
		"gradrollout": {{}, {Discard: 0.5}, {Discard: 0.9}},
		"tam":         {{}, {Steps: 5}},
		"ig":          {{}, {Steps: 8}},
		"smoothgrad":  {{}, {Noise: 0.05}, {Noise: 0.3}},
		"occlusion":   {{}, {Window: 2}, {Window: 3}},
		"rise":        {{Samples: riseMasks}},
		"rise-tokens": {{Samples: riseMasks}},
		"vitcx":       {{}, {Noise: 0.05}, {Noise: 0.3}},
	}
}

// riseMasks is the number of masks of RISE in the league. The paper's thousands would take
// more time than all else together.
const riseMasks = 200

// methodOf is the method of a row.
func methodOf(row string) string {
	if row == tuned {
		return Reference
	}
	return row
}

// Trials are the entries that are judged on validation pictures: every method with every
// candidate of its settings that suits the model.
func Trials(cfg vit.Config) []Entry {
	var out []Entry
	all := candidates()
	for _, row := range append(methodNames(cfg), tuned) {
		m, err := explain.FindMethod(methodOf(row))
		if err != nil {
			continue
		}
		tried := all[row]
		if tried == nil {
			tried = []explain.Settings{{}}
		}
		for i, s := range tried {
			if s.Layer != nil && -*s.Layer > cfg.Depth || s.Window > min(cfg.Grid()[0], cfg.Grid()[1]) {
				continue
			}
			out = append(out, ForMethod(trialName(row, i), m, s))
		}
	}
	return out
}

func trialName(row string, i int) string { return fmt.Sprintf("%s #%d", row, i) }

// methodNames are the methods that a model can be asked.
func methodNames(cfg vit.Config) []string {
	var out []string
	for _, m := range explain.Methods() {
		if !m.OfClass || cfg.Classes > 1 {
			out = append(out, m.Name)
		}
	}
	return out
}

// Choose chooses each row's settings by the scores of [Trials] on validation pictures: the
// smallest mean rank among its candidates over the pictures, within columns, families, and
// then over these. Equally good ones go to the first, the default. order is the rows with
// these settings by rank, the best first: the league turns the maps of one of them round.
func Choose(ctx context.Context, cfg vit.Config, trials []Entry, scores *Scores) (choices []Choice, order []string, err error) {
	var rows []string
	candidates := map[string][]int{}
	for i, e := range trials {
		row := cutTrial(e.Name)
		if candidates[row] == nil {
			rows = append(rows, row)
		}
		candidates[row] = append(candidates[row], i)
	}
	var entries []int
	for _, row := range rows {
		of := candidates[row]
		chosen := 0
		if len(of) > 1 {
			c, err := chooseOne(ctx, cfg, row, of, trials, scores)
			if err != nil {
				return nil, nil, err
			}
			for i, t := range c.Tried {
				if t.Rank < c.Tried[chosen].Rank {
					chosen = i
				}
			}
			c.Chosen, c.Settings = c.Tried[chosen].Settings, trials[of[chosen]].Settings
			choices = append(choices, c)
		}
		entries = append(entries, of[chosen])
	}
	p, err := ranked(ctx, cfg, entries, trials, scores)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range p.Standings {
		if s.Rank > 0 {
			order = append(order, cutTrial(s.Name))
		}
	}
	if order == nil {
		return nil, nil, errors.New("league: no method is ranked on the validation pictures")
	}
	return choices, order, nil
}

// chooseOne ranks the candidates of a row.
func chooseOne(ctx context.Context, cfg vit.Config, row string, of []int, trials []Entry, scores *Scores) (Choice, error) {
	p, err := ranked(ctx, cfg, of, trials, scores)
	if err != nil {
		return Choice{}, err
	}
	c := Choice{Method: row, Pictures: p.Pictures}
	for _, col := range p.Columns {
		if col.Family != maps.Descriptive {
			c.Columns = append(c.Columns, col.Key)
		}
	}
	for _, k := range of {
		t := Candidate{Settings: settingsText(trials[k].Settings), Rank: float64(len(of))}
		for _, s := range p.Standings {
			if s.Name == trials[k].Name && s.Rank > 0 {
				t.Rank = s.Rank
			}
		}
		c.Tried = append(c.Tried, t)
	}
	return c, nil
}

// ranked analyses some of the entries alone, by ranks only.
func ranked(ctx context.Context, cfg vit.Config, which []int, entries []Entry, scores *Scores) (*Part, error) {
	var some []Entry
	for _, k := range which {
		some = append(some, entries[k])
	}
	part := &Scores{Model: scores.Model}
	for _, p := range scores.Parts {
		cut := ScoresPart{Columns: p.Columns, Cases: p.Cases}
		for _, rows := range p.Values {
			var line [][]float64
			for _, k := range which {
				line = append(line, rows[k])
			}
			cut.Values = append(cut.Values, line)
		}
		part.Parts = append(part.Parts, cut)
	}
	return Analyse(ctx, some, []*Scores{part}, Options{Resamples: 1, Config: cfg, ungated: true})
}

// cutTrial takes the number off a trial's name.
func cutTrial(name string) string {
	row, _, _ := strings.Cut(name, " #")
	return row
}

// Chosen are the chosen settings by row, for [Methods].
func Chosen(choices []Choice) map[string]explain.Settings {
	out := map[string]explain.Settings{}
	for _, c := range choices {
		out[c.Method] = c.Settings
	}
	return out
}
