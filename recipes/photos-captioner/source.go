package main

import (
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"gaze/pkg/caption"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/train"
)

// longest is the length of the longest row of tokens, with [CLS] and [SEP]; longer captions
// are cut off, and then have no [SEP].
const longest = 24

// encode is the tokens of a caption with [CLS] and [SEP].
func encode(cfg caption.Config, v *wordpiece.Vocab, words []string) []int32 {
	ids := []int32{int32(cfg.StartID)}
	for _, w := range words {
		for _, id := range v.Encode(w) {
			ids = append(ids, int32(id))
		}
	}
	ids = append(ids, int32(cfg.EndID))
	return ids[:min(len(ids), longest)]
}

// rowsOf puts captions into one array, padded to 12, 16, 20 or 24 tokens: few lengths, so that
// few programs are compiled.
func rowsOf(captions [][]int32) train.Values {
	length := 12
	for _, c := range captions {
		length = max(length, len(c))
	}
	length = (length + 3) / 4 * 4
	ids := make([]int32, len(captions)*length)
	for i, c := range captions {
		copy(ids[i*length:], c)
	}
	return train.Values{Shape: []int{len(captions), length}, Ints: ids}
}

// random is the random numbers of a batch, of a stream of their own.
func random(seed uint64, stream, epoch, batch int) *rand.Rand {
	return rand.New(rand.NewPCG(seed<<8|uint64(stream), uint64(epoch)<<32|uint64(batch)))
}

const (
	textStream = iota + 1
	photoStream
	orderStream
)

// dropSeed is the seed of the values that are dropped in a batch.
func dropSeed(r *rand.Rand) train.Values {
	return train.Values{Shape: []int{3}, Ints: []int32{r.Int32(), r.Int32(), r.Int32()}}
}

// sentence is a caption to learn from without its picture.
type sentence struct {
	words  []string
	ids    []int32
	values []float64 // of its picture's gist; nil: they must be imagined
}

// textSource yields sentences with gists.
type textSource struct {
	all   []sentence
	gist  *gist
	seed  uint64
	batch int
}

func (s *textSource) Len() int { return len(s.all) / s.batch }

// Batches yields sentences of about the same length together.
func (s *textSource) Batches(epoch, from int) iter.Seq2[train.Batch, error] {
	r := random(s.seed, orderStream, epoch, 0)
	order := r.Perm(len(s.all))
	const window = 64 // batches among which lengths are sorted
	for at := 0; at < len(order); at += window * s.batch {
		part := order[at:min(at+window*s.batch, len(order))]
		slices.SortStableFunc(part, func(a, b int) int { return cmp.Compare(len(s.all[a].ids), len(s.all[b].ids)) })
	}
	batches := r.Perm(s.Len())
	return train.Ahead(from, s.Len(), func(i int) (train.Batch, error) {
		return s.draw(order[batches[i]*s.batch:][:s.batch], random(s.seed, textStream, epoch, i)), nil
	})
}

func (s *textSource) draw(list []int, r *rand.Rand) train.Batch {
	var gists []float32
	var captions [][]int32
	for _, i := range list {
		one := s.all[i]
		values := one.values
		if values == nil {
			values = s.gist.imagined(one.words, r)
		}
		gists, captions = appendFloats(gists, values), append(captions, one.ids)
	}
	return train.Batch{Images: gists, Inputs: []train.Values{rowsOf(captions), dropSeed(r)}}
}

func appendFloats(to []float32, values []float64) []float32 {
	for _, v := range values {
		to = append(to, float32(v))
	}
	return to
}

// photoSource yields photographs' features with their captions.
type photoSource struct {
	features *features
	scale    *scale
	pictures []photo
	columns  int // of cells
	width    int // of the gist
	seed     uint64
	batch    int // pictures in a batch
	each     int // captions of each
}

// photo is a training photograph.
type photo struct {
	at       int // among the features' pictures
	captions [][]int32
	values   []float64 // of the gist
}

func (s *photoSource) Len() int { return len(s.pictures) / s.batch }

func (s *photoSource) Batches(epoch, from int) iter.Seq2[train.Batch, error] {
	order := random(s.seed, orderStream, epoch, 1).Perm(len(s.pictures))
	return train.Ahead(from, s.Len(), func(i int) (train.Batch, error) {
		return s.draw(order[i*s.batch:][:s.batch], random(s.seed, photoStream, epoch, i))
	})
}

func (s *photoSource) draw(list []int, r *rand.Rand) (train.Batch, error) {
	size := s.features.cells * s.features.channels
	maps := make([]float32, len(list)*size)
	gists := make([]float32, 0, len(list)*s.width)
	var captions [][]int32
	for k, i := range list {
		p := s.pictures[i]
		into := maps[k*size : (k+1)*size]
		if err := s.features.read(p.at, into); err != nil {
			return train.Batch{}, err
		}
		s.scale.apply(into)
		if r.IntN(2) == 1 {
			mirror(into, s.columns, s.features.channels)
		}
		gists = appendFloats(gists, p.values)
		order := r.Perm(len(p.captions))
		for c := range s.each {
			captions = append(captions, p.captions[order[c%len(order)]])
		}
	}
	return train.Batch{Images: maps, Inputs: []train.Values{
		rowsOf(captions), dropSeed(r), {Shape: []int{len(list), s.width}, Floats: gists},
	}}, nil
}

// mirror puts the cells of each row into the opposite order, which comes near the features
// of the mirrored picture and costs nothing.
func mirror(cells []float32, columns, channels int) {
	for row := range slices.Chunk(cells, columns*channels) {
		for i, j := 0, columns-1; i < j; i, j = i+1, j-1 {
			for c := range channels {
				row[i*channels+c], row[j*channels+c] = row[j*channels+c], row[i*channels+c]
			}
		}
	}
}

// scale standardises the channels of features.
type scale struct{ mean, deviation []float32 }

func (s *scale) apply(x []float32) {
	n := len(s.mean)
	for i := range x {
		x[i] = (x[i] - s.mean[i%n]) / s.deviation[i%n]
	}
}

// newScale measures the channels of some pictures' cells.
func newScale(f *features, pictures []int) (*scale, error) {
	total, squares := make([]float64, f.channels), make([]float64, f.channels)
	x := make([]float32, f.cells*f.channels)
	for _, p := range pictures {
		if err := f.read(p, x); err != nil {
			return nil, err
		}
		for i, v := range x {
			total[i%f.channels] += float64(v)
			squares[i%f.channels] += float64(v) * float64(v)
		}
	}
	n := float64(len(pictures) * f.cells)
	if n == 0 {
		return nil, fmt.Errorf("no pictures to learn from")
	}
	s := &scale{make([]float32, f.channels), make([]float32, f.channels)}
	all := 0.0
	for i := range total {
		mean := total[i] / n
		s.mean[i], s.deviation[i] = float32(mean), float32(squares[i]/n-mean*mean)
		all += max(squares[i]/n-mean*mean, 0)
	}
	floor := 0.05 * sqrt(float32(all/float64(f.channels)))
	for i, v := range s.deviation {
		s.deviation[i] = sqrt(max(v, 0)) + floor
	}
	return s, nil
}
