package explain

import (
	"fmt"
	"math"
	"strings"

	"gaze/pkg/plots"
)

// CaptionStyle controls how the maps of a caption are drawn. The zero value is the mean
// of the heads of the first layer; start from [DefaultCaptionStyle].
type CaptionStyle struct {
	Layer int   // counted from 0; -1 is the last
	Heads Heads // the heads of that layer
	// OwnScale colours each word's map from its own smallest to its own largest
	// weight, to show where; otherwise all maps share a scale from 0, to show how much.
	OwnScale bool
	// Maps, if not nil, are drawn in place of the attention of Layer and Heads. They are of
	// all of the result's word pieces ([WordExplainer.Explain]).
	Maps *WordMaps
}

// DefaultCaptionStyle is the mean of the heads of the last layer, with one scale for all
// words.
func DefaultCaptionStyle() CaptionStyle { return CaptionStyle{Layer: -1, Heads: MeanHeads} }

// Figure draws the photograph, as the panel of [Start], and then for each word, in
// reading order, the attention of the step that predicted it, laid over the photograph.
// The title is the caption.
func (c *Captioned) Figure(s CaptionStyle) (plots.Figure, error) {
	panels := []plots.Panel{{Title: Start, Picture: c.Image}}
	most := 0.0
	for i, w := range c.Words {
		m, err := c.Styled(i, s)
		if err != nil {
			return nil, err
		}
		values, err := c.OnPicture(m)
		if err != nil {
			return nil, err
		}
		most = max(most, float64(m.max()))
		panels = append(panels, plots.Panel{Title: fmt.Sprintf("%s  %.2f", w.Text, w.Probability()), Picture: c.Image, Values: values, Alpha: 0.6})
	}
	g := plots.Grid{
		Title: c.title(), Subtitle: c.subtitle(s), OwnRange: s.OwnScale,
		Scale: plots.Scale{Map: plots.Inferno, Max: most, Label: s.unit()},
	}
	if s.OwnScale {
		g.Scale = plots.Scale{Map: plots.Inferno}
	}
	columns := captionColumns(len(panels), float64(c.Image.Width)/float64(c.Image.Height))
	for len(panels) > 0 {
		n := min(columns, len(panels))
		g.Panels, panels = append(g.Panels, panels[:n]), panels[n:]
	}
	return g, nil
}

// title is the caption in quotation marks.
func (c *Captioned) title() string { return "“" + c.Result.Text + "”" }

// subtitle describes the maps shown and how they were combined.
func (c *Captioned) subtitle(s CaptionStyle) string {
	l, _ := Index(s.Layer, c.Layers(), "decoder layer")
	how := "decoder " + layerName(l, c.Layers()) + ", " + s.Heads.of(c.Heads())
	if s.Maps != nil && s.Maps.Method.Name != "attention" {
		how = s.Maps.Method.Title
	}
	parts := []string{c.Picture, how}
	if c.Model != "" {
		parts = append(parts, c.Model)
	}
	parts = append(parts, "each map is of the step that predicts the word (the first reads "+Start+"); beside the word its probability")
	if merged := c.merged(); len(merged) > 0 {
		parts = append(parts, "averaged over word pieces: "+strings.Join(merged, ", "))
	}
	if s.OwnScale {
		parts = append(parts, "each map from its least to its largest "+s.value())
	}
	return strings.Join(parts, " · ")
}

// unit is the label of the figure's scale.
func (s CaptionStyle) unit() string {
	if s.Maps != nil {
		return s.Maps.Method.Unit
	}
	return "attention weight of a cell"
}

// value is what a map consists of.
func (s CaptionStyle) value() string {
	if s.Maps != nil && s.Maps.Method.Name != "attention" {
		return "value"
	}
	return "weight"
}

// captionColumns is the number of panels per row, given a panel's aspect ratio (width
// over height). It makes the figure about four by three, without leaving much of the last
// row blank.
func captionColumns(panels int, aspect float64) int {
	const title = 0.14 // height of a panel's title, as a fraction of the panel's width
	best, columns := math.Inf(1), 1
	for n := 1; n <= min(panels, 8); n++ {
		rows := (panels + n - 1) / n
		shape := float64(n) / (float64(rows) * (1/aspect + title))
		blank := float64(rows*n-panels) / float64(rows*n)
		if cost := math.Abs(math.Log(shape/1.5)) + 1.5*blank; cost < best {
			best, columns = cost, n
		}
	}
	return columns
}

// LayerAtlas draws every word's map in every layer: rows are layers, columns are words.
// Each map has its own scale.
func (c *Captioned) LayerAtlas(heads Heads) (plots.Figure, error) {
	a := plots.Atlas{RowTitle: "decoder layer", Subtitle: fmt.Sprintf("%s · %s · %s", c.Picture, heads.of(c.Heads()), c.Model)}
	return c.atlas(a, c.Layers(), func(word, l int) (Map, error) { return c.Map(word, l, heads) })
}

// HeadAtlas draws every word's map in every head of a layer: rows are heads, columns are
// words. Each map has its own scale.
func (c *Captioned) HeadAtlas(layer int) (plots.Figure, error) {
	l, err := Index(layer, c.Layers(), "decoder layer")
	if err != nil {
		return nil, err
	}
	a := plots.Atlas{RowTitle: "head", Subtitle: fmt.Sprintf("%s · decoder %s · %s", c.Picture, layerName(l, c.Layers()), c.Model)}
	return c.atlas(a, c.Heads(), func(word, h int) (Map, error) { return c.Map(word, l, OneHead(h)) })
}

// atlas fills an atlas of rows by words.
func (c *Captioned) atlas(a plots.Atlas, rows int, at func(word, row int) (Map, error)) (plots.Figure, error) {
	a.Title, a.OwnRange, a.Scale = c.title(), true, plots.Scale{Map: plots.Inferno}
	a.Subtitle = strings.TrimSuffix(a.Subtitle, " · ") + " · each map from its least to its largest weight"
	for _, w := range c.Words {
		a.ColNames = append(a.ColNames, w.Text)
	}
	for k := range rows {
		var row [][][]float64
		for i := range c.Words {
			m, err := at(i, k)
			if err != nil {
				return nil, err
			}
			row = append(row, m.Matrix())
		}
		a.Maps = append(a.Maps, row)
	}
	a.MapWidth = max(24, min(110, 860/float64(len(c.Words))))
	return a, nil
}
