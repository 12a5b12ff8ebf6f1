package league

import (
	"fmt"
	"math"
	"slices"

	"gaze/pkg/evaluate/maps"
	"gaze/pkg/plots"
)

// DiagramFigure draws the critical-difference diagram of a family ("": all).
func (p *Part) DiagramFigure(family maps.Family) (plots.Figure, error) {
	for _, d := range p.Diagrams {
		if d.Family != family {
			continue
		}
		title := "Which maps can't be told apart"
		if family != "" {
			title += ": " + string(family)
		}
		f := plots.CriticalDifference{Title: title, Names: d.Names, Ranks: d.Ranks, Groups: d.Groups, Subtitle: p.subtitle()}
		if d.Friedman != nil {
			f.Subtitle += fmt.Sprintf(" · Friedman's p %s over %d breeds; bars: no pair differs by Wilcoxon's test with Holm's correction", pText(d.Friedman.P), d.Friedman.Blocks)
		}
		if k := slices.Index(d.Names, Reference); k >= 0 {
			f.Mark = []int{k}
		}
		return f, nil
	}
	return nil, fmt.Errorf("league: %s: there is no diagram of %q: fewer than two methods are ranked, or fewer than two breeds", p.Key, family)
}

// RankFigure draws the mean rank of each method in each family.
func (p *Part) RankFigure() (plots.Figure, error) {
	var rows [][]float64
	var names, families []string
	for _, f := range Families() {
		for _, s := range p.Standings {
			if s.Columns[f] > 0 {
				families = append(families, string(f))
				break
			}
		}
	}
	for _, s := range p.Standings {
		var row []float64
		for _, f := range append(families, "") {
			rank := s.Families[maps.Family(f)]
			if f == "" {
				rank = s.Rank
			}
			if rank == 0 {
				rank = math.NaN()
			}
			row = append(row, rank)
		}
		rows, names = append(rows, row), append(names, s.Name)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("league: %s: no method is ranked: no column passed the gate", p.Key)
	}
	return plots.HeatMap{Values: rows, RowNames: names, ColNames: append(families, "all"), Title: "Mean rank by family, 1 is the best", Subtitle: p.subtitle(),
		Scale: plots.Scale{Min: 1, Max: float64(max(2, len(names)))}}, nil
}

// ColumnFigure draws a column: the mean of every row with its interval.
func (p *Part) ColumnFigure(key string) (plots.Figure, error) {
	c := p.Column(key)
	if c == nil {
		return nil, fmt.Errorf("league: %s: there is no column %q", p.Key, key)
	}
	var names []string
	var bars plots.Bars
	order := p.order()
	slices.SortStableFunc(order, func(i, j int) int {
		return compareCells(c.Cells[i], c.Cells[j], c.Lower)
	})
	for _, i := range order {
		if x := c.Cells[i]; x != nil {
			names = append(names, p.Rows[i].Name)
			bars.Values, bars.Low, bars.High = append(bars.Values, x.Value), append(bars.Low, x.Low), append(bars.High, x.High)
		}
	}
	f := plots.BarChart{Names: names, Series: []plots.Bars{bars}, Horizontal: true, Title: c.Name, Subtitle: p.subtitle() + " · 95 % intervals", ValueLabel: c.head()}
	if c.Chance != nil {
		f.Lines = []float64{*c.Chance}
	}
	return f, nil
}

// compareCells puts the better cell first, and those that aren't there last.
func compareCells(a, b *Cell, lower bool) int {
	switch {
	case a == nil || b == nil:
		if a == nil && b == nil {
			return 0
		} else if a == nil {
			return 1
		}
		return -1
	case a.Value == b.Value:
		return 0
	case better(a.Value, b.Value, lower) > 0:
		return -1
	}
	return 1
}
