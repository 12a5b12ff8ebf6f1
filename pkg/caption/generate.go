package caption

import (
	"errors"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
	"gaze/pkg/transform"
)

// generator makes captions of encoded pictures, one token in each row at a time.
type generator struct {
	c       *Captioner
	encoded *encoded
	beams   int // rows for each picture
	options Options
	cache   []*tensors.Tensor // keys and values of each layer in turn
}

func (c *Captioner) newGenerator(s *encoded, o Options) (*generator, error) {
	cfg := c.config
	dims := []int{len(s.grids) * o.Beam, cfg.Heads, o.MaxTokens, cfg.Dim / cfg.Heads}
	g := &generator{c: c, encoded: s, beams: o.Beam, options: o}
	zeros := make([]float32, dims[0]*dims[1]*dims[2]*dims[3])
	for range 2 * cfg.DecoderLayers {
		t, err := input(c.net, zeros, dims...)
		if err != nil {
			g.free()
			return nil, err
		}
		g.cache = append(g.cache, t)
	}
	return g, nil
}

func (g *generator) free() { nn.Free(g.cache...) }

// step reads a token in each row, at a position, each row continuing the one that parents
// names, and returns the predictions.
func (g *generator) step(tokens, parents []int32, position int) ([]prediction, error) {
	n, rows := g.c.net, len(tokens)
	var small [3]*tensors.Tensor
	defer func() { nn.Free(small[:]...) }()
	var errs [3]error
	small[0], errs[0] = input(n, tokens, rows)
	small[1], errs[1] = input(n, []int32{int32(position)})
	small[2], errs[2] = input(n, parents, rows)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	inputs := []any{small[0], small[1], small[2], g.encoded.padding}
	for _, t := range slices.Concat(g.cache, g.encoded.layers) {
		inputs = append(inputs, t)
	}
	key := fmt.Sprint("step ", len(g.encoded.grids), g.beams, g.options.MaxTokens, g.encoded.cells)
	results, err := run(n, key, g.graph, inputs...)
	if err != nil {
		return nil, err
	}
	g.free()
	g.cache = results[2:]
	defer nn.Free(results[:2]...)
	return g.predictions(results[0], results[1], rows)
}

// graph builds the program of a step.
func (g *generator) graph(scope *model.Scope, in []*Node) []*Node {
	caches := 2 * g.c.config.DecoderLayers
	s := stepInputs{tokens: in[0], position: in[1], parents: in[2], padding: in[3], cache: in[4 : 4+caches], cross: in[4+caches : 4+2*caches]}
	if g.c.config.Gist != nil {
		s.gist = in[4+2*caches]
	}
	if g.beams == 1 {
		s.parents = nil
	}
	out := step(scope, g.c.config, s)
	return append([]*Node{out.logProbs, out.attention}, out.cache...)
}

// predictions copies the results of a step out of the backend, row by row.
func (g *generator) predictions(logProbs, attention *tensors.Tensor, rows int) ([]prediction, error) {
	list := make([]prediction, rows)
	all, err := tensors.CopyFlatData[float32](logProbs)
	if err != nil {
		return nil, err
	}
	n := len(all) / rows
	for i := range list {
		list[i].logProbs = all[i*n : (i+1)*n]
		if v := list[i].logProbs[0]; v-v != 0 {
			return nil, fmt.Errorf("the model's log-probabilities are %v: numbers overflow, because the weights are damaged or the picture isn't normalised as the model expects", v)
		}
	}
	if g.options.NoAttention {
		return list, nil
	}
	maps := g.c.config.DecoderLayers * g.c.config.Heads
	err = tensors.ConstFlatData(attention, func(flat []float32) {
		for i := range list {
			grid := g.encoded.grids[i/g.beams]
			cells := grid[0] * grid[1] // without padding
			kept := make([]float32, 0, maps*cells)
			for m := range maps {
				at := (i*maps + m) * g.encoded.cells
				kept = append(kept, flat[at:at+cells]...)
			}
			list[i].attention = kept
		}
	})
	return list, err
}

