package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"gaze/internal/textfile"
	"gaze/pkg/caption"
	"gaze/pkg/caption/backbone"
	"gaze/pkg/caption/score"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/convnet"
	"gaze/pkg/data"
	"gaze/pkg/hub"
)

// loaded is everything that training and evaluation read.
type loaded struct {
	net      *convnet.Model
	features *features
	grid     [2]int // rows and columns of cells
	scale    *scale
	gist     *gist
	vocab    *wordpiece.Vocab

	pictures   []data.Captioned // all, in the order of the features
	learned    []int            // of these, those to learn from
	tested     []int            // those of val
	pooled     matrix           // means of the features of those to learn from
	testPooled matrix           // and of val's
	captions   [][][]string     // of those to learn from, in words
	remembered [][]string       // the same as sentences
	sentences  [][]string       // without pictures
	refs       *score.References
}

func (o options) load(ctx context.Context, device compute.Backend) (*loaded, error) {
	path := filepath.Join(o.data, "captions.json")
	set, err := data.OpenCaptions(path, "")
	if err != nil {
		return nil, err
	}
	l := &loaded{pictures: set.Pictures}
	slices.SortFunc(l.pictures, func(a, b data.Captioned) int { return cmp.Compare(a.Path, b.Path) })
	if l.refs, err = score.ReadReferences(path); err != nil {
		return nil, err
	}
	for i, p := range l.pictures {
		switch {
		case p.Split == "val":
			l.tested = append(l.tested, i)
		case p.Split == "train" && (o.licences == "all" || isFree(p.License)):
			l.learned = append(l.learned, i)
		}
	}
	if len(l.learned) == 0 || len(l.tested) == 0 {
		return nil, fmt.Errorf("%s: %d pictures of train and %d of val: both are needed", path, len(l.learned), len(l.tested))
	}
	if l.sentences, err = readSentences(filepath.Join(o.data, "more_captions.txt")); err != nil {
		return nil, err
	}
	if err := l.read(ctx, device, o); err != nil {
		return nil, err
	}
	return l, l.fit()
}

// isFree says whether a licence allows commercial use, as its name tells.
func isFree(licence string) bool { return licence != "" && !strings.Contains(licence, "NonCommercial") }

// readSentences reads sentences, one a line; without the file there are none.
func readSentences(path string) ([][]string, error) {
	text, err := textfile.ReadRaw(path)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "%s isn't there: the language is learned from the photographs' captions alone\n", path)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, line := range strings.Split(string(text), "\n") {
		if words := plain(line); len(words) >= 5 && len(words) <= longest-2 {
			out = append(out, words)
		}
	}
	return out, nil
}

// read fetches the backbone and computes the features.
func (l *loaded) read(ctx context.Context, device compute.Backend, o options) error {
	r, err := hub.Pull(ctx, backboneName, hub.Options{Log: func(text string) { fmt.Fprintln(os.Stderr, text) }})
	if err != nil {
		return err
	}
	if l.net, err = convnet.Load(r.Path); err != nil {
		return err
	}
	b, err := backbone.ConvOf(l.net)
	if err != nil {
		return err
	}
	b.Side = side
	l.grid = b.Grid(side, side)
	l.features, err = extract(ctx, device, l.net, b, l.pictures, o.work)
	return err
}

// fit makes the vocabulary, the gist and the scale of features.
func (l *loaded) fit() error {
	var all [][]string
	for _, i := range l.learned {
		var words [][]string
		var texts []string
		for _, c := range l.pictures[i].Captions {
			w := plain(c)
			words, texts, all = append(words, w), append(texts, strings.Join(w, " ")), append(all, w)
		}
		l.captions, l.remembered = append(l.captions, words), append(l.remembered, texts)
	}
	var err error
	if l.vocab, err = newVocabulary(append(all, l.sentences...)); err != nil {
		return err
	}
	if l.pooled, err = l.means(l.learned); err != nil {
		return err
	}
	if l.testPooled, err = l.means(l.tested); err != nil {
		return err
	}
	if l.scale, err = newScale(l.features, l.learned[:min(len(l.learned), 300)]); err != nil {
		return err
	}
	l.gist, err = newGist(l.pooled, l.captions)
	return err
}

// means are the means of the features of pictures over their cells.
func (l *loaded) means(pictures []int) (matrix, error) {
	out := newMatrix(len(pictures), l.features.channels)
	errs := make([]error, len(pictures))
	rows(len(pictures), func(i int) {
		x := make([]float32, l.features.cells*l.features.channels)
		errs[i] = l.features.read(pictures[i], x)
		for k, v := range x {
			out[i][k%l.features.channels] += float64(v) / float64(l.features.cells)
		}
	})
	return out, errors.Join(errs...)
}

// config is what encode reads of a configuration.
var special = caption.Config{StartID: 1, EndID: 2}

func (l *loaded) textSource(seed uint64) *textSource {
	s := &textSource{gist: l.gist, seed: seed, batch: textBatch}
	for i, list := range l.captions {
		for _, words := range list {
			s.all = append(s.all, sentence{words, encode(special, l.vocab, words), l.gist.training[i]})
		}
	}
	for _, words := range l.sentences {
		s.all = append(s.all, sentence{words, encode(special, l.vocab, words), nil})
	}
	return s
}

func (l *loaded) photoSource(seed uint64) *photoSource {
	s := &photoSource{features: l.features, scale: l.scale, columns: l.grid[1], width: len(l.gist.concepts), seed: seed, batch: photoBatch, each: each}
	for i, list := range l.captions {
		p := photo{at: l.learned[i], values: l.gist.training[i]}
		for _, words := range list {
			p.captions = append(p.captions, encode(special, l.vocab, words))
		}
		s.pictures = append(s.pictures, p)
	}
	return s
}
