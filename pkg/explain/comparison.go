package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// Comparison is one picture explained by several methods, for several classes.
type Comparison struct {
	Picture string           // the picture's name
	Model   string           // the checkpoint's name
	Seen    *transform.Image // the part of the picture that the model saw, in the original colours
	Labels  []string         // names of the classes; nil: numbers are shown
	Logits  []float32        // [classes]; nil without a head
	Entries []Entry          // by method, then by class
	// Notes are shown behind the names of methods, such as their ranks.
	Notes    map[string]string
	Warnings []string // of the model, such as resized position embeddings
}

// Entry is a map of a [Comparison].
type Entry struct {
	Method         *Method
	Class, Against int // -1: none
	Map            Map
}

// Compare answers a question about one decoded picture: a map by each method for each
// class. A method whose maps are the same for every class has one entry, with class -1.
// name is the picture's name in titles.
func Compare(e *Explainer, p transform.Pipeline, name string, im *transform.Image, a *Answerable) (*Comparison, error) {
	t, err := p.Tensor(im)
	if err != nil {
		return nil, err
	}
	c := &Comparison{Picture: name, Model: e.config.Architecture(), Labels: a.Labels}
	if c.Seen, err = Seen(p, im); err != nil {
		return nil, err
	}
	classes := a.Classes
	if a.Top > 0 {
		if classes, err = likeliest(e, t, a.Top, a.Against); err != nil {
			return nil, err
		}
	}
	if len(classes) == 0 {
		classes = []int{Predicted}
	}
	for _, m := range a.Methods {
		each := classes
		if !m.OfClass {
			each = []int{Predicted}
		}
		for _, class := range each {
			if err := c.add(e, m, t, class, a.Against, a.options); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// likeliest are the classes with the largest logits, without the one that they are held
// against.
func likeliest(e *Explainer, t *transform.Tensor, n, without int) ([]int, error) {
	logits, err := e.Logits(t.Data, [4]int{1, t.Shape[0], t.Shape[1], t.Shape[2]}, nil)
	if err != nil {
		return nil, err
	}
	order := make([]int, 0, len(logits.Values))
	for i := range logits.Values {
		if i != without {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(logits.Values[j], logits.Values[i]) })
	return order[:min(n, len(order))], nil
}

// add explains the picture by one method.
func (c *Comparison) add(e *Explainer, m *Method, t *transform.Tensor, class, against int, o Options) error {
	o.Classes, o.Against = nil, nil
	if m.OfClass {
		o.Classes = []int{class}
		if against >= 0 {
			o.Against = []int{against}
		}
	} else {
		against = -1
	}
	x, err := e.Explain(m.Name, []*transform.Tensor{t}, o)
	if err != nil {
		return err
	}
	entry := Entry{Method: m, Class: -1, Against: against, Map: x.Maps[0]}
	if m.OfClass {
		entry.Class = x.Classes[0]
	}
	if len(x.Logits) > 0 {
		c.Logits = x.Logits[0]
	}
	c.Entries = append(c.Entries, entry)
	c.Warnings = append(c.Warnings, x.Warnings...)
	return nil
}

// ClassName names a class in titles.
func (c *Comparison) ClassName(class int) string {
	if class >= 0 && class < len(c.Labels) {
		return c.Labels[class]
	}
	return fmt.Sprintf("class %d", class)
}

// Probability is a class's probability, the softmax of the logits; 0 without a head.
func (c *Comparison) Probability(class int) float64 {
	if class < 0 || class >= len(c.Logits) {
		return 0
	}
	top := slices.Max(c.Logits)
	sum := 0.0
	for _, l := range c.Logits {
		sum += math.Exp(float64(l - top))
	}
	return math.Exp(float64(c.Logits[class]-top)) / sum
}

// about says what an entry explains.
func (c *Comparison) about(e Entry) string {
	switch {
	case e.Class < 0:
		return "the same for every class"
	case e.Against >= 0:
		return fmt.Sprintf("%s rather than %s", c.ClassName(e.Class), c.ClassName(e.Against))
	}
	return fmt.Sprintf("%s (%.0f %%)", c.ClassName(e.Class), 100*c.Probability(e.Class))
}

// colours are an entry's: signed maps diverge from zero.
func (e Entry) colours() plots.Scale {
	if e.Method.Signed {
		return plots.Scale{Map: plots.Coolwarm, Center: true, Label: "against · for the class"}
	}
	return plots.Scale{Map: plots.Inferno, Label: "value of a patch"}
}

// Figure draws the maps: a single one as photograph, map and overlay; several methods as a
// grid of overlays, each with its own colour scale; several classes as a row for each
// method. It is an error if there is nothing to draw.
func (c *Comparison) Figure() (plots.Figure, error) {
	switch classes := c.classes(); {
	case len(c.Entries) == 0:
		return nil, fmt.Errorf("explain: there are no maps of %s to draw", c.Picture)
	case len(c.Entries) == 1:
		return c.single(c.Entries[0]), nil
	case len(classes) > 1:
		return c.table(classes), nil
	}
	return c.grid(), nil
}

// single is one map: photograph, heat map, overlay.
func (c *Comparison) single(e Entry) plots.Figure {
	values := e.Map.Matrix()
	over := c.overlay(e)
	over.Title, over.Scale = "overlay", nil
	return plots.Grid{
		Title:    c.Picture,
		Subtitle: fmt.Sprintf("%s · %s · %s", c.titleOf(e.Method), c.about(e), c.Model),
		Panels: [][]plots.Panel{{
			{Title: "photograph", Picture: c.Seen},
			{Title: fmt.Sprintf("map, %d×%d patches", e.Map.Rows, e.Map.Cols), Values: values, Aspect: c.aspect()},
			over,
		}},
		Scale: e.colours(),
	}
}

// overlay lays an entry's map over the picture, with its own scale. A signed map lies over
// the picture without its colours, which would be taken for those of the map.
func (c *Comparison) overlay(e Entry) plots.Panel {
	scale := e.colours()
	p := plots.Panel{Picture: c.Seen, Values: e.Map.Matrix(), Alpha: 0.55, Scale: &scale}
	if e.Method.Signed {
		p.Picture, p.Alpha, p.Fade = c.grey(), 0.85, true
	}
	return p
}

// grey is the picture without colours, a little lighter.
func (c *Comparison) grey() *transform.Image {
	out := transform.NewImage(c.Seen.Width, c.Seen.Height, 1)
	for i := range out.Pix {
		p := c.Seen.Pix[i*c.Seen.Channels:][:c.Seen.Channels]
		luma := int(p[0])
		if len(p) >= 3 {
			luma = (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2])) / 1000
		}
		out.Pix[i] = uint8(60 + luma*195/255)
	}
	return out
}

// grid is the photograph and an overlay for each method.
func (c *Comparison) grid() plots.Figure {
	panels := []plots.Panel{{Title: "photograph", Picture: c.Seen}}
	about := ""
	for _, e := range c.Entries {
		panel := c.overlay(e)
		panel.Title = c.titleOf(e.Method)
		panels = append(panels, panel)
		if e.Class >= 0 {
			about = c.about(e) + " · "
		}
	}
	const most = 6
	lines := (len(panels) + most - 1) / most
	columns := max((len(panels)+lines-1)/lines, 3)
	return plots.Grid{Title: c.Picture, Subtitle: about + c.Model + c.legend(), Panels: linesOf(panels, columns), PanelWidth: float64(900 / columns)}
}

// table is a row for each method and a column for each class.
func (c *Comparison) table(classes []int) plots.Figure {
	g := plots.Grid{Title: c.Picture, Subtitle: c.Model + c.legend()}
	g.ColLabels = append(g.ColLabels, "photograph")
	for _, class := range classes {
		g.ColLabels = append(g.ColLabels, fmt.Sprintf("%s %.0f %%", c.ClassName(class), 100*c.Probability(class)))
	}
	for at := 0; at < len(c.Entries); {
		m := c.Entries[at].Method
		row := []plots.Panel{{}}
		if at == 0 {
			row[0].Picture = c.Seen
		}
		for ; at < len(c.Entries) && c.Entries[at].Method.Name == m.Name; at++ {
			row = append(row, c.overlay(c.Entries[at]))
		}
		g.Panels = append(g.Panels, row)
		g.RowLabels = append(g.RowLabels, c.titleOf(m))
	}
	return g
}

// legend explains the colours of a figure in which each map has its own.
func (c *Comparison) legend() string {
	if slices.ContainsFunc(c.Entries, func(e Entry) bool { return e.Method.Signed }) {
		return " · each map on its own scale; red speaks for the class, blue against it"
	}
	return " · each map on its own scale"
}

// classes are the classes of the entries, in order.
func (c *Comparison) classes() []int {
	var out []int
	for _, e := range c.Entries {
		if e.Class >= 0 && !slices.Contains(out, e.Class) {
			out = append(out, e.Class)
		}
	}
	return out
}

// titleOf is a method's name with its note.
func (c *Comparison) titleOf(m *Method) string {
	if note := c.Notes[m.Name]; note != "" {
		return m.Title + " · " + note
	}
	return m.Title
}

// aspect is the picture's width over its height.
func (c *Comparison) aspect() float64 { return float64(c.Seen.Width) / float64(c.Seen.Height) }

// linesOf cuts panels into rows.
func linesOf(panels []plots.Panel, columns int) [][]plots.Panel {
	return slices.Collect(slices.Chunk(panels, columns))
}
