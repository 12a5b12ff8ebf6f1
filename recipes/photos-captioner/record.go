package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"

	"gaze/internal/atomicfile"
	"gaze/pkg/caption"
	"gaze/pkg/caption/score"
	"gaze/pkg/evaluate/captions"
	"gaze/pkg/transform"
)

// record is what is written beside the captioner: how it was made and how good it is on
// val.
type record struct {
	Backbone   string            `json:"backbone"`
	Side       int               `json:"side"`
	Licences   string            `json:"licences"`
	Pictures   int               `json:"pictures"`
	ByLicence  map[string]int    `json:"by_licence"`
	Captions   int               `json:"captions"`
	Sentences  int               `json:"sentences"` // without pictures
	Vocabulary int               `json:"vocabulary"`
	Concepts   int               `json:"concepts"`
	Settings   map[string]string `json:"settings"`

	Baselines []*captions.Sentences `json:"baselines"`
	Seeds     []seedRecord          `json:"seeds"`
	Pets      *captions.PetReport   `json:"pets,omitempty"` // of the first seed

	free *record // of a training on free licences alone; nil: there was none
}

// seedRecord is a seed's captioner: how it scores as it is recommended, and by the
// likeliest caption alone.
type seedRecord struct {
	Seed      uint64              `json:"seed"`
	Seconds   float64             `json:"seconds"` // of training
	Scores    *captions.Sentences `json:"scores"`
	Likeliest *captions.Sentences `json:"likeliest"`
	Blind     *captions.Sentences `json:"blind"` // of the mean features, in place of a picture's
}

const bootstrapSeed = 1

func newRecord(o options, l *loaded) *record {
	r := &record{
		Backbone: backboneName, Side: side, Licences: o.licences, Pictures: len(l.learned), ByLicence: map[string]int{},
		Sentences: len(l.sentences), Vocabulary: l.vocab.Len(), Concepts: len(l.gist.concepts),
		Settings: map[string]string{
			"sentences":   fmt.Sprintf("%s; epochs=%d; batch=%d", textSettings, o.textEpochs, textBatch),
			"photographs": fmt.Sprintf("%s; epochs=%d; batch=%d; captions=%d", photoSettings, o.photoEpochs, photoBatch, each),
			"dropped":     fmt.Sprintf("dropout=%g; input=%g; smoothing=%g", dropped.Dropout, dropped.Input, dropped.Smoothing),
			"search":      fmt.Sprintf("beam=%d; length_penalty=%g; neighbours=%d", recommended.Beam, recommended.LengthPenalty, recommended.Neighbours),
		},
	}
	for k, i := range l.learned {
		r.ByLicence[l.pictures[i].License]++
		r.Captions += len(l.captions[k])
	}
	return r
}

// judge scores sentences about the pictures of val.
func (l *loaded) judge(name string, texts []string) (*captions.Sentences, error) {
	var results []score.Caption
	for k, i := range l.tested {
		results = append(results, score.Caption{Image: l.pictures[i].ID, Text: texts[k]})
	}
	s, err := captions.JudgeSentences(name, l.refs, results, bootstrapSeed)
	if err == nil {
		fmt.Fprintf(os.Stderr, "%-28s CIDEr %.3f [%.3f, %.3f]  BLEU-4 %.3f  ROUGE-L %.3f  repeats %.1f %%  %d different\n",
			name, s.CIDEr.Value, s.CIDEr.Low, s.CIDEr.High, s.BLEU4.Value, s.ROUGEL.Value, 100*s.Repeats.Value, s.Distinct)
	}
	return s, err
}

