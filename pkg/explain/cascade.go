package explain

import (
	"fmt"

	"gaze/pkg/plots"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Cascade is what becomes of one picture's maps while what the model has learnt is
// destroyed, from the head downwards (Adebayo et al., Sanity Checks for Saliency Maps,
// 2018): a map that stays as it was doesn't show what the model knows.
type Cascade struct {
	Picture string
	Model   string
	Seen    *transform.Image
	Stages  []string // "trained", "head", "and block 5", …
	Methods []*Method
	Maps    [][]Map // [methods, stages]
	// Similar is the rank correlation with the trained model's map, [methods, stages].
	Similar [][]float64
}

// CascadeOf makes the maps of a decoded picture with the trained model m, with its head
// permuted, and then with every block from the last to the first, and the embeddings, in at most
// stages steps. All maps explain the class that the trained model predicts. e is the model's explainer; name the picture's
// name in titles. The permutations depend on the seed.
func CascadeOf(e *Explainer, m *vit.Model, p transform.Pipeline, name string, im *transform.Image, methods []string, stages int, seed uint64) (*Cascade, error) {
	if m.Config.Classes < 2 {
		return nil, fmt.Errorf("explain: %s has no head, so its answer can't be destroyed", m.Name)
	}
	t, err := p.Tensor(im)
	if err != nil {
		return nil, err
	}
	c := &Cascade{Picture: name, Model: m.Config.Architecture()}
	if c.Seen, err = Seen(p, im); err != nil {
		return nil, err
	}
	for _, name := range methods {
		method, err := FindMethod(name)
		if err != nil {
			return nil, err
		}
		c.Methods = append(c.Methods, method)
	}
	c.Maps = make([][]Map, len(methods))
	logits, err := e.Logits(t.Data, [4]int{1, t.Shape[0], t.Shape[1], t.Shape[2]}, nil)
	if err != nil {
		return nil, err
	}
	class := argmax(logits.Values)
	if err := c.stage(e, t, "trained", class); err != nil {
		return nil, err
	}
	for _, from := range cascade(m.Config.Depth, stages) {
		if err := c.permuted(e, m, t, from, seed, class); err != nil {
			return nil, err
		}
	}
	for i := range c.Methods {
		c.Similar = append(c.Similar, nil)
		for _, now := range c.Maps[i] {
			c.Similar[i] = append(c.Similar[i], RankCorrelation(c.Maps[i][0], now))
		}
	}
	return c, nil
}

// cascade is the blocks from which weights are permuted: the head, blocks from the last to
// the first, the embeddings, evenly thinned to n.
func cascade(depth, n int) []int {
	var all []int
	for from := depth; from >= -1; from-- {
		all = append(all, from)
	}
	if n = max(n, 2); len(all) <= n {
		return all
	}
	var out []int
	for i := range n {
		out = append(out, all[i*(len(all)-1)/(n-1)])
	}
	return out
}

// permuted adds the stage in which the weights from a block upwards are permuted.
func (c *Cascade) permuted(e *Explainer, m *vit.Model, t *transform.Tensor, from int, seed uint64, class int) error {
	random, err := m.Permuted(from, seed)
	if err != nil {
		return err
	}
	defer random.Close()
	of, err := e.Another(random)
	if err != nil {
		return err
	}
	defer of.Close()
	name := fmt.Sprintf("from block %d", from)
	switch from {
	case m.Config.Depth:
		name = "head"
	case -1:
		name = "all weights"
	}
	return c.stage(of, t, name, class)
}

// stage adds the maps of a model.
func (c *Cascade) stage(e *Explainer, t *transform.Tensor, name string, class int) error {
	c.Stages = append(c.Stages, name)
	for i, m := range c.Methods {
		o := Options{}
		if m.OfClass {
			o.Classes = []int{class}
		}
		x, err := e.Explain(m.Name, []*transform.Tensor{t}, o)
		if err != nil {
			return fmt.Errorf("%s, %s permuted: %w", c.Picture, name, err)
		}
		c.Maps[i] = append(c.Maps[i], x.Maps[0])
	}
	return nil
}

// Figure draws every map: a row for each method, a column for each stage.
func (c *Cascade) Figure() plots.Figure {
	g := plots.Grid{Title: "Maps of a model that forgets: " + c.Picture, Subtitle: c.Model + " · weights permuted from the head downwards · each map on its own scale", ColLabels: c.Stages}
	drawing := &Comparison{Seen: c.Seen}
	for i, m := range c.Methods {
		var row []plots.Panel
		for _, values := range c.Maps[i] {
			row = append(row, drawing.overlay(Entry{Method: m, Map: values}))
		}
		g.Panels, g.RowLabels = append(g.Panels, row), append(g.RowLabels, m.Title)
	}
	return g
}

// Chart draws how alike the maps stay: a line for each method.
func (c *Cascade) Chart() plots.Figure {
	chart := plots.LineChart{
		Title:    "What stays of a map when the model forgets",
		Subtitle: c.Picture + " · " + c.Model, XLabel: "stage: " + stagesText(c.Stages), YLabel: "rank correlation with the trained model's map", WholeX: true,
		Lines: []plots.RefLine{{Value: 0, Label: "nothing in common"}},
	}
	for i, m := range c.Methods {
		s := plots.Series{Name: m.Title, Points: true}
		for k, v := range c.Similar[i] {
			s.X, s.Y = append(s.X, float64(k)), append(s.Y, v)
		}
		chart.Series = append(chart.Series, s)
	}
	return chart
}

func stagesText(stages []string) string {
	text := ""
	for i, s := range stages {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", i, s)
	}
	return text
}
