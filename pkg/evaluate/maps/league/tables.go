package league

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gaze/pkg/evaluate/maps"
	"gaze/pkg/plots"
)

// order is the rows as tables have them: the methods by rank, then the others.
func (p *Part) order() []int {
	var out []int
	for _, s := range p.Standings {
		out = append(out, p.Row(s.Name))
	}
	for i, r := range p.Rows {
		if r.Role == Competes && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	for i, r := range p.Rows {
		if r.Role != Competes {
			out = append(out, i)
		}
	}
	return out
}

// subtitle says what was measured on what.
func (p *Part) subtitle() string {
	right := 0
	for _, n := range p.Right {
		right += n
	}
	models := "1 model"
	if n := len(p.Models); n > 1 {
		models = fmt.Sprintf("%d models", n)
	}
	return fmt.Sprintf("%s · %d pictures, %s, right about %.1f %% of them", p.Title, p.Pictures, models, 100*float64(right)/float64(max(1, p.Pictures*len(p.Models))))
}

// unmeasured is the table of a part that a record doesn't have.
var unmeasured = plots.Table{Caption: "This part isn't in the record: it wasn't measured.", Columns: []plots.Column{{Name: "map"}}}

// Table is the league: methods in the order of their ranks, then the rows that don't compete,
// and the columns of a family ("": all) with their mean and interval. A column that didn't pass
// the gate is in brackets, as is a method's score by its own operator.
func (p *Part) Table(family maps.Family) plots.Table {
	if p == nil {
		return unmeasured
	}
	t := plots.Table{Caption: p.subtitle(), Columns: []plots.Column{{Name: "map"}, {Name: "rank", Align: plots.AlignRight}}}
	var columns []*Column
	for i := range p.Columns {
		c := &p.Columns[i]
		if family == "" && c.Family != maps.Descriptive || c.Family == family {
			columns = append(columns, c)
			t.Columns = append(t.Columns, plots.Column{Name: c.head(), Align: plots.AlignRight})
		}
	}
	for n, i := range p.order() {
		row := []any{p.Rows[i].Name, ""}
		if n < len(p.Standings) {
			rank := p.Standings[n].Rank
			if family != "" {
				rank = p.Standings[n].Families[family]
			}
			if rank > 0 {
				row[1] = fmt.Sprintf("%.2f", rank)
			}
			if p.Standings[n].Name == Reference {
				t.Highlight = append(t.Highlight, n)
			}
		}
		for _, c := range columns {
			row = append(row, c.cell(i))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// head is a column's name, with what is better and its chance.
func (c *Column) head() string {
	text := c.Name
	if c.Lower {
		text += " (less is better)"
	}
	if c.Chance != nil {
		text += fmt.Sprintf(", chance %.3g", *c.Chance)
	}
	if !c.Gate.Passed && c.Family != maps.Descriptive {
		return "[" + text + "]"
	}
	return text
}

// cell is a mean and half the width of its interval.
func (c *Column) cell(row int) string {
	x := c.Cells[row]
	if x == nil {
		return "–"
	}
	text := fmt.Sprintf("%.3f ± %.3f", x.Value, (x.High-x.Low)/2)
	if x.Own || !c.Gate.Passed && c.Family != maps.Descriptive {
		return "(" + text + ")"
	}
	return text
}

// GateTable says of each column whether it can tell a map from its inverse and from chance.
func (p *Part) GateTable() plots.Table {
	if p == nil {
		return unmeasured
	}
	t := plots.Table{Caption: "Which metrics count, and which check the others fail: 1 the ceiling beats random maps, 2 an inverted map is below them, " +
		"3 a constant map scores chance, 4 two halves of the pictures agree (τ). " + p.subtitle(), Columns: []plots.Column{
		{Name: "family"}, {Name: "metric"}, {Name: "counts"}, {Name: "1"}, {Name: "2"}, {Name: "3"}, {Name: "4", Align: plots.AlignRight}}}
	for i := range p.Columns {
		c := &p.Columns[i]
		if c.Family == maps.Descriptive {
			continue
		}
		t.Rows = append(t.Rows, []any{string(c.Family), c.Name, c.Gate.answer(), c.Gate.Ceiling.text(), c.Gate.Inverted.text(), c.Gate.Constant.text(), fmt.Sprintf("%.2f", c.Gate.Halves)})
	}
	return t
}

// answer is "yes", or "no" with the numbers of the checks that failed.
func (g Gate) answer() string {
	if g.Passed {
		return "yes"
	}
	var failed []string
	for i, says := range [][]string{{"ceiling", "no method"}, {"inverted"}, {"constant"}, {"halves"}} {
		if slices.ContainsFunc(says, func(word string) bool { return strings.Contains(g.Why, word) }) {
			failed = append(failed, fmt.Sprint(i+1))
		}
	}
	return "no: " + strings.Join(failed, ", ")
}

// text is a difference with its interval.
func (g *Gain) text() string {
	if g == nil {
		return "–"
	}
	return fmt.Sprintf("%+.3f (%+.3f to %+.3f)", g.Value, g.Low, g.High)
}

// ReferenceTable holds each method against the reference by one column: the difference with its
// Holm-corrected interval, Wilcoxon's p, and two sizes of the effect.
func (p *Part) ReferenceTable(key string) plots.Table {
	if p == nil {
		return unmeasured
	}
	c := p.Column(key)
	if c == nil {
		return plots.Table{}
	}
	t := plots.Table{Caption: fmt.Sprintf("%s: how much better than raw attention of the last layer. %s", c.Name, p.subtitle()),
		Columns: []plots.Column{{Name: "map"}, {Name: "difference, simultaneous interval"}, {Name: "p (Holm)"}, {Name: "rank correlation", Align: plots.AlignRight}, {Name: "over its deviation", Align: plots.AlignRight}}}
	order := p.order()
	slices.SortStableFunc(order, func(i, j int) int { return sortGain(c.Cells[j], c.Cells[i]) })
	for _, i := range order {
		x := c.Cells[i]
		if x == nil || x.Gain == nil {
			continue
		}
		t.Rows = append(t.Rows, []any{p.Rows[i].Name, x.Gain.text(), pText(x.P), fmt.Sprintf("%+.2f", x.Effect), fmt.Sprintf("%+.2f", x.Size)})
	}
	return t
}

func sortGain(a, b *Cell) int {
	value := func(c *Cell) float64 {
		if c == nil || c.Gain == nil {
			return math.Inf(-1)
		}
		return c.Gain.Value
	}
	switch x, y := value(a), value(b); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func pText(p float64) string {
	if p < 0.001 {
		return "< 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// BudgetTable names the best method within each of [Budgets].
func (p *Part) BudgetTable() plots.Table {
	if p == nil {
		return unmeasured
	}
	t := plots.Table{Caption: "The best for what it costs. " + p.subtitle(), Columns: []plots.Column{{Name: "forward passes at most", Align: plots.AlignRight}, {Name: "map"}, {Name: "rank", Align: plots.AlignRight}, {Name: "forward passes", Align: plots.AlignRight}}}
	for _, b := range Budgets {
		if s := p.Best(b); s != nil {
			t.Rows = append(t.Rows, []any{b, s.Name, fmt.Sprintf("%.2f", s.Rank), s.Cost})
		}
	}
	return t
}

// TauTable is how much the models agree on the methods' order (Kendall's τ).
func (r *Record) TauTable() plots.Table {
	models, taus := r.Taus()
	t := plots.Table{Caption: "Do models agree which maps are better? Kendall's τ of mean ranks", Columns: []plots.Column{{Name: "model"}}}
	for _, m := range models {
		t.Columns = append(t.Columns, plots.Column{Name: m, Format: "%.2f"})
	}
	for i, m := range models {
		row := []any{m}
		for _, tau := range taus[i] {
			row = append(row, tau)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// ChoiceTable lists the settings that were tried on validation pictures, with their mean ranks.
func (r *Record) ChoiceTable() plots.Table {
	t := plots.Table{Caption: "Settings chosen on validation pictures, by mean rank", Columns: []plots.Column{{Name: "map"}, {Name: "chosen"}, {Name: "tried"}}}
	for _, c := range r.Chosen {
		var tried []string
		for _, x := range c.Tried {
			tried = append(tried, fmt.Sprintf("%s: %.2f", named(x.Settings), x.Rank))
		}
		t.Rows = append(t.Rows, []any{c.Method, named(c.Chosen), strings.Join(tried, "; ")})
	}
	return t
}

func named(settings string) string {
	if settings == "" {
		return "default"
	}
	return settings
}
