package explorer

import (
	"errors"
	"fmt"

	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Of is the picture of a comparison with its maps, without attention.
func Of(c *explain.Comparison) (Picture, error) {
	if len(c.Entries) == 0 {
		return Picture{}, fmt.Errorf("explorer: there are no maps of %s", c.Picture)
	}
	p := Picture{Name: c.Picture, Model: c.Model, Image: c.Seen, Rows: c.Entries[0].Map.Rows, Cols: c.Entries[0].Map.Cols}
	known := map[int]bool{}
	for _, e := range c.Entries {
		p.Maps = append(p.Maps, Map(c, e))
		if e.Class >= 0 && !known[e.Class] {
			known[e.Class] = true
			p.Groups = append(p.Groups, ClassGroup(c, e))
		}
	}
	return p, nil
}

// Map is an entry of a comparison.
func Map(c *explain.Comparison, e explain.Entry) Named {
	m := Named{Key: e.Method.Name, Name: e.Method.Title, Note: c.Notes[e.Method.Name], About: e.Method.Advice, Signed: e.Method.Signed, Map: e.Map}
	if e.Class >= 0 {
		m.Group = ClassGroup(c, e).Name
	}
	return m
}

// ClassGroup is the class of a comparison's entry, and the one it is held against, with its
// probability.
func ClassGroup(c *explain.Comparison, e explain.Entry) Group {
	g := Group{Name: c.ClassName(e.Class), Note: fmt.Sprintf("%.0f %%", 100*c.Probability(e.Class))}
	if e.Against >= 0 {
		g = Group{Name: g.Name + " rather than " + c.ClassName(e.Against)}
	}
	return g
}

// Attend adds the attention of every query in every layer to a picture whose preprocessed
// form is t. It also returns the model's warnings.
func (p *Picture) Attend(r *vit.Runner, t *transform.Tensor) (warnings []string, err error) {
	cfg, err := r.Config().WithImageSize(t.Shape[1], t.Shape[2])
	if err != nil {
		return nil, err
	}
	p.Rows, p.Cols, p.Tokens, p.Layers = cfg.Grid()[0], cfg.Grid()[1], tokensOf(cfg), nil
	// A layer at a time where all would take more than a gibibyte.
	const most = 1 << 28
	each := max(most/(cfg.Heads*cfg.Tokens()*cfg.Tokens()), 1)
	for first := 0; first < cfg.Depth; first += each {
		layers := cfg.AllLayers()[first:min(first+each, cfg.Depth)]
		o, err := r.Run(t.Data, [4]int{1, t.Shape[0], t.Shape[1], t.Shape[2]}, vit.Want{Attention: layers})
		if err != nil {
			return nil, err
		}
		for i := range layers {
			p.Layers = append(p.Layers, Layer{Heads: cfg.Heads, Weights: onPatches(o.Attention[i].Values, cfg)})
		}
		warnings = append(warnings, o.Warnings...)
	}
	return warnings, nil
}

// tokensOf names the tokens before the patches.
func tokensOf(cfg vit.Config) []string {
	var names []string
	for _, name := range cfg.PrefixTokens() {
		names = append(names, "["+name+"]")
	}
	return names
}

// onPatches cuts the weights of the tokens before the patches from attention [heads,
// tokens, tokens].
func onPatches(attention []float32, cfg vit.Config) []float32 {
	tokens, prefix := cfg.Tokens(), cfg.Prefix()
	out := make([]float32, 0, len(attention)/tokens*cfg.Patches())
	for at := 0; at < len(attention); at += tokens {
		out = append(out, attention[at+prefix:at+tokens]...)
	}
	return out
}

// OfCaption is a captioned picture with a map for each word: the decoder's attention in
// every layer, the mean of its heads.
func OfCaption(c *explain.Captioned) (Picture, error) {
	if len(c.Words) == 0 {
		return Picture{}, errors.New("explorer: the caption has no words")
	}
	p := Picture{Name: c.Picture, Model: c.Model, Image: c.Image, GroupLabel: "Word"}
	seen := map[string]int{}
	for w, word := range c.Words {
		name := word.Text
		if seen[word.Text]++; seen[word.Text] > 1 { // words may come again
			name = fmt.Sprintf("%s (%d)", word.Text, seen[word.Text])
		}
		p.Groups = append(p.Groups, Group{Name: name, Note: fmt.Sprintf("%.0f %%", 100*word.Probability())})
		for l := c.Layers() - 1; l >= 0; l-- {
			m, err := c.Map(w, l, explain.MeanHeads)
			if err != nil {
				return Picture{}, err
			}
			p.Rows, p.Cols = m.Rows, m.Cols
			if in := c.Result.Input; c.Stride > 0 && in[0] > 0 && in[1] > 0 {
				p.Covered = [2]float64{float64(in[0]) / float64(c.Stride), float64(in[1]) / float64(c.Stride)}
			}
			p.Maps = append(p.Maps, Named{Group: name, Key: fmt.Sprintf("layer %d", l), Name: fmt.Sprintf("Decoder layer %d", l),
				About: "The decoder's attention when it predicts the word, mean of its heads.", Map: m})
		}
	}
	return p, nil
}
