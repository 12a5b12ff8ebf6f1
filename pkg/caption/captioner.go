package caption

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute"

	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/transform"
)

// Options say how captions are made. The zero value is greedy, as long as the
// model allows.
type Options struct {
	Beam          int     // width of the beam search; 0 or 1: none
	LengthPenalty float64 // of beam search: the exponent of the length by which a caption's log-probability is divided; 0 prefers short captions, 1 is transformers' default
	MaxTokens     int     // the most tokens, the closing [SEP] included; 0: one fewer than the model's positions
	TopK          int     // sample from this number of likeliest tokens; 0: from all, if TopP or Temperature asks for sampling
	TopP          float64 // sample from the fewest tokens that together have this probability; 0: from all
	Temperature   float64 // divides the logits before sampling; 0: 1
	Seed          uint64  // of sampling; each picture's samples depend on its index too
	Batch         int     // pictures decoded at a time; 0: 8
	// Neighbours is how many of the pictures that the captioner remembers ([Config].Neighbours)
	// are asked: of the captions that the beam search keeps, the one that agrees best with
	// theirs is taken, by CIDEr; one that repeats itself ([score.Repeats]) only if all do. 0:
	// none, the likeliest caption is taken.
	Neighbours  int
	NoAttention bool // leave Result.Attention empty

	// Masked says which cells of each picture no attention may attend to, in encoder and
	// decoder: one list for each picture, of its cells row by row; nil for a picture
	// without masked cells, and nil for none at all. Positions stay those of the whole
	// picture. Masked cells have a weight of exactly 0 in all maps. (The backbone has
	// already mixed neighbouring cells, which stays as it is.)
	Masked [][]bool
}

// sampled says whether tokens are sampled.
func (o Options) sampled() bool { return o.TopK > 0 || o.TopP > 0 || o.Temperature > 0 }

// Result is the caption of one picture.
type Result struct {
	Text   string
	Tokens []Token // as predicted, the closing [SEP] included if there was room for it
	Grid   [2]int  // rows and columns of cells
	// Attention is the decoder's attention to the picture in the step that predicted each
	// token: [token][layer][head][cell], cells row by row. Each map sums to one.
	Attention [][][][]float32
	// Input is the height and width in pixels of what the network saw.
	Input [2]int
}

// Token is a token of a caption: a word or, in WordPiece, a part of one.
type Token struct {
	ID      int
	Text    string  // as in the vocabulary: "##s" continues the token before
	LogProb float64 // natural logarithm of the model's probability
}

// LogProb is the caption's log-probability, the sum of its tokens'.
func (r Result) LogProb() float64 {
	sum := 0.0
	for _, p := range r.Tokens {
		sum += p.LogProb
	}
	return sum
}

// Captioner makes captions. It is safe for concurrent use. Programs are compiled on first
// use for each shape of input; the most recently used are kept.
type Captioner struct {
	config Config
	vocab  *wordpiece.Vocab

	mu       sync.Mutex
	net      *network
	memories *memories // nil: the model remembers no pictures
}

// NewCaptioner uploads the model's weights to the backend, checking that they are finite.
// The model may be closed afterwards. A nil vocab stands for the one that came with the
// model.
func NewCaptioner(backend compute.Backend, m *Model, vocab *wordpiece.Vocab) (*Captioner, error) {
	if vocab == nil {
		vocab = m.Vocab
	}
	switch {
	case vocab == nil:
		return nil, errors.New("caption: the model has no vocabulary of its own: give it one (CATR's is that of bert-base-uncased)")
	case vocab.Len() != m.Config.Vocab:
		return nil, fmt.Errorf("caption: the vocabulary has %d word pieces, the model was made for %d", vocab.Len(), m.Config.Vocab)
	}
	if lacks := m.LacksBackbone(); lacks != "" {
		return nil, fmt.Errorf("caption: the model's backbone is in another checkpoint, %s: complete it first (Model.Complete)", lacks)
	}
	remembered, err := newMemories(m)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	n, err := newNetwork(backend, m, true)
	if err != nil {
		return nil, fmt.Errorf("caption: %w", err)
	}
	return &Captioner{config: m.Config, vocab: vocab, net: n, memories: remembered}, nil
}

