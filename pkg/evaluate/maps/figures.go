package maps

import (
	"fmt"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
)

// what names a kind of truth in titles.
func what(truth string) string {
	if truth == Head {
		return "the box around the head"
	}
	return "the pet's mask"
}

// subtitle says what was measured on what.
func (r *Report) subtitle(p *Part) string {
	text := fmt.Sprintf("%s · %s of %s", r.Model, count(p.Pictures, "photograph"), count(p.Classes, "breed"))
	if r.Set != "" {
		text += " · " + r.Set
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Table is the scores of a part: what needs no model, the mean of heads of every layer,
// and the best single head, which was chosen on these pictures. A cell is the mean over
// pictures in percent and its 95 % interval; the share that was chosen elsewhere has a
// column of its own. It is empty if the report has no such part.
func (r *Report) Table(truth string) plots.Table {
	p := r.Part(truth)
	if p == nil {
		return plots.Table{}
	}
	t := plots.Table{
		Caption: "Against " + what(truth) + ", in percent; layers: mean of heads. " + r.subtitle(p),
		Columns: []plots.Column{{Name: "map"}, {Name: "pointing game"}, {Name: "energy inside"}, {Name: "energy over area"}, {Name: "IoU, as many pixels"}},
	}
	fixed := p.Rows[0].IoUFixed != nil
	if fixed {
		t.Columns = append(t.Columns, plots.Column{Name: "IoU, share chosen elsewhere"}, plots.Column{Name: "that share", Align: plots.AlignRight})
	}
	add := func(name string, row Row) {
		cells := []any{name, percent(row.Pointing), percent(row.Energy), percent(row.Over), percent(row.IoU)}
		if fixed && row.IoUFixed != nil {
			cells = append(cells, percent(*row.IoUFixed), fmt.Sprintf("%.0f", 100*row.Share))
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, row := range p.Rows {
		if row.Head >= 0 {
			continue
		}
		if last := p.Last(); last != nil && last.Name == row.Name {
			t.Highlight = []int{len(t.Rows)}
		}
		add(strings.TrimSuffix(row.Name, ", mean of heads"), row)
	}
	if best := p.BestHead(Energy); best != nil {
		add(best.Name+", the best by energy", *best)
	}
	return t
}

func percent(i evaluate.Interval) string {
	return fmt.Sprintf("%.1f (%.1f to %.1f)", 100*i.Value, 100*i.Low, 100*i.High)
}

// Figure draws a metric by layer: the mean of heads with its interval, a point for each
// head, and lines for a uniform map and the centre Gaussian.
func (r *Report) Figure(truth string, m Metric) (plots.Figure, error) {
	p := r.Part(truth)
	if p == nil {
		return nil, fmt.Errorf("maps: the report has nothing about %s", what(truth))
	}
	line := plots.Series{Name: "mean of heads, 95 % interval", Points: true}
	points := plots.Series{Name: "a head", Points: true, NoLine: true}
	heads := 1
	for _, row := range p.Rows {
		heads = max(heads, row.Head+1)
	}
	for _, row := range p.Rows {
		v, ok := row.Interval(m)
		switch {
		case !ok:
			return nil, fmt.Errorf("maps: the report has no %s", m)
		case row.Layer < 0:
		case row.Head < 0:
			line.X, line.Y = append(line.X, float64(row.Layer)), append(line.Y, 100*v.Value)
			line.Low, line.High = append(line.Low, 100*v.Low), append(line.High, 100*v.High)
		default:
			// Heads are drawn side by side, so that points don't overlap.
			spread := ((float64(row.Head)+0.5)/float64(heads) - 0.5) * 0.4
			points.X, points.Y = append(points.X, float64(row.Layer)+spread), append(points.Y, 100*v.Value)
		}
	}
	c := plots.LineChart{
		Title:    fmt.Sprintf("[class] attention against %s: %s", what(truth), m),
		Subtitle: r.subtitle(p), XLabel: "layer", YLabel: string(m) + " (%)",
		Series: []plots.Series{line, points}, WholeX: true,
	}
	for _, name := range []string{Uniform, Gaussian} {
		if row := p.Row(name); row != nil {
			v, _ := row.Interval(m)
			c.Lines = append(c.Lines, plots.RefLine{Value: 100 * v.Value, Label: name})
		}
	}
	return c, nil
}
