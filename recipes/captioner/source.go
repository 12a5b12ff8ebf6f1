package main

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"

	"gaze/pkg/caption"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/data/scenes"
	"gaze/pkg/train"
	"gaze/pkg/transform"
)

// tokens is the length of a row of tokens: [CLS], the longest caption, [SEP].
const tokens = 24

// source draws scenes, each once.
type source struct {
	config caption.Config
	vocab  *wordpiece.Vocab
	seed   uint64
	teach  bool
}

func newSource(m *caption.Model, o options) *source {
	return &source{config: m.Config, vocab: m.Vocab, seed: o.seed, teach: o.teach > 0}
}

// Len is the number of batches in an epoch.
func (s *source) Len() int { return epoch }

// Batches draws the epoch's batches, each while the previous one is being trained on.
func (s *source) Batches(number, from int) iter.Seq2[train.Batch, error] {
	return train.Ahead(from, epoch, func(i int) (train.Batch, error) { return s.draw((number*epoch + i) * pictures) })
}

// draw makes the batch that begins with picture number at, counted over the whole run.
func (s *source) draw(at int) (train.Batch, error) {
	cells := s.cells()
	images := make([]float32, pictures*3*size*size)
	words := make([]int32, pictures*each*tokens)
	maps := make([]float32, pictures*each*(tokens-1)*cells)
	errs := make([]error, pictures)
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			for k := w; k < pictures; k += workers {
				errs[k] = s.picture(at+k, part(images, k, pictures), part(words, k, pictures), part(maps, k, pictures))
			}
		})
	}
	wait.Wait()
	b := train.Batch{Images: images, Inputs: []train.Values{{Shape: []int{pictures * each, tokens}, Ints: words}}}
	if s.teach {
		b.Inputs = append(b.Inputs, train.Values{Shape: []int{pictures * each, tokens - 1, cells}, Floats: maps})
	}
	return b, errors.Join(errs...)
}

// part returns the k-th of n equal parts.
func part[T any](all []T, k, n int) []T { return all[k*len(all)/n : (k+1)*len(all)/n] }

func (s *source) cells() int {
	grid := s.config.Grid(size, size)
	return grid[0] * grid[1]
}

// picture fills in a scene: its picture, some of its captions and their target maps.
func (s *source) picture(index int, image []float32, words []int32, maps []float32) error {
	scene, err := scenes.Draw(s.seed, index, size, scenes.Train)
	if err != nil {
		return err
	}
	input, err := s.config.Preprocess(scene.Image)
	if err != nil {
		return err
	}
	copy(image, input.Data)
	r := rand.New(rand.NewPCG(s.seed, uint64(index)))
	for row, k := range r.Perm(len(scene.Captions))[:each] {
		ids := slices.Concat([]int{s.config.StartID}, s.vocab.Encode(scene.Captions[k]), []int{s.config.EndID})
		if len(ids) > tokens {
			return fmt.Errorf("%q has %d tokens, more than %d", scene.Captions[k], len(ids), tokens)
		}
		for i, id := range ids {
			part(words, row, each)[i] = int32(id)
		}
		if s.teach {
			s.targetMaps(strings.Fields(scene.Captions[k]), scene.Nouns, part(maps, row, each))
		}
	}
	return nil
}

// targetMaps sets the target maps of a caption: for the step that predicts a word, the mask
// of the object that the word names, spread over the cells in proportion to the area they
// cover. Each word is one token here.
func (s *source) targetMaps(words []string, nouns []scenes.Noun, maps []float32) {
	for step, word := range words {
		for _, n := range nouns {
			if slices.Contains(n.Words, word) {
				cover(n.Mask, s.config.Backbone.Stride(), part(maps, step, tokens-1))
				break
			}
		}
	}
}

// cover returns the fraction of a mask in each cell. The fractions sum to one; they are all
// zero for an empty mask.
func cover(mask *transform.Image, stride int, shares []float32) {
	columns := (mask.Width + stride - 1) / stride
	total := 0
	for i, v := range mask.Pix {
		if v > 0 {
			y, x := i/mask.Width, i%mask.Width
			shares[y/stride*columns+x/stride] += float32(v)
			total += int(v)
		}
	}
	for i := range shares {
		if total > 0 {
			shares[i] /= float32(total)
		}
	}
}
