package caption

import (
	"errors"
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/transform"
)

// decoder says captions of encoded pictures, one piece in each row at a time.
type decoder struct {
	c       *Captioner
	seen    *seen
	beams   int // rows of each picture
	options Options
	cache   []*tensors.Tensor // keys and values of each layer in turn
}

func (c *Captioner) newDecoder(s *seen, o Options) (*decoder, error) {
	cfg := c.config
	dims := []int{len(s.grids) * o.Beam, cfg.Heads, o.MaxTokens, cfg.Dim / cfg.Heads}
	d := &decoder{c: c, seen: s, beams: o.Beam, options: o}
	zeros := make([]float32, product(dims))
	for range 2 * cfg.DecoderLayers {
		t, err := input(c.net, zeros, dims...)
		if err != nil {
			d.free()
			return nil, err
		}
		d.cache = append(d.cache, t)
	}
	return d, nil
}

func (d *decoder) free() { free(d.cache...) }

// step reads a piece in each row, at a position, rows going on from parents, and
// returns the predictions.
func (d *decoder) step(tokens, parents []int32, position int) ([]prediction, error) {
	n, rows := d.c.net, len(tokens)
	var small [3]*tensors.Tensor
	defer func() { free(small[:]...) }()
	var errs [3]error
	small[0], errs[0] = input(n, tokens, rows)
	small[1], errs[1] = input(n, []int32{int32(position)})
	small[2], errs[2] = input(n, parents, rows)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	inputs := []any{small[0], small[1], small[2], d.seen.padding}
	for _, t := range slices.Concat(d.cache, d.seen.layers) {
		inputs = append(inputs, t)
	}
	key := fmt.Sprint("step ", len(d.seen.grids), d.beams, d.options.MaxTokens, d.seen.cells)
	results, err := run(n, key, d.graph, inputs...)
	if err != nil {
		return nil, err
	}
	d.free()
	d.cache = results[2:]
	defer free(results[:2]...)
	return d.predictions(results[0], results[1], rows)
}

// graph builds the program of a step.
func (d *decoder) graph(scope *model.Scope, in []*Node) []*Node {
	caches := 2 * d.c.config.DecoderLayers
	s := stepInputs{tokens: in[0], position: in[1], parents: in[2], padding: in[3], cache: in[4 : 4+caches], cross: in[4+caches:]}
	if d.beams == 1 {
		s.parents = nil
	}
	out := step(scope, d.c.config, s)
	return append([]*Node{out.logProbs, out.attention}, out.cache...)
}

// predictions copies what a step said out of the backend, row by row.
func (d *decoder) predictions(logProbs, attention *tensors.Tensor, rows int) ([]prediction, error) {
	list := make([]prediction, rows)
	all, err := tensors.CopyFlatData[float32](logProbs)
	if err != nil {
		return nil, err
	}
	n := len(all) / rows
	for i := range list {
		list[i].logProbs = all[i*n : (i+1)*n]
		if v := list[i].logProbs[0]; v-v != 0 {
			return nil, fmt.Errorf("the model's probabilities are %v: its weights or the picture overflow", v)
		}
	}
	if d.options.NoAttention {
		return list, nil
	}
	maps := d.c.config.DecoderLayers * d.c.config.Heads
	err = tensors.ConstFlatData(attention, func(flat []float32) {
		for i := range list {
			grid := d.seen.grids[i/d.beams]
			cells := grid[0] * grid[1] // without padding
			kept := make([]float32, 0, maps*cells)
			for m := range maps {
				at := (i*maps + m) * d.seen.cells
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
	var blocked [][]bool
	for _, i := range group {
		some, blocked = append(some, inputs[i]), append(blocked, o.blockedOf(i))
	}
	s, err := c.encode(some, blocked)
	if err != nil {
		return err
	}
	defer s.free()
	d, err := c.newDecoder(s, o)
	if err != nil {
		return err
	}
	defer d.free()
	searches := make([]search, len(group))
	for i, picture := range group {
		if o.Beam > 1 {
			searches[i] = newBeam(o, c.config.EndID)
		} else {
			searches[i] = newSingle(o, c.config.EndID, picture)
		}
	}
	if err := c.search(d, searches); err != nil {
		return err
	}
	for i, picture := range group {
		results[picture] = c.result(searches[i].best(), s.grids[i], o)
		results[picture].Input = [2]int(some[i].Shape[1:])
	}
	return nil
}

// search steps until every picture's search is done.
func (c *Captioner) search(d *decoder, searches []search) error {
	rows := len(searches) * d.beams
	tokens, parents := make([]int32, rows), make([]int32, rows)
	for i := range rows {
		tokens[i], parents[i] = int32(c.config.StartID), int32(i)
	}
	for position := range d.options.MaxTokens {
		predictions, err := d.step(tokens, parents, position)
		if err != nil {
			return err
		}
		running := false
		for i, s := range searches {
			first := i * d.beams
			for r := first; r < first+d.beams; r++ {
				tokens[r], parents[r] = int32(c.config.PadID), int32(r)
			}
			if s.done() {
				continue
			}
			ids, from := s.advance(predictions[first : first+d.beams])
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
	for _, p := range h.pieces() {
		ids = append(ids, p.id)
		r.Pieces = append(r.Pieces, Piece{ID: p.id, Text: c.vocab.Piece(p.id), LogProb: p.logProb})
		if !o.NoAttention {
			r.Attention = append(r.Attention, c.maps(p.attention, grid[0]*grid[1]))
		}
	}
	r.Text = c.vocab.Decode(ids)
	return r
}

// maps cuts [layers, heads, cells] into its maps.
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
