package explain

import (
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"gaze/pkg/caption"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// Captioned is a picture, its caption, and the decoder's attention for each word.
type Captioned struct {
	Picture string           // the picture's name
	Model   string           // the captioner's name
	Image   *transform.Image // the original picture, not the network's input, with no side longer than 1024 pixels
	Result  caption.Result
	Stride  int           // side of a cell in pixels of the network's input
	Words   []CaptionWord // the caption's words in order, with [End] last if the caption is complete
	Masks   []Mask        // masks of the things in the picture, if known

	original image.Point // the original picture's size
}

// Start and End mark the beginning and the end of a caption in figures.
const (
	Start = "<start>"
	End   = "<end>"
)

// CaptionWord is a word of a caption: one word piece, or several joined together.
type CaptionWord struct {
	Text    string
	Pieces  []int   // indices of the result's word pieces
	LogProb float64 // sum over its pieces, natural logarithm
}

// Probability is the word's probability given the preceding words.
func (w CaptionWord) Probability() float64 { return math.Exp(w.LogProb) }

// NewCaptioned combines a captioner's result with its picture. cfg is the captioner's
// configuration. A result without attention is an error.
func NewCaptioned(picture string, im *transform.Image, r caption.Result, cfg caption.Config) (*Captioned, error) {
	if im == nil || len(r.Tokens) == 0 || len(r.Attention) != len(r.Tokens) {
		return nil, fmt.Errorf("explain: %s: a caption of %d word pieces with attention for %d can't be shown", picture, len(r.Tokens), len(r.Attention))
	}
	c := &Captioned{Picture: picture, Image: shrunk(im), Result: r, Stride: cfg.Backbone.Stride(), original: image.Pt(im.Width, im.Height)}
	for i, p := range r.Tokens {
		last := len(c.Words) - 1
		switch {
		case p.ID == cfg.EndID:
			c.Words = append(c.Words, CaptionWord{End, []int{i}, p.LogProb})
		case strings.HasPrefix(p.Text, "##") && last >= 0:
			w := &c.Words[last]
			w.Text += p.Text[2:]
			w.Pieces = append(w.Pieces, i)
			w.LogProb += p.LogProb
		default:
			c.Words = append(c.Words, CaptionWord{p.Text, []int{i}, p.LogProb})
		}
	}
	return c, nil
}

// Layers is the number of decoder layers.
func (c *Captioned) Layers() int { return len(c.Result.Attention[0]) }

// Heads is the number of heads in a layer.
func (c *Captioned) Heads() int { return len(c.Result.Attention[0][0]) }

// Map is a layer's attention to the cells for a word, [rows, columns], at the step that
// PREDICTED the word. It sums to 1, except for the maximum of heads. For a word of
// several pieces the maps are averaged. Layers count from 0; -1 is the last.
func (c *Captioned) Map(word, layer int, heads Heads) (Map, error) {
	return c.overPieces(word, func(piece int) (Map, error) { return c.PieceMap(piece, layer, heads) })
}

// Styled is the map of a word that a style asks for: of the style's own maps, or of
// attention as [Captioned.Map] has it. For a word of several pieces the maps are averaged.
func (c *Captioned) Styled(word int, s CaptionStyle) (Map, error) {
	if s.Maps == nil {
		return c.Map(word, s.Layer, s.Heads)
	}
	return c.overPieces(word, func(piece int) (Map, error) {
		m, ok := s.Maps.At(piece)
		if !ok {
			return Map{}, fmt.Errorf("explain: %s: there is no map by %s of word piece %d: explain all pieces of the caption", c.Picture, s.Maps.Method.Title, piece)
		}
		if g := c.Result.Grid; m.Rows != g[0] || m.Cols != g[1] {
			return Map{}, fmt.Errorf("explain: %s: a map of %d×%d cells, the picture has %d×%d: it is another picture's", c.Picture, m.Rows, m.Cols, g[0], g[1])
		}
		return m, nil
	})
}

// IDs are the numbers of the caption's word pieces, as [WordExplainer.Explain] takes them.
func (c *Captioned) IDs() []int {
	var ids []int
	for _, p := range c.Result.Tokens {
		ids = append(ids, p.ID)
	}
	return ids
}

// overPieces averages the maps of a word's pieces.
func (c *Captioned) overPieces(word int, of func(piece int) (Map, error)) (Map, error) {
	word, err := Index(word, len(c.Words), "word")
	if err != nil {
		return Map{}, err
	}
	pieces := c.Words[word].Pieces
	out, err := of(pieces[0])
	if err != nil || len(pieces) == 1 {
		return out, err
	}
	out.Values = slices.Clone(out.Values)
	for i := range out.Values {
		out.Values[i] /= float32(len(pieces))
	}
	for _, p := range pieces[1:] {
		m, err := of(p)
		if err != nil {
			return Map{}, err
		}
		for i, v := range m.Values {
			out.Values[i] += v / float32(len(pieces))
		}
	}
	return out, nil
}

// PieceMap is [Captioned.Map] for a single word piece of the result.
func (c *Captioned) PieceMap(piece, layer int, heads Heads) (Map, error) {
	l, err := Index(layer, c.Layers(), "decoder layer")
	if err != nil {
		return Map{}, err
	}
	if piece, err = Index(piece, len(c.Result.Tokens), "word piece"); err != nil {
		return Map{}, err
	}
	row := ClassRow{Heads: c.Heads(), Rows: c.Result.Grid[0], Cols: c.Result.Grid[1]}
	for _, h := range c.Result.Attention[piece][l] {
		row.Weights = append(row.Weights, h...)
	}
	return row.Map(heads)
}

// OnPicture lays a map of cells over the picture. It returns a value for each pixel of
// the network's input, which is the whole picture, resized. The last row and column of
// cells may extend beyond it; that part is cut off, so that every cell is where the
// network saw it.
func (c *Captioned) OnPicture(m Map) ([][]float64, error) {
	fine, err := plots.Upsample(m.Matrix(), m.Rows*c.Stride, m.Cols*c.Stride, plots.Bilinear)
	if err != nil {
		return nil, err
	}
	height, width := c.Result.Input[0], c.Result.Input[1]
	if height < 1 || width < 1 || height > len(fine) || width > len(fine[0]) {
		return nil, fmt.Errorf("explain: %s: cells of %d pixels, %d×%d of them, don't cover a picture of %d×%d",
			c.Picture, c.Stride, m.Rows, m.Cols, height, width)
	}
	for i := range fine[:height] {
		fine[i] = fine[i][:width]
	}
	return fine[:height], nil
}

// merged lists the words that have several pieces.
func (c *Captioned) merged() []string {
	var list []string
	for _, w := range c.Words {
		if len(w.Pieces) > 1 {
			list = append(list, w.Text)
		}
	}
	return list
}
