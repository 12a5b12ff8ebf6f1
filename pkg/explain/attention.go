package explain

import (
	"fmt"
	"math"

	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// Attention is the [class] query's attention over one picture in every layer.
type Attention struct {
	Picture string           // the picture's name
	Model   string           // the checkpoint's name
	Seen    *transform.Image // the part of the picture that the model saw, in the original colours
	Layers  []ClassRow       // one per layer, from the first
}

// Map reduces one layer to a map over the picture: the softmax weights,
// [rows, cols]. Layers count from 0; -1 is the last.
func (a *Attention) Map(layer int, heads Heads) (Map, error) {
	l, err := Index(layer, len(a.Layers), "layer")
	if err != nil {
		return Map{}, err
	}
	return a.Layers[l].Map(heads)
}

// Figure draws the photograph, the heat map and the overlay, with a colour bar and a
// title that names model, layer and heads.
func (a *Attention) Figure(layer int, heads Heads) (plots.Figure, error) {
	m, err := a.Map(layer, heads)
	if err != nil {
		return nil, err
	}
	l, _ := Index(layer, len(a.Layers), "layer")
	values := m.Matrix()
	aspect := float64(a.Seen.Width) / float64(a.Seen.Height)
	return plots.Grid{
		Title:    a.Picture,
		Subtitle: fmt.Sprintf("[class] attention · %s, %s · %s", layerName(l, len(a.Layers)), heads.of(a.Layers[l].Heads), a.Model),
		Panels: [][]plots.Panel{{
			{Title: "photograph", Picture: a.Seen},
			{Title: fmt.Sprintf("attention, %d×%d patches", m.Rows, m.Cols), Values: values, Aspect: aspect},
			{Title: "overlay", Picture: a.Seen, Values: values, Alpha: 0.55},
		}},
		Scale: plots.Scale{Map: plots.Inferno, Max: float64(m.max()), Label: "softmax weight of a patch"},
	}, nil
}

// layerName is a layer's name in titles, counted from 0 as in the flags.
func layerName(layer, of int) string {
	if layer == of-1 {
		return fmt.Sprintf("layer %d (the last)", layer)
	}
	return fmt.Sprintf("layer %d", layer)
}

// of describes the choice among n heads, for a title.
func (h Heads) of(n int) string {
	if h.kind == "head" {
		i, _ := Index(h.index, n, "head")
		return fmt.Sprintf("head %d", i)
	}
	return fmt.Sprintf("%s of %d heads", h.kind, n)
}

func (m Map) max() float32 {
	r, c := m.Peak()
	return m.At(r, c)
}

// Atlas draws the map of every layer (rows) and head (columns), each with its own scale
// from its smallest to its largest weight.
func (a *Attention) Atlas() (plots.Figure, error) {
	if len(a.Layers) == 0 {
		return nil, fmt.Errorf("explain: there is no attention of %s to draw", a.Picture)
	}
	maps := make([][][][]float64, len(a.Layers))
	for l, row := range a.Layers {
		for h := range row.Heads {
			maps[l] = append(maps[l], row.Head(h).Matrix())
		}
	}
	return plots.Atlas{
		Maps: maps, RowTitle: "layer", ColTitle: "head", OwnRange: true,
		Title:    "[class] attention of every layer and head: " + a.Picture,
		Subtitle: fmt.Sprintf("%s · each map from its least to its largest weight", a.Model),
		Scale:    plots.Scale{Map: plots.Inferno},
	}, nil
}

// EntropyChart draws the entropy of every head's map, in bits, by layer, averaged over
// the pictures: a point per head and a line through the means. The dashed line is the
// entropy of a uniform map.
func EntropyChart(all ...*Attention) (plots.Figure, error) {
	if len(all) == 0 || len(all[0].Layers) == 0 {
		return nil, fmt.Errorf("explain: no attention to draw the entropy of")
	}
	points := plots.Series{Name: "a head", Points: true, NoLine: true}
	line := plots.Series{Name: "mean of heads"}
	for l := range all[0].Layers {
		var layer mean
		for h, e := range HeadEntropies(l, all...) {
			layer.add(e)
			heads := all[0].Layers[l].Heads
			spread := 0.0 // horizontal offsets of the heads, so that points don't overlap
			if heads > 1 {
				spread = (float64(h)/float64(heads-1) - 0.5) * 0.36
			}
			points.X, points.Y = append(points.X, float64(l)+spread), append(points.Y, e)
		}
		line.X, line.Y = append(line.X, float64(l)), append(line.Y, layer.value())
	}
	first := all[0].Layers[0]
	return plots.LineChart{
		Title:    "How widely the [class] token looks",
		Subtitle: fmt.Sprintf("%s · %s", all[0].Model, countOf(len(all), "picture")),
		XLabel:   "layer", YLabel: "entropy of a head's map (bits)",
		Series: []plots.Series{line, points}, WholeX: true,
		Lines: []plots.RefLine{{Value: maxEntropy(first.Rows * first.Cols), Label: "uniform map"}},
	}, nil
}

// HeadEntropies is the entropy in bits of each head of a layer, averaged over the
// pictures.
func HeadEntropies(layer int, all ...*Attention) []float64 {
	out := make([]float64, all[0].Layers[layer].Heads)
	for _, a := range all {
		for h, e := range a.Layers[layer].Entropies() {
			out[h] += e / float64(len(all))
		}
	}
	return out
}

// AttentionTable compares the numbers of the last layer, averaged over heads, for several
// pictures.
func AttentionTable(all ...*Attention) plots.Table {
	t := plots.Table{
		Caption: "[class] attention in the last layer, mean of heads",
		Columns: columns("picture", "peak at (row, column)", "entropy (bits)", "of at most", "in the top tenth of patches", "not on patches"),
	}
	for _, a := range all {
		s := a.Summary()
		t.Rows = append(t.Rows, []any{
			a.Picture, fmt.Sprintf("%d, %d", s.Row, s.Col), fmt.Sprintf("%.2f", s.Entropy), fmt.Sprintf("%.2f", s.MostEntropy),
			fmt.Sprintf("%.0f %%", 100*s.TopTenth), fmt.Sprintf("%.0f %%", 100*s.OffPatches),
		})
	}
	return t
}

// AttentionSummary describes the last layer's map, averaged over its heads.
type AttentionSummary struct {
	Row, Col    int     // position of the patch with the most weight
	Entropy     float64 // in bits
	MostEntropy float64 // entropy of a uniform map
	TopTenth    float64 // share of the weight in the tenth of the patches with the most weight
	OffPatches  float64 // weight on tokens that aren't patches
}

// Summary describes the last layer's map.
func (a *Attention) Summary() AttentionSummary {
	m, err := a.Map(-1, MeanHeads)
	if err != nil {
		panic(err) // can't happen: there is always a last layer and a mean of its heads
	}
	s := AttentionSummary{Entropy: m.Entropy(), MostEntropy: maxEntropy(len(m.Values)), OffPatches: 1 - m.Sum()}
	s.Row, s.Col = m.Peak()
	s.TopTenth = m.TopShare((len(m.Values) + 9) / 10)
	return s
}

// maxEntropy is the entropy in bits of n equal weights.
func maxEntropy(n int) float64 { return math.Log2(float64(n)) }

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
