package maps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// SanityOptions say what [NewSanity] measures; the zero value is fine. The maps of a
// picture are made once for each stage of the cascade, twice for each noisy copy, and once
// for each sample: 38 times for a model of six blocks.
type SanityOptions struct {
	// Stages is the number of models of the cascade, evenly spread from the one with a
	// random head to the one with random weights throughout; 0: every block.
	Stages int
	// Noisy is the number of noisy copies of a picture for smooth MPRT (0: 10; negative:
	// none), whose noise has a standard deviation of Noise of the picture's range (0: 0.15).
	Noisy int
	Noise float64
	// Samples is the number of changed pictures for max-sensitivity (0: 10; negative: none),
	// Radius the greatest change as a share of the picture's range (0: 0.02).
	Samples int
	Radius  float64
	Seed    uint64 // of the weights' order and of the noise
}

// SanityJudge judges whether maps depend on the model, and not on noise. Most of what it
// does is making maps: it is for few pictures.
type SanityJudge struct {
	model *vit.Model
	o     SanityOptions

	mu     sync.Mutex
	random map[int]*explain.Explainer // of models permuted from a block upwards
}

// NewSanity makes a judge for maps of a model, which must stay open until [SanityJudge.Close].
func NewSanity(model *vit.Model, o SanityOptions) (*SanityJudge, error) {
	if model == nil {
		return nil, errors.New("maps: the randomisation test needs the model whose maps are judged")
	}
	set := func(n *int, or int) { *n = max(*n, 0) + or*b2i(*n == 0) }
	set(&o.Noisy, 10)
	set(&o.Samples, 10)
	if o.Noise == 0 {
		o.Noise = 0.15
	}
	if o.Radius == 0 {
		o.Radius = 0.02
	}
	if !(o.Noise > 0 && o.Radius > 0) || o.Stages < 0 {
		return nil, fmt.Errorf("maps: noise of %g, a radius of %g and %d stages: they must be positive", o.Noise, o.Radius, o.Stages)
	}
	return &SanityJudge{model: model, o: o, random: map[int]*explain.Explainer{}}, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Close frees the models with permuted weights.
func (s *SanityJudge) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for from, e := range s.random {
		errs = append(errs, e.Close())
		delete(s.random, from)
	}
	return errors.Join(errs...)
}

// stages are the blocks from which the models of the cascade are permuted, from the head
// to the embeddings.
func (s *SanityJudge) stages() []int {
	var all []int
	for from := s.model.Config.Depth; from >= -1; from-- {
		all = append(all, from)
	}
	n := s.o.Stages
	if n == 0 || n >= len(all) {
		return all
	}
	var out []int
	for i := range n {
		out = append(out, all[(len(all)-1)*(i+b2i(n == 1))/max(n-1, 1)])
	}
	return out
}

// permuted is the explainer of the model permuted from a block upwards.
func (s *SanityJudge) permuted(e *explain.Explainer, from int) (*explain.Explainer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.random[from]; got != nil {
		return got, nil
	}
	m, err := s.model.Permuted(from, s.o.Seed)
	if err != nil {
		return nil, err
	}
	got, err := e.Another(m)
	if err == nil {
		s.random[from] = got
	}
	return got, err
}

// Columns are those of the cascade, then smooth and efficient MPRT, then max-sensitivity.
func (s *SanityJudge) Columns() []Column {
	cascade := func(key, name, what string, least float64) Column {
		return Column{Key: "randomisation-" + key, Name: "randomisation, " + name, Family: Sanity, Lower: true, Range: [2]float64{least, 1}, Chance: known(1),
			About: what + " of maps before and after the weights' order is random, mean over a cascade from the head to the embeddings (Adebayo et al., Sanity Checks for Saliency Maps, 2018)."}
	}
	out := []Column{
		cascade("spearman", "Spearman", "Spearman's correlation", -1),
		cascade("spearman-abs", "Spearman, absolute", "Spearman's correlation of the magnitudes", -1),
		cascade("ssim", "SSIM", "Structural similarity", -1),
		cascade("ssim-abs", "SSIM, absolute", "Structural similarity of the magnitudes", -1),
	}
	if s.o.Noisy > 0 {
		out = append(out, Column{Key: "smprt", Name: "smooth MPRT", Family: Sanity, Lower: true, Range: [2]float64{-1, 1}, Chance: known(1),
			About: "Spearman's correlation of maps, each the mean over noisy copies of the picture, before and after all weights' order is random (Hedström et al., Sanity Checks Revisited, 2023)."})
	}
	out = append(out, Column{Key: "emprt", Name: "efficient MPRT", Family: Sanity, Range: [2]float64{-1, greatestRise}, Chance: known(0),
		About: "How much the entropy of the map's histogram rises when all weights' order is random, as a share of what it was, at most 10 (Hedström et al., Sanity Checks Revisited, 2023)."})
	if s.o.Samples > 0 {
		out = append(out, Column{Key: "max-sensitivity", Name: "max-sensitivity", Family: Sanity, Lower: true, Range: [2]float64{0, greatestChange}, Chance: known(0),
			About: "Greatest change of the map by small noise in the picture, as a share of its size, at most 10 (Yeh et al., 2019). Maps that ignore the picture have none: no method can beat chance."})
	}
	return out
}

