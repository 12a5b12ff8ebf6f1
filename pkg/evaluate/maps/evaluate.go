package maps

import (
	"context"
	"errors"
	"fmt"

	"gaze/internal/parallel"
	"gaze/pkg/data"
	"gaze/pkg/transform"
)

// Options say how [Evaluate] works; the zero value is fine.
type Options struct {
	Model string // in titles
	Set   string // the pictures, in titles
	// Batch is the number of pictures that run at a time (0: 16), Workers that of
	// goroutines that decode and score (0: one for each processor).
	Batch, Workers int
	Tolerance      float64 // of the pointing game, in pixels that the model sees
	Seed           uint64  // of the intervals
	Resamples      int     // of the bootstrap; 0: 2000
	// Chosen is a report on other pictures, for [IoUFixed]: each map's share is the
	// best one there. nil: no IoUFixed.
	Chosen *Report
	// Keep names the maps whose scores of each picture are kept in the report, for
	// [Difference]; nil: the mean of heads in the last layer, and the centre Gaussian.
	Keep     []string
	Bad      func(name string, err error) // called for pictures that can't be used, which are left out; nil: they are an error
	Warn     func(text string)            // called for the model's warnings; may be nil
	Progress func(done, total int)        // called after each batch; may be nil
}

// The kinds of truth that maps are scored against.
const (
	Pet  = "pet"  // the trimap's mask, else the outline's
	Head = "head" // the box around the head
)

// kinds are the kinds in the order of a report.
var kinds = []string{Pet, Head}

// Names of the rows that are no maps of a model.
const (
	Uniform  = "uniform map"
	Gaussian = "centre Gaussian"
	Itself   = "the truth itself" // on the map's grid
	// Evenly is a map that lies evenly on the pet, in the part about the head, if the
	// masks of all its pictures are known: a map that has more energy on the head than
	// this one prefers it to the rest of the pet.
	Evenly = "the pet evenly"
)

// picture is a picture that is being scored.
type picture struct {
	known  *data.Known
	tensor *transform.Tensor
	masks  [2]*data.Mask // by kind; nil where nothing is known
	err    error
}

// collected are the scores for one kind of truth.
type collected struct {
	names, strata []string
	area          []float64
	rows          [][]Score // [pictures][rows]
	outside       int       // pictures whose truth isn't in the part that the model sees, or is all of it
}

// Evaluate scores maps on pictures. A picture is scored against its pet's mask, against
// the box around its head, or both, as far as they are known; one about which neither is
// known is passed over. Intervals are stratified by class. The pipeline must resize and
// crop to one size. The same inputs give the same report, whatever the number of workers.
func Evaluate(ctx context.Context, m Mapper, p transform.Pipeline, pictures []*data.Known, o Options) (*Report, error) {
	if _, _, _, fixed := p.OutputSize(); !fixed || !p.EndsInTensor() {
		return nil, fmt.Errorf("maps: %q must make tensors of one size", p)
	}
	if o.Batch <= 0 {
		o.Batch = 16
	}
	if o.Resamples <= 0 {
		o.Resamples = 2000
	}
	var use []*data.Known
	for _, k := range pictures {
		if k.HasTrimap() || k.HasOutline() || k.Head != nil {
			use = append(use, k)
		}
	}
	if len(use) == 0 {
		return nil, fmt.Errorf("maps: of none of the %d pictures a trimap, an outline or the head's box is known", len(pictures))
	}
	e := &evaluator{mapper: m, pipeline: p, options: o, ids: m.Maps(), evenly: true}
	for _, k := range use {
		e.evenly = e.evenly && (k.Head == nil || k.HasTrimap() || k.HasOutline())
	}
	for at := 0; at < len(use); at += o.Batch {
		if err := e.batch(ctx, use[at:min(at+o.Batch, len(use))]); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(min(at+o.Batch, len(use)), len(use))
		}
	}
	return e.report(len(pictures))
}

// evaluator collects scores.
type evaluator struct {
	mapper   Mapper
	pipeline transform.Pipeline
	options  Options
	ids      []ID
	grid     [2]int
	kinds    [2]collected
	evenly   bool // the pet's mask is known of every picture with a head
	bad      []string
}

// batch scores a few pictures.
func (e *evaluator) batch(ctx context.Context, use []*data.Known) error {
	all := make([]picture, len(use))
	err := parallel.Each(ctx, len(use), e.options.Workers, func(i int) error {
		all[i] = e.open(use[i])
		return nil
	})
	if err != nil {
		return err
	}
	var good []picture
	var tensors []*transform.Tensor
	for _, p := range all {
		switch {
		case p.err == nil:
			good, tensors = append(good, p), append(tensors, p.tensor)
		case e.options.Bad == nil:
			return p.err
		default:
			e.options.Bad(p.known.Name, p.err)
			e.bad = append(e.bad, p.known.Name)
		}
	}
	if len(good) == 0 {
		return nil
	}
	out, err := e.run(tensors)
	if err != nil {
		return err
	}
	return e.score(ctx, good, out)
}