// baselines scores what doesn't need a decoder: the nearest training photograph's first
// caption; of all captions of as many nearest photographs as a search asks, the one that
// agrees best with the others; and the one sentence that agrees best with the captions of
// all training photographs.
func (r *record) baselines(l *loaded) error {
	corpus := score.NewCorpus(l.remembered)
	near := l.nearest(recommended.Neighbours)
	nearest, agreed, same := make([]string, len(near)), make([]string, len(near)), make([]string, len(near))
	errs := make([]error, len(near))
	rows(len(near), func(k int) {
		nearest[k] = l.remembered[near[k][0]][0]
		var all []string
		for _, i := range near[k] {
			all = append(all, l.remembered[i]...)
		}
		agreed[k], errs[k] = captions.Constant(all, corpus, near[k])
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var some []int // every tenth photograph judges: with all it takes minutes
	for i := 0; i < len(l.remembered); i += 10 {
		some = append(some, i)
	}
	constant, err := captions.Constant(slices.Concat(l.remembered...), corpus, some)
	if err != nil {
		return err
	}
	for i := range same {
		same[i] = constant
	}
	for _, b := range []struct {
		name  string
		texts []string
	}{
		{"nearest photograph's caption", nearest},
		{fmt.Sprintf("copied from the %d nearest", recommended.Neighbours), agreed},
		{"one caption for all", same},
	} {
		s, err := l.judge(b.name, b.texts)
		if err != nil {
			return err
		}
		r.Baselines = append(r.Baselines, s)
	}
	return nil
}

// nearest lists, for each picture of val, the n pictures to learn from whose features have
// the nearest means, nearest first.
func (l *loaded) nearest(n int) [][]int {
	learned, tested := l.gist.standardised(l.pooled), l.gist.standardised(l.testPooled)
	out := make([][]int, len(tested))
	rows(len(tested), func(k int) {
		x := tested[k]
		cosines, order := make([]float64, len(learned)), make([]int, len(learned))
		for i, y := range learned {
			cosines[i], order[i] = dot(x, y)/float64(sqrt(float32(dot(x, x)*dot(y, y)))), i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(cosines[b], cosines[a]) })
		out[k] = order[:min(n, len(order))]
	})
	return out
}

// seed scores a captioner that was written, on the features of val's pictures.
func (r *record) seed(ctx context.Context, device compute.Backend, l *loaded, path string, seed uint64, seconds float64) error {
	m, err := caption.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	on, err := onFeatures(m)
	if err != nil {
		return err
	}
	c, err := caption.NewCaptioner(device, on, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	out := seedRecord{Seed: seed, Seconds: seconds}
	best := m.Config.Recommended()
	likeliest := best
	likeliest.Neighbours = 0
	for _, way := range []struct {
		name    string
		options caption.Options
		to      **captions.Sentences
		blind   bool
	}{
		{"as recommended", best, &out.Scores, false}, {"likeliest", likeliest, &out.Likeliest, false}, {"without a picture", likeliest, &out.Blind, true},
	} {
		texts, err := l.caption(ctx, c, way.options, way.blind)
		if err != nil {
			return err
		}
		if *way.to, err = l.judge(fmt.Sprintf("seed %d, %s", seed, way.name), texts); err != nil {
			return err
		}
		if way.to == &out.Scores {
			l.show(texts)
		}
	}
	r.Seeds = append(r.Seeds, out)
	return nil
}

// show prints some of val's captions.
func (l *loaded) show(texts []string) {
	for k := 0; k < len(texts); k += len(texts)/10 + 1 {
		p := l.pictures[l.tested[k]]
		fmt.Fprintf(os.Stderr, "  %s: %s (%s)\n", filepath.Base(p.Path), texts[k], p.Captions[0])
	}
}

// caption captions the pictures of val; blind, each with the mean of all features in the
// place of its own.
func (l *loaded) caption(ctx context.Context, c *caption.Captioner, o caption.Options, blind bool) ([]string, error) {
	o.NoAttention = true
	if blind {
		r, err := c.CaptionTensors([]*transform.Tensor{l.tensor(slices.Repeat(l.scale.mean, l.features.cells))}, o)
		if err != nil {
			return nil, err
		}
		return slices.Repeat([]string{r[0].Text}, len(l.tested)), nil
	}
	var texts []string
	for some := range slices.Chunk(l.tested, 8) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var inputs []*transform.Tensor
		for _, i := range some {
			x := make([]float32, l.features.cells*l.features.channels)
			if err := l.features.read(i, x); err != nil {
				return nil, err
			}
			inputs = append(inputs, l.tensor(x))
		}
		results, err := c.CaptionTensors(inputs, o)
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			texts = append(texts, r.Text)
		}
	}
	return texts, nil
}

// tensor is features [cells, channels] as a captioner takes them, [channels, rows, columns].
func (l *loaded) tensor(x []float32) *transform.Tensor {
	n := l.features.channels
	t := &transform.Tensor{Data: make([]float32, len(x)), Shape: [3]int{n, l.grid[0], l.grid[1]}}
	for i, v := range x {
		t.Data[i%n*l.features.cells+i/n] = v
	}
	return t
}

// write writes the record and the card. A record-free.json in the folder, the record of a
// training with -licences free, is told of in the card.
func (r *record) write(folder string) error {
	if text, err := os.ReadFile(filepath.Join(folder, "record-free.json")); err == nil {
		if err := json.Unmarshal(text, &r.free); err != nil {
			return fmt.Errorf("record-free.json: %w", err)
		}
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return errors.Join(
		atomicfile.WriteBytes(filepath.Join(folder, "record.json"), append(text, '\n')),
		atomicfile.WriteBytes(filepath.Join(folder, "CARD.md"), []byte(r.card())),
	)
}