// captionGroup captions the inputs of these indices.
func (c *Captioner) captionGroup(inputs []*transform.Tensor, group []int, o Options, results []Result) error {
	var some []*transform.Tensor
	var masked [][]bool
	for _, i := range group {
		some, masked = append(some, inputs[i]), append(masked, o.maskedOf(i))
	}
	s, err := c.encode(some, masked)
	if err != nil {
		return err
	}
	defer s.free()
	g, err := c.newGenerator(s, o)
	if err != nil {
		return err
	}
	defer g.free()
	searches := make([]search, len(group))
	for i, picture := range group {
		if o.Beam > 1 {
			searches[i] = newBeam(o, c.config.EndID)
		} else {
			searches[i] = newSingle(o, c.config.EndID, picture)
		}
	}
	if err := c.search(g, searches); err != nil {
		return err
	}
	for i, picture := range group {
		results[picture] = c.result(c.chosen(searches[i], s, i, o), s.grids[i], o)
		results[picture].Input = [2]int(some[i].Shape[1:])
	}
	return nil
}

// chosen is the caption that a search ends with: the best one, or the one that agrees best
// with those of the picture's neighbours.
func (c *Captioner) chosen(found search, s *encoded, picture int, o Options) *hypothesis {
	if o.Neighbours == 0 {
		return found.best()
	}
	candidates := found.(*beam).all()
	texts, logProbs := make([]string, len(candidates)), make([]float64, len(candidates))
	for i, h := range candidates {
		var ids []int
		for _, p := range h.caption.tokens() {
			ids = append(ids, p.id)
		}
		texts[i], logProbs[i] = c.vocab.Decode(ids), h.score
	}
	return candidates[c.memories.choose(texts, logProbs, s.summaries[picture], o.Neighbours)].caption
}

// search runs steps until every picture's search is done.
func (c *Captioner) search(g *generator, searches []search) error {
	rows := len(searches) * g.beams
	tokens, parents := make([]int32, rows), make([]int32, rows)
	for i := range rows {
		tokens[i], parents[i] = int32(c.config.StartID), int32(i)
	}
	for position := range g.options.MaxTokens {
		predictions, err := g.step(tokens, parents, position)
		if err != nil {
			return err
		}
		running := false
		for i, s := range searches {
			first := i * g.beams
			for r := first; r < first+g.beams; r++ {
				tokens[r], parents[r] = int32(c.config.PadID), int32(r)
			}
			if s.done() {
				continue
			}
			ids, from := s.advance(predictions[first : first+g.beams])
			for r := range ids {
				tokens[first+r], parents[first+r] = int32(ids[r]), int32(first+from[r])
			}
			running = running || !s.done()
		}
		if !running {
			return nil
		}
	}
	return nil
}

// result turns a finished search into words and maps.
func (c *Captioner) result(h *hypothesis, grid [2]int, o Options) Result {
	r := Result{Grid: grid}
	var ids []int
	for _, p := range h.tokens() {
		ids = append(ids, p.id)
		r.Tokens = append(r.Tokens, Token{ID: p.id, Text: c.vocab.Token(p.id), LogProb: p.logProb})
		if !o.NoAttention {
			r.Attention = append(r.Attention, c.maps(p.attention, grid[0]*grid[1]))
		}
	}
	r.Text = c.vocab.Decode(ids)
	return r
}

// maps cuts [layers, heads, cells] into one map for each layer and head.
func (c *Captioner) maps(flat []float32, cells int) [][][]float32 {
	layers := make([][][]float32, c.config.DecoderLayers)
	for l := range layers {
		for range c.config.Heads {
			layers[l] = append(layers[l], flat[:cells:cells])
			flat = flat[cells:]
		}
	}
	return layers
}