// Config is the model's configuration.
func (c *Captioner) Config() Config { return c.config }

// Vocab is the vocabulary.
func (c *Captioner) Vocab() *wordpiece.Vocab { return c.vocab }

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

// Caption makes a caption for each RGB picture. Where a picture can't be captioned, the
// others still are: its result is empty, and the error names it by its index (errors.Join
// of one per picture).
//
// Pictures are encoded one by one, without padding, so that a caption doesn't depend on
// the other pictures (on a CPU this costs no time), and decoded in batches, whatever their
// shapes. Each new shape needs the compilation of an encoder.
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

// CaptionTensors is [Captioner.Caption] for preprocessed pictures; nil ones are skipped.
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
	if err := o.checkMasked(c.config, inputs); err != nil {
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
		return o, fmt.Errorf("captions of at most %d tokens: this model allows 1 to %d", o.MaxTokens, c.MaxPositions-1)
	case o.Beam < 1 || 2*o.Beam > c.Vocab:
		return o, fmt.Errorf("a beam of %d: it must be at least 1 and at most %d, half of the vocabulary", o.Beam, c.Vocab/2)
	case o.Beam > 1 && o.sampled():
		return o, errors.New("beam search can't be combined with sampling: leave out the beam, or top-k, top-p and temperature")
	case o.Neighbours < 0:
		return o, fmt.Errorf("%d neighbours: there must be at least 1, or 0 to take the likeliest caption", o.Neighbours)
	case o.Neighbours > 0 && (c.Neighbours == nil || o.Beam < 2):
		return o, errors.New("neighbours choose among the captions of a beam search: they need a beam of at least 2, and a captioner that remembers pictures (photos-captioner does)")
	case o.Batch < 1:
		return o, fmt.Errorf("%d pictures at a time: it must be at least 1", o.Batch)
	case o.TopK < 0:
		return o, fmt.Errorf("sampling with top-k %d: it must be at least 1, or 0 for no limit", o.TopK)
	case !(o.TopP >= 0 && o.TopP <= 1):
		return o, fmt.Errorf("sampling with top-p %g: it must be more than 0 and at most 1, or 0 for no limit", o.TopP)
	case !(o.Temperature >= 0) || o.Temperature > 1e6:
		return o, fmt.Errorf("sampling with a temperature of %g: it must be more than 0 and at most 1e6, or 0 for 1", o.Temperature)
	case o.LengthPenalty-o.LengthPenalty != 0:
		return o, fmt.Errorf("a length penalty of %g: it must be finite", o.LengthPenalty)
	}
	return o, nil
}

// checkMasked compares the masked cells with the pictures' grids.
func (o Options) checkMasked(c Config, inputs []*transform.Tensor) error {
	if o.Masked == nil {
		return nil
	}
	if len(o.Masked) != len(inputs) {
		return fmt.Errorf("masked cells of %d pictures for %d pictures: give a list (or nil) for each", len(o.Masked), len(inputs))
	}
	for i, cells := range o.Masked {
		if cells == nil || inputs[i] == nil {
			continue
		}
		grid := c.Grid(inputs[i].Shape[1], inputs[i].Shape[2])
		switch {
		case len(cells) != grid[0]*grid[1]:
			return fmt.Errorf("picture %d: %d cells are listed as masked or not, it has %d×%d", i, len(cells), grid[0], grid[1])
		case !slices.Contains(cells, false):
			return fmt.Errorf("picture %d: all its cells are masked, nothing is left to attend to", i)
		}
	}
	return nil
}

// maskedOf is the masked cells of a picture; nil if there are none.
func (o Options) maskedOf(picture int) []bool {
	if o.Masked == nil || !slices.Contains(o.Masked[picture], true) {
		return nil
	}
	return o.Masked[picture]
}

// groups lists the indices of inputs that are decoded together, at most batch in each
// group.
func groups(inputs []*transform.Tensor, batch int) [][]int {
	var all []int
	for i, t := range inputs {
		if t != nil {
			all = append(all, i)
		}
	}
	return slices.Collect(slices.Chunk(all, batch))
}
