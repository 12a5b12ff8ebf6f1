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
	Seen    *transform.Image // the part of the picture that the model saw, in its own colours
	Layers  []ClassRow       // one per layer, the first layer first
}

// Map reduces one layer to a map over the picture: the softmax weights,
// [rows, cols]. layer counts from 0; -1 is the last.
func (a *Attention) Map(layer int, heads Heads) (Map, error) {
	l, err := Index(layer, len(a.Layers), "layer")
	if err != nil {
		return Map{}, err
	}
	return a.Layers[l].Map(heads)
}

// Figure draws the photograph, the heat map and both together, with a colour
// bar, titled with model, layer and heads.
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

// layerName says which layer a picture shows, counted as the flags count.
func layerName(layer, of int) string {
	if layer == of-1 {
		return fmt.Sprintf("layer %d (the last)", layer)
	}
	return fmt.Sprintf("layer %d", layer)
}

// of is the choice out of n heads as a title says it.
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

// Atlas draws the map of every layer (rows) and head (columns), each with a
// scale of its own from 0 to its largest weight.
func (a *Attention) Atlas() (plots.Figure, error) {
	if len(a.Layers) == 0 {
		return nil, fmt.Errorf("explain: no layers of %s were kept", a.Picture)
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

// EntropyChart draws the entropy of every head's map, in bits, layer by layer,
// averaged over the pictures: a point per head and a line through their means.
// The dashed line is a map that looks everywhere alike.
func EntropyChart(all ...*Attention) (plots.Figure, error) {
	if len(all) == 0 || len(all[0].Layers) == 0 {
		return nil, fmt.Errorf("explain: no attention to draw the entropy of")
	}
	points := plots.Series{Name: "a head", Points: true, NoLine: true}
	line := plots.Series{Name: "mean of heads"}
	for l := range all[0].Layers {
		var layer mean
		for h, e := range meanEntropies(all, l) {
			layer.add(e)
			heads := all[0].Layers[l].Heads
			spread := 0.0 // heads side by side, so that no point hides another
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
		Series: []plots.Series{line, points},
		Lines:  []plots.RefLine{{Value: maxEntropy(first.Rows * first.Cols), Label: "the same everywhere"}},
	}, nil
}

// meanEntropies is the entropy of each head of a layer, averaged over pictures.
func meanEntropies(all []*Attention, layer int) []float64 {
	out := make([]float64, all[0].Layers[layer].Heads)
	for _, a := range all {
		for h, e := range a.Layers[layer].Entropies() {
			out[h] += e / float64(len(all))
		}
	}
	return out
}

// AttentionTable sets the numbers of the last layer, averaged over heads, side
// by side for several pictures.
func AttentionTable(all ...*Attention) plots.Table {
	t := plots.Table{
		Caption: "[class] attention in the last layer, mean of heads",
		Columns: columns("picture", "peak at (row, column)", "entropy (bits)", "of at most", "in the top tenth of patches", "stays off the patches"),
	}
	for _, a := range all {
		s := a.summary()
		t.Rows = append(t.Rows, []any{
			a.Picture, fmt.Sprintf("%d, %d", s.row, s.col), fmt.Sprintf("%.2f", s.entropy), fmt.Sprintf("%.2f", s.most),
			fmt.Sprintf("%.0f %%", 100*s.topTenth), fmt.Sprintf("%.0f %%", 100*s.elsewhere),
		})
	}
	return t
}

// attentionSummary is what the table and the discussion say of one picture.
type attentionSummary struct {
	row, col            int
	entropy, most       float64
	topTenth, elsewhere float64
}

func (a *Attention) summary() attentionSummary {
	m, err := a.Map(-1, MeanHeads)
	if err != nil {
		panic(err) // there is a last layer and a mean of its heads
	}
	s := attentionSummary{entropy: m.Entropy(), most: maxEntropy(len(m.Values)), elsewhere: 1 - m.Sum()}
	s.row, s.col = m.Peak()
	s.topTenth = m.TopShare((len(m.Values) + 9) / 10)
	return s
}

// DiscussAttention is the paragraph under the figures; every number and every
// comparison in it is read from the results.
func DiscussAttention(all ...*Attention) string {
	if len(all) == 0 {
		return "There is no attention to discuss."
	}
	var entropy, topTenth, off mean
	for _, a := range all {
		s := a.summary()
		entropy.add(s.entropy)
		topTenth.add(s.topTenth)
		off.add(s.elsewhere)
	}
	most := all[0].summary().most
	text := fmt.Sprintf("In the last layer the tenth of the patches that get the most weight hold **%.0f %%** of it (a map that looks everywhere alike: 10 %%). The entropy is %.2f bits of at most %.2f, as if the token looked at %.0f of %.0f patches evenly. ",
		100*topTenth.value(), entropy.value(), most, math.Exp2(entropy.value()), math.Exp2(most))
	text += fmt.Sprintf("%.0f %% of the weight stays off the patches, mostly on the [class] token itself.\n\n", 100*off.value())

	layers := len(all[0].Layers)
	low, high := extremeHeads(all)
	first, last := Median(meanEntropies(all, 0)), Median(meanEntropies(all, layers-1))
	verb := "narrows"
	if last > first {
		verb = "widens"
	}
	text += fmt.Sprintf("From the first layer to the last the view %s: the median head goes from %.2f to %.2f bits. ", verb, first, last)
	text += fmt.Sprintf("The heads differ: the narrowest is head %d of layer %d (%.2f bits), the widest head %d of layer %d (%.2f bits).",
		low.head, low.layer, low.entropy, high.head, high.layer, high.entropy)
	return text
}

// headEntropy is one head's place in the model and its entropy.
type headEntropy struct {
	layer, head int
	entropy     float64
}

// extremeHeads finds the heads with the lowest and the highest entropy.
func extremeHeads(all []*Attention) (low, high headEntropy) {
	low.entropy, high.entropy = math.Inf(1), math.Inf(-1)
	for l := range all[0].Layers {
		for h, e := range meanEntropies(all, l) {
			if e < low.entropy {
				low = headEntropy{l, h, e}
			}
			if e > high.entropy {
				high = headEntropy{l, h, e}
			}
		}
	}
	return low, high
}

// maxEntropy is the entropy in bits of n equal weights.
func maxEntropy(n int) float64 { return math.Log2(float64(n)) }

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