// run makes the maps of a batch. It is filled up to the usual size, or another program
// would be compiled for the last one.
func (e *evaluator) run(tensors []*transform.Tensor) (Batch, error) {
	n := len(tensors)
	for e.grid != [2]int{} && len(tensors) < e.options.Batch {
		tensors = append(tensors, tensors[0])
	}
	out, err := e.mapper.Run(tensors)
	if err != nil {
		return Batch{}, err
	}
	size := len(e.ids) * out.Rows * out.Cols
	if size == 0 || len(out.Values) != len(tensors)*size {
		return Batch{}, fmt.Errorf("maps: %d values for %d pictures with %d maps of %dx%d", len(out.Values), len(tensors), len(e.ids), out.Rows, out.Cols)
	}
	if grid := [2]int{out.Rows, out.Cols}; e.grid == [2]int{} {
		e.grid = grid
	} else if grid != e.grid {
		return Batch{}, fmt.Errorf("maps: a grid of %v after one of %v", grid, e.grid)
	}
	for _, text := range out.Warnings {
		if e.options.Warn != nil {
			e.options.Warn(text)
		}
	}
	out.Values = out.Values[:n*size]
	return out, nil
}

// open decodes a picture and puts what is known onto the pixels that the model sees.
func (e *evaluator) open(k *data.Known) (p picture) {
	p.known = k
	im, err := data.Decode(k.Path)
	if err != nil {
		p.err = err
		return p
	}
	if p.tensor, p.err = e.pipeline.Tensor(im); p.err != nil {
		return p
	}
	view, err := k.View(e.pipeline, im, p.tensor)
	if err != nil {
		p.err = err
		return p
	}
	if m, err := k.PetMask(); err == nil {
		p.masks[0] = view.Mask(m)
	} else if !errors.Is(err, data.ErrUnknown) {
		p.err = err
		return p
	}
	if k.Head != nil {
		p.masks[1] = view.Box(*k.Head)
	}
	return p
}

// score scores the maps of a batch.
func (e *evaluator) score(ctx context.Context, pictures []picture, b Batch) error {
	type result struct {
		rows [2][]Score
		area [2]float64
	}
	results := make([]result, len(pictures))
	cells := b.Rows * b.Cols
	err := parallel.Each(ctx, len(pictures), e.options.Workers, func(i int) error {
		for kind, mask := range pictures[i].masks {
			if mask == nil {
				continue
			}
			areas, err := NewAreas(mask, b.Rows, b.Cols, e.options.Tolerance)
			if err != nil {
				continue // it shows nothing of it, or nothing else
			}
			maps := [][]float32{make([]float32, cells), CentreGaussian(b.Rows, b.Cols), areas.Coverage()}
			if kinds[kind] == Head && e.evenly {
				maps = append(maps, onGrid(pictures[i].masks[0], b.Rows, b.Cols).Coverage())
			}
			for k := range e.ids {
				at := (i*len(e.ids) + k) * cells
				maps = append(maps, b.Values[at:at+cells])
			}
			for k, values := range maps {
				s, err := areas.Score(values)
				if err != nil {
					return fmt.Errorf("%w (map %d of %s)", err, k, pictures[i].known.Path)
				}
				results[i].rows[kind] = append(results[i].rows[kind], s)
			}
			results[i].area[kind] = areas.Share()
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, r := range results {
		for kind := range kinds {
			c := &e.kinds[kind]
			switch {
			case r.rows[kind] != nil:
				c.names, c.strata = append(c.names, pictures[i].known.Name), append(c.strata, stratum(pictures[i].known))
				c.area, c.rows = append(c.area, r.area[kind]), append(c.rows, r.rows[kind])
			case pictures[i].masks[kind] != nil:
				c.outside++
			}
		}
	}
	return nil
}

// stratum is the class that a picture is resampled with.
func stratum(k *data.Known) string {
	if k.Breed != "" {
		return k.Breed
	}
	return fmt.Sprint(k.Class)
}

// report computes means and intervals.
func (e *evaluator) report(of int) (*Report, error) {
	r := &Report{
		Model: e.options.Model, Pipeline: e.pipeline.String(), Set: e.options.Set, Of: of,
		Grid: e.grid, Tolerance: e.options.Tolerance, Seed: e.options.Seed, Resamples: e.options.Resamples, Bad: e.bad,
	}
	for kind, c := range e.kinds {
		ids := []ID{{Uniform, -1, -1}, {Gaussian, -1, -1}, {Itself, -1, -1}}
		if kinds[kind] == Head && e.evenly {
			ids = append(ids, ID{Evenly, -1, -1})
		}
		if len(c.names) > 0 {
			r.Parts = append(r.Parts, c.part(kinds[kind], append(ids, e.ids...), e.options))
		}
	}
	if len(r.Parts) == 0 {
		return nil, errors.New("maps: no picture could be scored: what is known of them lies outside the part that the model sees")
	}
	return r, nil
}
