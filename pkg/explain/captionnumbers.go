package explain

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gaze/pkg/caption"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// Mask is the mask of a thing that captions can name. Words are its names. Image has the
// size of the picture, original or as shown, and one channel: the coverage of each pixel,
// 0 to 255. Masks with the same name are merged.
type Mask struct {
	Words []string
	Image *transform.Image
}

// CaptionNumbers describes the maps of a caption in one layer.
type CaptionNumbers struct {
	Words []WordNumbers `json:"words"`
	// Similarity is the cosine similarity of every two words' maps, from 0 to 1.
	Similarity [][]float64 `json:"similarity"`
	// Diversity is 1 minus the mean similarity of two words' maps, without the final
	// [End]. It is 0 for a captioner whose maps are all the same.
	Diversity float64 `json:"diversity"`
	// Articles compares the articles' maps with those of nouns; nil if no article has a
	// noun.
	Articles *ArticleNumbers `json:"articles,omitempty"`
	// Cells is the number of cells of a map, MostBits the entropy of a uniform map.
	Cells    int     `json:"cells"`
	MostBits float64 `json:"most_bits"`
}

// WordNumbers describes one word's map.
type WordNumbers struct {
	Text        string  `json:"text"`
	Probability float64 `json:"probability"`
	Entropy     float64 `json:"entropy"` // in bits
	// OnMask is the share of the attention on the mask of the thing that the word
	// names; Area is the mask's share of the picture, which a uniform map would have.
	// Both are nil, and left out of JSON, if there is no mask.
	OnMask *float64 `json:"on_mask,omitempty"`
	Area   *float64 `json:"area,omitempty"`
	// Noun is, for an article, the index of its noun (see [Captioned.Nouns]); else -1.
	Noun int `json:"noun"`
}

// ArticleNumbers compares articles' maps with those of their nouns (see
// [Captioned.Nouns]): mean cosine similarities, from 0 to 1.
type ArticleNumbers struct {
	Count int     `json:"count"` // number of articles that have a noun
	Own   float64 `json:"own"`
	// Others is the similarity with the nouns of the caption's other articles; nil if there are none.
	Others *float64 `json:"others,omitempty"`
}

// Numbers describes the maps of a layer.
func (c *Captioned) Numbers(layer int, heads Heads) (*CaptionNumbers, error) {
	n := &CaptionNumbers{Cells: c.Result.Grid[0] * c.Result.Grid[1]}
	n.MostBits = math.Log2(float64(n.Cells))
	nouns := c.Nouns()
	var maps []Map
	for i, w := range c.Words {
		m, err := c.Map(i, layer, heads)
		if err != nil {
			return nil, err
		}
		maps = append(maps, m)
		word := WordNumbers{Text: w.Text, Probability: w.Probability(), Entropy: m.Entropy(), Noun: nouns[i]}
		if word.OnMask, word.Area, err = c.onMask(m, w.Text); err != nil {
			return nil, err
		}
		n.Words = append(n.Words, word)
	}
	sum, pairs := 0.0, 0
	for i := range maps {
		n.Similarity = append(n.Similarity, make([]float64, len(maps)))
		for j := range maps {
			s := cosineOf(maps[i].Values, maps[j].Values)
			n.Similarity[i][j] = s
			if i < j && c.Words[j].Text != End {
				sum += s
				pairs++
			}
		}
	}
	if pairs > 0 {
		n.Diversity = 1 - sum/float64(pairs)
	}
	n.Articles = articleNumbers(nouns, n.Similarity)
	return n, nil
}

// articleNumbers averages the similarities of each article with its noun and with the
// other articles' nouns.
func articleNumbers(nouns []int, similarity [][]float64) *ArticleNumbers {
	var own, others mean
	for i, noun := range nouns {
		if noun < 0 {
			continue
		}
		own.add(similarity[i][noun])
		for _, other := range nouns {
			if other >= 0 && other != noun {
				others.add(similarity[i][other])
			}
		}
	}
	if own.count == 0 {
		return nil
	}
	a := &ArticleNumbers{Count: own.count, Own: own.value()}
	if others.count > 0 {
		v := others.value()
		a.Others = &v
	}
	return a
}

// onMask returns the share of a map on the masks of the thing that a word names, and the
// masks' share of the picture; nil if there are no masks.
func (c *Captioned) onMask(m Map, word string) (on, area *float64, err error) {
	mask, err := c.maskOf(word)
	if mask == nil || err != nil {
		return nil, nil, err
	}
	var share, covered float64
	for i, part := range caption.Coverage(mask, c.Result.Input, c.Stride) {
		share += part * float64(m.Values[i])
	}
	for _, v := range mask.Pix {
		covered += float64(v)
	}
	share /= m.Sum()
	covered /= 255 * float64(len(mask.Pix))
	return &share, &covered, nil
}

