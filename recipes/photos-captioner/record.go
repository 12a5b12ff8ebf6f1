package main

import (
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
	"gaze/pkg/data"
	"gaze/pkg/evaluate/captions"
	"gaze/pkg/hub"
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
}

// seedRecord is a seed's captioner: how it scores as it is recommended, and by the
// likeliest caption alone.
type seedRecord struct {
	Seed      uint64              `json:"seed"`
	Seconds   float64             `json:"seconds"` // of training
	Scores    *captions.Sentences `json:"scores"`
	Likeliest *captions.Sentences `json:"likeliest"`
	Blind     *captions.Sentences `json:"blind"` // of grey pictures
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
// caption, and the one sentence that agrees best with the captions of training photographs.
func (r *record) baselines(l *loaded) error {
	learned, tested := l.gist.standardised(l.pooled), l.gist.standardised(l.testPooled)
	var nearest []string
	for _, x := range tested {
		best, most := 0, -2.0
		for i, y := range learned {
			if c := dot(x, y) / float64(sqrt(float32(dot(x, x)*dot(y, y)))); c > most {
				best, most = i, c
			}
		}
		nearest = append(nearest, l.remembered[best][0])
	}
	corpus := score.NewCorpus(l.remembered)
	var some []int // every fifth photograph judges, or it takes minutes
	for i := 0; i < len(l.remembered); i += 10 {
		some = append(some, i)
	}
	constant, err := captions.Constant(slices.Concat(l.remembered...), corpus, some)
	if err != nil {
		return err
	}
	same := make([]string, len(l.tested))
	for i := range same {
		same[i] = constant
	}
	for _, b := range []struct {
		name  string
		texts []string
	}{{"nearest photograph's caption", nearest}, {"one caption for all", same}} {
		s, err := l.judge(b.name, b.texts)
		if err != nil {
			return err
		}
		r.Baselines = append(r.Baselines, s)
	}
	return nil
}

// seed scores a captioner that was written.
func (r *record) seed(ctx context.Context, device compute.Backend, l *loaded, path string, seed uint64, seconds float64) error {
	m, err := caption.Load(path)
	if err != nil {
		return err
	}
	if m, err = m.Complete(func(name string) (string, error) { return hub.Resolve(name) }); err != nil {
		return err
	}
	defer m.Close()
	c, err := caption.NewCaptioner(device, m, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	out := seedRecord{Seed: seed, Seconds: seconds}
	best := m.Config.Recommended()
	likeliest := best
	likeliest.Neighbours = 0
	grey := &transform.Image{Width: 64, Height: 64, Channels: 3, Pix: make([]uint8, 64*64*3)}
	for i := range grey.Pix {
		grey.Pix[i] = 127
	}
	for _, way := range []struct {
		name    string
		options caption.Options
		to      **captions.Sentences
		blind   bool
	}{
		{"as recommended", best, &out.Scores, false}, {"likeliest", likeliest, &out.Likeliest, false}, {"without a picture", likeliest, &out.Blind, true},
	} {
		texts, err := l.caption(ctx, c, way.options, way.blind, grey)
		if err != nil {
			return err
		}
		if *way.to, err = l.judge(fmt.Sprintf("seed %d, %s", seed, way.name), texts); err != nil {
			return err
		}
	}
	r.Seeds = append(r.Seeds, out)
	return nil
}

// caption captions the pictures of val; blind, a grey picture in their place.
func (l *loaded) caption(ctx context.Context, c *caption.Captioner, o caption.Options, blind bool, grey *transform.Image) ([]string, error) {
	o.NoAttention = true
	if blind {
		r, err := c.Caption([]*transform.Image{grey}, o)
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
		var images []*transform.Image
		for _, i := range some {
			im, err := data.Decode(l.pictures[i].Path)
			if err != nil {
				return nil, err
			}
			images = append(images, im)
		}
		results, err := c.Caption(images, o)
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			texts = append(texts, r.Text)
		}
	}
	return texts, nil
}

func (r *record) write(folder string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return errors.Join(
		atomicfile.WriteBytes(filepath.Join(folder, "record.json"), append(text, '\n')),
		atomicfile.WriteBytes(filepath.Join(folder, "CARD.md"), []byte(r.card())),
	)
}