// Judge is as in [Judge]; e must be an explainer of the judge's model.
func (s *SanityJudge) Judge(ctx context.Context, e *explain.Explainer, entrants []*Entrant, cases []*Case, maps [][]explain.Map) ([][][]float64, error) {
	if err := checkMaps(entrants, cases, maps); err != nil {
		return nil, err
	}
	if !e.Config().Equal(s.model.Config) {
		return nil, fmt.Errorf("maps: the explainer's model is %s, but the randomisation test was made for %s", e.Config(), s.model.Config)
	}
	out := blank(len(cases), len(entrants), len(s.Columns()))
	if len(cases) == 0 {
		return out, nil
	}
	for k, entrant := range entrants {
		own := make([]explain.Map, len(cases))
		rows := make([][]float64, len(cases))
		for i := range cases {
			own[i], rows[i] = maps[i][k], out[i][k]
		}
		if err := s.entrant(ctx, e, entrant, cases, own, rows); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// entrant scores an entrant's maps of all cases.
func (s *SanityJudge) entrant(ctx context.Context, e *explain.Explainer, entrant *Entrant, cases []*Case, own []explain.Map, out [][]float64) error {
	stages := s.stages()
	total := make([][similarities]float64, len(cases))
	var last []explain.Map
	var random *explain.Explainer
	for _, from := range stages {
		var err error
		if random, err = s.permuted(e, from); err != nil {
			return err
		}
		if last, err = mapsBy(ctx, random, entrant, cases); err != nil {
			return fmt.Errorf("%w, with weights permuted from block %d upwards", err, from)
		}
		for i, m := range last {
			for k, v := range similar(own[i], m) {
				total[i][k] += v / float64(len(stages))
			}
		}
	}
	rest := make([][]float64, len(cases))
	for i := range cases {
		rest[i] = out[i][copy(out[i], total[i][:]):]
	}
	if s.o.Noisy > 0 {
		if err := s.smooth(ctx, e, random, entrant, cases, rest); err != nil {
			return err
		}
	}
	for i := range cases {
		rest[i][0] = rise(doubles(own[i].Values), doubles(last[i].Values))
		rest[i] = rest[i][1:]
	}
	if s.o.Samples > 0 {
		return s.sensitivity(ctx, e, entrant, cases, own, rest)
	}
	return nil
}

// smooth scores smooth MPRT, and takes its column off the rows.
func (s *SanityJudge) smooth(ctx context.Context, e, random *explain.Explainer, entrant *Entrant, cases []*Case, rows [][]float64) error {
	var means [2][][]float64
	for side, of := range []*explain.Explainer{e, random} {
		means[side] = make([][]float64, len(cases))
		for n := range s.o.Noisy {
			maps, err := mapsBy(ctx, of, entrant, changed(cases, func(c *Case) func(span float64) float64 {
				r := random2(s.o.Seed, forSmoothing, c.Index, n)
				return func(span float64) float64 { return s.o.Noise * span * r.NormFloat64() }
			}))
			if err != nil {
				return err
			}
			for i, m := range maps {
				if n == 0 {
					means[side][i] = make([]float64, len(m.Values))
				}
				for at, v := range m.Values {
					means[side][i][at] += float64(v) / float64(s.o.Noisy)
				}
			}
		}
	}
	for i := range cases {
		rows[i][0] = rankSimilarity(means[0][i], means[1][i])
		rows[i] = rows[i][1:]
	}
	return nil
}

// changed are copies of cases with something added to every value of their pictures. of
// makes what adds to a case; span is the range of the picture's values.
func changed(cases []*Case, of func(c *Case) func(span float64) float64) []*Case {
	out := make([]*Case, len(cases))
	for i, c := range cases {
		copied := *c
		t := &transform.Tensor{Data: slices.Clone(c.Tensor.Data), Shape: c.Tensor.Shape}
		span := float64(slices.Max(t.Data)) - float64(slices.Min(t.Data))
		add := of(c)
		for at := range t.Data {
			t.Data[at] += float32(add(span))
		}
		copied.Tensor = t
		out[i] = &copied
	}
	return out
}
