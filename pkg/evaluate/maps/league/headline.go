package league

import (
	"fmt"
	"strings"

	"gaze/pkg/evaluate/maps"
)

// Question is a column by which a headline asks whether raw attention is beaten.
type Question struct {
	Part, Column string // keys
	Short        string // what it asks, such as "the parts that decide (drawn pets)"
}

// Questions are those of the shipped record.
func Questions() []Question {
	return []Question{
		{"drawn", "part-density", "the parts that made the answer (drawn pets)"},
		{"pets37", "energy-pet", "the pet in a photograph"},
		{"drawn", "single-drop", "the cells that the answer needs (drawn pets)"},
	}
}

// Headline says in a sentence or two which map to use for what, or that raw attention can't be
// beaten, from the numbers alone. questions are the columns that decide it; those that the record
// lacks are passed over.
func (r *Record) Headline(questions []Question) string {
	var beaten, not []string
	for _, q := range questions {
		p := r.Part(q.Part)
		if p == nil || p.Column(q.Column) == nil || !p.Column(q.Column).Gate.Passed {
			continue // a metric that didn't pass the gate decides nothing
		}
		if text := p.beats(q.Column); text != "" {
			beaten = append(beaten, fmt.Sprintf("%s for %s", text, q.Short))
		} else {
			not = append(not, q.Short)
		}
	}
	var text string
	switch {
	case len(beaten) == 0 && len(not) == 0:
		text = "Nothing was measured that could decide which map to trust."
	case len(beaten) == 0:
		text = fmt.Sprintf("Raw attention of the last layer can't be beaten with certainty for %s.", list(not))
	case len(not) == 0:
		text = fmt.Sprintf("Rather than raw attention, use %s.", strings.Join(beaten, "; "))
	default:
		text = fmt.Sprintf("Rather than raw attention, use %s. Raw attention can't be beaten with certainty for %s.", strings.Join(beaten, "; "), list(not))
	}
	if len(r.Parts) > 0 {
		if s := r.Parts[0].overall(); s != "" {
			text += " " + s
		}
	}
	return text
}

// beats names the methods with the largest certain difference from the reference by a
// column: of all, and of the cheap ones where that is another; "" if none is certain.
func (p *Part) beats(column string) string {
	name, g := p.BestGain(column, 0)
	if g == nil || g.Low <= 0 {
		return ""
	}
	text := fmt.Sprintf("%s (%s)", p.title(name), g.text())
	if cheap, h := p.BestGain(column, Budgets[0]); h != nil && cheap != name && h.Low > 0 {
		text += fmt.Sprintf(" or, for %d forward passes, %s (%s)", Budgets[0], p.title(cheap), h.text())
	}
	return text
}

// title is a row's name in sentences.
func (p *Part) title(name string) string {
	if i := p.Row(name); i >= 0 && p.Rows[i].Title != "" {
		return p.Rows[i].Title
	}
	return name
}

// BestGain is the method with the largest difference from the reference by a column; the
// interval is corrected for all methods, so that choosing the best is paid for. Nil if there is
// none, and if the column didn't pass the gate. budget is the greatest cost in forward
// passes; 0: any.
func (p *Part) BestGain(column string, budget int) (name string, g *Gain) {
	c := p.Column(column)
	if c == nil || !c.Gate.Passed {
		return "", nil
	}
	for i, x := range c.Cells {
		if budget > 0 && p.Rows[i].Cost > budget {
			continue
		}
		if x != nil && x.Gain != nil && (g == nil || x.Gain.Value > g.Value) {
			name, g = p.Rows[i].Name, x.Gain
		}
	}
	return name, g
}

// overall says which method has the best rank of all, and which can't be told from it.
func (p *Part) overall() string {
	best := p.Best(0)
	if best == nil {
		return "No metric passed the gate."
	}
	text := fmt.Sprintf("Over %s, %s ranks best (mean rank %.1f of %d)", counted(p.families()), p.title(best.Name), best.Rank, len(p.Standings))
	if cheap := p.Best(Budgets[0]); cheap != nil && cheap.Name != best.Name {
		text += fmt.Sprintf(", and %s of those that cost at most %d forward passes (%.1f)", p.title(cheap.Name), Budgets[0], cheap.Rank)
	}
	return text + "."
}

// families are those in which some column counts.
func (p *Part) families() []string {
	var out []string
	for _, f := range Families() {
		for _, c := range p.Columns {
			if c.Family == f && c.Gate.Passed {
				out = append(out, string(f))
				break
			}
		}
	}
	return out
}

func counted(families []string) string {
	if len(families) == 1 {
		return families[0]
	}
	return fmt.Sprintf("%d families of metrics (%s)", len(families), list(families))
}

// list joins words as a sentence does.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// Advice is one line for each row: its rank and in which families it is among the best third.
func (p *Part) Advice(method string) string {
	for place, s := range p.Standings {
		if s.Name != method || s.Rank == 0 {
			continue
		}
		var good []string
		for _, f := range Families() {
			if r := s.Families[maps.Family(f)]; r > 0 && r <= 1+float64(len(p.Standings)-1)/3 {
				good = append(good, string(f))
			}
		}
		text := fmt.Sprintf("rank %d of %d", place+1, len(p.Standings))
		if len(good) > 0 {
			text += ", good at " + list(good)
		}
		return text
	}
	return ""
}