// maskOf merges all masks with a name into one, at the size of the picture shown; nil if
// there are none.
func (c *Captioned) maskOf(word string) (*transform.Image, error) {
	var all *transform.Image
	for _, mask := range c.Masks {
		if !slices.Contains(mask.Words, word) {
			continue
		}
		im, err := c.fitted(mask.Image)
		if err != nil {
			return nil, fmt.Errorf("explain: %s: the mask of %q %w", c.Picture, word, err)
		}
		if all == nil {
			all = &transform.Image{Pix: slices.Clone(im.Pix), Width: im.Width, Height: im.Height, Channels: 1}
			continue
		}
		for i, v := range im.Pix {
			all.Pix[i] = max(all.Pix[i], v)
		}
	}
	return all, nil
}

// fitted scales a mask to the size of the picture shown, which is smaller than a large
// original.
func (c *Captioned) fitted(mask *transform.Image) (*transform.Image, error) {
	switch {
	case mask == nil:
		return nil, errors.New("has no picture")
	case mask.Channels != 1:
		return nil, fmt.Errorf("has %d channels, not 1", mask.Channels)
	case mask.Width == c.Image.Width && mask.Height == c.Image.Height:
		return mask, nil
	case mask.Width == c.original.X && mask.Height == c.original.Y:
		return shrunk(mask), nil
	}
	err := fmt.Errorf("is %d×%d, the picture %d×%d", mask.Width, mask.Height, c.Image.Width, c.Image.Height)
	if c.original.X > c.Image.Width {
		err = fmt.Errorf("%w (reduced from %d×%d)", err, c.original.X, c.original.Y)
	}
	return nil, err
}

// cosineOf is the cosine similarity of two maps.
func cosineOf(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// The articles, and words that end a noun phrase.
var (
	articles = []string{"a", "an", "the"}
	ends     = []string{
		"in", "on", "of", "with", "at", "and", "near", "under", "down", "over", "by", "to", "for", "from", "into", "up", "while", "next", "behind",
		"is", "are", "that", "who", "which", "has", "have", "sits", "stands", "looks", "a", "an", "the", ".", ",", End,
	}
)

// Nouns returns, for each article of the caption, the index of its noun, and -1 for other
// words. The noun is the last word before a preposition, a verb in -ing or another word
// that ends the phrase. This is a rule of thumb, not a parser.
func (c *Captioned) Nouns() []int {
	out := make([]int, len(c.Words))
	for i, w := range c.Words {
		out[i] = -1
		if !slices.Contains(articles, w.Text) {
			continue
		}
		for j := i + 1; j < len(c.Words); j++ {
			text := c.Words[j].Text
			if slices.Contains(ends, text) || strings.HasSuffix(text, "ing") && j > i+1 {
				break
			}
			out[i] = j
		}
	}
	return out
}

// Table lists the numbers by word.
func (n *CaptionNumbers) Table() plots.Table {
	t := plots.Table{Columns: []plots.Column{
		{Name: "word"}, {Name: "probability", Format: "%.2f"}, {Name: "entropy (bits)", Format: "%.2f"},
	}}
	masked := slices.ContainsFunc(n.Words, func(w WordNumbers) bool { return w.OnMask != nil })
	if masked {
		t.Columns = append(t.Columns, plots.Column{Name: "attention on its mask (%)", Format: "%.1f"}, plots.Column{Name: "mask's area (%)", Format: "%.1f"})
	}
	for _, w := range n.Words {
		row := []any{w.Text, w.Probability, w.Entropy}
		if w.OnMask != nil {
			row = append(row, 100**w.OnMask, 100**w.Area)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// SimilarityFigure draws the similarities of the words' maps.
func (n *CaptionNumbers) SimilarityFigure() plots.Figure {
	var names []string
	for _, w := range n.Words {
		names = append(names, w.Text)
	}
	return plots.HeatMap{
		Values: n.Similarity, RowNames: names, ColNames: names, Title: "Similarity of the words' maps",
		Subtitle: fmt.Sprintf("cosine of the maps · diversity %.2f", n.Diversity) + n.Articles.String(),
		Format:   func(v float64) string { return fmt.Sprintf("%.2f", v) },
		Scale:    plots.Scale{Min: 0, Max: 1, Label: "cosine"},
	}
}

// String is a part of a subtitle; empty for nil.
func (a *ArticleNumbers) String() string {
	switch {
	case a == nil:
		return ""
	case a.Others == nil:
		return fmt.Sprintf(" · articles with their nouns %.2f", a.Own)
	}
	return fmt.Sprintf(" · articles with their own nouns %.2f, with others' %.2f", a.Own, *a.Others)
}
