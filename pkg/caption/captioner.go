package caption

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute"

	"gaze/pkg/transform"
)

// Options say how captions are made. The zero value is greedy, as long as the
// model allows.
type Options struct {
	Beam          int     // captions followed at once; 0 or 1: only one
	LengthPenalty float64 // of beam search: the power of the length that divides a caption's log-probability; 0 prefers short ones, 1 is transformers' default
	MaxTokens     int     // pieces at most, the closing [SEP] included; 0: one fewer than the model's positions
	TopK          int     // draw among that many likeliest pieces; 0: all, if TopP or Temperature asks for drawing
	TopP          float64 // draw among the fewest pieces that together have this probability; 0: all
	Temperature   float64 // divides the logits before drawing; 0: 1
	Seed          uint64  // of the draws; each picture's depend on its index too
	Batch         int     // pictures decoded at a time; 0: 8
	NoAttention   bool    // leave Result.Attention empty

	// Blocked says which cells of each picture nothing may look at: neither the
	// encoder's attention, in which each cell looks at all, nor the decoder's, in
	// any layer. One list for each picture, of its cells row by row; nil for a
	// picture of which nothing is blocked, and nil for none at all. Blocked cells
	// keep their places: positions are those of the whole picture. Their maps'
	// weights are exactly 0. (What the backbone carried into
	// neighbouring cells stays there.)
	Blocked [][]bool
}

// sampled tells whether pieces are drawn at random.
func (o Options) sampled() bool { return o.TopK > 0 || o.TopP > 0 || o.Temperature > 0 }

// Result is the caption of one picture.
type Result struct {
	Text   string
	Pieces []Piece // as predicted, the closing [SEP] included if there was room for it
	Grid   [2]int  // rows and columns of cells
	// Attention is the decoder's attention to the picture at the step that
	// predicted each piece: [piece][layer][head][cell], cells row by row, each
	// row of cells summing to one.
	Attention [][][][]float32
	// Input is the height and width in pixels of what the network saw.
	Input [2]int
}

// Piece is a word piece of a caption.
type Piece struct {
	ID      int
	Text    string  // as the vocabulary has it: "##s" goes on the piece before
	LogProb float64 // natural logarithm of the probability that the model gave it
}

// LogProb is the caption's log-probability: the sum of its pieces'.
func (r Result) LogProb() float64 {
	sum := 0.0
	for _, p := range r.Pieces {
		sum += p.LogProb
	}
	return sum
}

// Captioner makes captions. It is safe for concurrent use. Programs are compiled
// on first use for each shape of input; the last few are kept.
type Captioner struct {
	config Config
	vocab  *Vocab

	mu  sync.Mutex
	net *net
}

// NewCaptioner gives the model's weights to the backend, checking that they are
// finite. The model may be closed afterwards. vocab is the word pieces; nil:
// those that came with the model.
func NewCaptioner(backend compute.Backend, m *Model, vocab *Vocab) (*Captioner, error) {
	if vocab == nil {
		vocab = m.Vocab
	}
	switch {
	case vocab == nil:
		return nil, errors.New("caption: the model came without words: give it a vocabulary (CATR's is that of bert-base-uncased)")
	case vocab.Len() != m.Config.Vocab:
		return nil, fmt.Errorf("caption: the vocabulary has %d word pieces, the model was made for %d", vocab.Len(), m.Config.Vocab)
	}
	n, err := newNet(backend, m, true)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	return &Captioner{config: m.Config, vocab: vocab, net: n}, nil
}

// Config is the model's configuration.
func (c *Captioner) Config() Config { return c.config }

// Vocab is the word pieces.
func (c *Captioner) Vocab() *Vocab { return c.vocab }

// Close frees the weights and the compiled programs.
func (c *Captioner) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.net == nil {
		return nil
	}
	n := c.net
	c.net = nil
	return n.close()
}

// Caption makes a caption for each RGB picture. A picture that can't be
// captioned doesn't keep the others from it: its result is empty, and the error
// names it by its index (errors.Join of one per picture).
//
// Pictures are encoded one by one, unpadded, so that a caption doesn't depend on
// the pictures beside it (and on a processor nothing is lost), and decoded in
// batches, whatever their shapes. Each new shape costs the compilation of an
// encoder.
func (c *Captioner) Caption(images []*transform.Image, o Options) ([]Result, error) {
	inputs := make([]*transform.Tensor, len(images))
	var errs []error
	for i, im := range images {
		t, err := c.config.Preprocess(im)
		if err != nil {
			errs = append(errs, fmt.Errorf("picture %d: %w", i, err))
			continue
		}
		inputs[i] = t
	}
	results, err := c.CaptionTensors(inputs, o)
	return results, errors.Join(append(errs, err)...)
}

// CaptionTensors is [Captioner.Caption] for pictures already preprocessed; nil
// ones are passed over.
func (c *Captioner) CaptionTensors(inputs []*transform.Tensor, o Options) ([]Result, error) {
	o, err := o.resolve(c.config)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.net == nil {
		return nil, errors.New("caption: the captioner is closed")
	}
	if err := o.checkBlocked(c.config, inputs); err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	results := make([]Result, len(inputs))
	for _, group := range groups(inputs, o.Batch) {
		if err := c.captionGroup(inputs, group, o, results); err != nil {
			return results, fmt.Errorf("caption: %w", err)
		}
	}
	return results, nil
}

// Check is an error if captioners of a configuration can't caption with the options.
func (o Options) Check(c Config) error {
	_, err := o.resolve(c)
	return err
}

// resolve fills in the defaults and checks the options.
func (o Options) resolve(c Config) (Options, error) {
	if o.MaxTokens == 0 {
		o.MaxTokens = c.MaxPositions - 1
	}
	if o.Beam == 0 {
		o.Beam = 1
	}
	if o.Batch == 0 {
		o.Batch = 8
	}
	switch {
	case o.MaxTokens < 1 || o.MaxTokens > c.MaxPositions-1:
		return o, fmt.Errorf("captions of at most %d pieces: this model can make 1 to %d", o.MaxTokens, c.MaxPositions-1)
	case o.Beam < 1 || 2*o.Beam > c.Vocab:
		return o, fmt.Errorf("a beam of %d: it must be at least 1 and at most half of the %d pieces", o.Beam, c.Vocab)
	case o.Beam > 1 && o.sampled():
		return o, errors.New("beam search and drawing at random (top-k, top-p, temperature) exclude each other")
	case o.Batch < 1:
		return o, fmt.Errorf("%d pictures at a time", o.Batch)
	case o.TopK < 0 || !(o.TopP >= 0 && o.TopP <= 1) || !(o.Temperature >= 0) || o.Temperature > 1e6:
		return o, fmt.Errorf("drawing with top-k %d, top-p %g and temperature %g", o.TopK, o.TopP, o.Temperature)
	case o.LengthPenalty-o.LengthPenalty != 0:
		return o, fmt.Errorf("a length penalty of %g", o.LengthPenalty)
	}
	return o, nil
}

// checkBlocked compares the blocked cells with the pictures' grids.
func (o Options) checkBlocked(c Config, inputs []*transform.Tensor) error {
	if o.Blocked == nil {
		return nil
	}
	if len(o.Blocked) != len(inputs) {
		return fmt.Errorf("blocked cells of %d pictures for %d pictures", len(o.Blocked), len(inputs))
	}
	for i, cells := range o.Blocked {
		if cells == nil || inputs[i] == nil {
			continue
		}
		grid := c.Grid(inputs[i].Shape[1], inputs[i].Shape[2])
		switch {
		case len(cells) != grid[0]*grid[1]:
			return fmt.Errorf("picture %d: %d cells are or aren't blocked, it has %d×%d", i, len(cells), grid[0], grid[1])
		case !slices.Contains(cells, false):
			return fmt.Errorf("picture %d: all its cells are blocked, nothing is left to look at", i)
		}
	}
	return nil
}

// blockedOf is the blocked cells of a picture; nil if none is.
func (o Options) blockedOf(picture int) []bool {
	if o.Blocked == nil || !slices.Contains(o.Blocked[picture], true) {
		return nil
	}
	return o.Blocked[picture]
}

// groups lists the indices of inputs that are decoded together, at most batch of
// them.
func groups(inputs []*transform.Tensor, batch int) [][]int {
	var all []int
	for i, t := range inputs {
		if t != nil {
			all = append(all, i)
		}
	}
	return slices.Collect(slices.Chunk(all, batch))
}
