package captions

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// Ways of making a word's map that [EvaluateRelevance] compares, beside the names of
// [explain.WordMethods]. The attention of single layers is in [Report].
const (
	LastLayer  = "last layer"  // attention of the last decoder layer, mean of heads: what the others are held against
	MeanLayers = "mean layers" // attention, mean of layers and heads
	AnyOrder   = "any order"   // cells in a random order, for Kept alone
)

// Pictures are what captions are explained on: the i-th of Count. Nouns of a scene are what
// is known of the picture; where none are, maps are judged by whether the captioner needs
// the cells that they mark.
type Pictures struct {
	Name  string // in words: "pictures 0 to 299 of held-out, …"
	Count int
	Load  func(i int) (scenes.Scene, error)
}

// Pictures are the set's. size is the side in pixels if the set has none.
func (s Set) Pictures(size int) Pictures {
	if s.Size == 0 {
		s.Size = size
	}
	return Pictures{Name: s.String(), Count: s.Count, Load: func(i int) (scenes.Scene, error) {
		return scenes.Draw(s.Seed, s.First+i, s.Size, s.Split)
	}}
}

// PetPictures are photographs of pets. Count and load are as in [EvaluatePets].
func PetPictures(name string, count int, load func(i int) (Pet, error)) Pictures {
	return Pictures{Name: name, Count: count, Load: func(i int) (scenes.Scene, error) {
		pet, err := load(i)
		if err != nil {
			return scenes.Scene{}, err
		}
		return pet.scene()
	}}
}

// RelevanceOptions say how [EvaluateRelevance] works; the zero value is fine.
type RelevanceOptions struct {
	Options
	Seed uint64 // of random orders of cells and of the bootstrap
}

// removed are the shares of a picture's cells that are hidden from attention in turn, those
// with the greatest values first.
var removed = []float64{0.1, 0.3}

// EvaluateRelevance compares ways of making maps of words, on the words of captions that
// name something in the picture: the attention of the last decoder layer, the mean of all
// layers, and each of [explain.WordMethods]. c captions; e explains, and has the same model. Where masks are
// known, maps are judged by [Pointing]'s hit and share; a map that is the same everywhere
// hits as often as chance. All maps are judged by what the captioner needs: the probability
// of the word, given those before it, while attention can't reach the cells with the
// greatest values (mean over 10 and 30 % of the cells). A word of several pieces has
// the mean of their maps, and the probability of the first.
func EvaluateRelevance(ctx context.Context, c Captioner, e *explain.WordExplainer, p Pictures, o RelevanceOptions) (*Relevance, error) {
	if o.Caption.Masked != nil || o.Caption.NoAttention {
		return nil, errors.New("captions: captions to explain need attention, and no masked cells")
	}
	if p.Count < 1 || p.Load == nil {
		return nil, fmt.Errorf("captions: %d pictures to explain captions of", p.Count)
	}
	j := &relevanceJob{c: c, e: e, o: o}
	r := &Relevance{Pictures: p.Count, Set: p.Name, Seed: o.Seed}
	for i := range p.Count {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		scene, err := p.Load(i)
		if err == nil {
			err = j.picture(i, scene)
		}
		if err != nil {
			return nil, fmt.Errorf("captions: picture %d: %w", i, err)
		}
		o.progress(i+1, p.Count)
	}
	if len(j.words) == 0 {
		return nil, errors.New("captions: no caption has a word that names something known")
	}
	r.take(j.words)
	return r, r.summarise()
}

// relevanceJob gathers words.
type relevanceJob struct {
	c     Captioner
	e     *explain.WordExplainer
	o     RelevanceOptions
	words []judgedWord
}

// judgedWord is a word and what each way's map of it is worth.
type judgedWord struct {
	picture int
	word    string
	kind    string
	ways    []string
	hit     []float64 // of each way; empty without a mask
	share   []float64
	kept    []float64 // of each way, and last of a random order
	whole   float64   // probability with nothing hidden
	blind   float64   // probability with all cells hidden but one
	chance  [2]float64
}

// picture captions a picture and judges the maps of its words.
func (j *relevanceJob) picture(index int, s scenes.Scene) error {
	results, err := j.c.Caption([]*transform.Image{s.Image}, j.o.Caption)
	if err != nil {
		return err
	}
	r, cfg := results[0], j.c.Config()
	asked := askedOf(index, s, r, cfg.Backbone.Stride())
	if len(asked) == 0 {
		return nil
	}
	input, err := cfg.Preprocess(s.Image)
	if err != nil {
		return err
	}
	maps, err := j.maps(input, r, asked)
	if err != nil {
		return err
	}
	var made []judgedWord
	for i, a := range asked {
		made = append(made, a.judged(index, maps[i]))
	}
	if err := j.hide(index, input, r, asked, maps, made); err != nil {
		return err
	}
	j.words = append(j.words, made...)
	return nil
}

// askedWord is a word that is explained.
type askedWord struct {
	word
	kind  string
	cover []float64 // nil: no mask is known
}

// askedOf are the words that name something whose mask shows on a cell; where nothing is
// known of the picture, those that end a noun phrase.
func askedOf(index int, s scenes.Scene, r caption.Result, stride int) []askedWord {
	var out []askedWord
	if len(s.Nouns) == 0 {
		words := wordsOf(r)
		for i, w := range words {
			if endsPhrase(words, i) {
				out = append(out, askedWord{word: w, kind: Nouns})
			}
		}
		return out
	}
	p := newPicture(index, s, r, stride)
	named := p.named
	for i, w := range p.words {
		if nounOf(p.words, i, s.Nouns) < 0 {
			continue
		}
		l := named[0]
		named = named[1:]
		if onCells(l.cover) > 0 {
			out = append(out, askedWord{word: w, kind: l.kind.String(), cover: l.cover})
		}
	}
	return out
}

// after are words that come after a noun phrase, and are no nouns.
var after = []string{
	"in", "on", "of", "with", "at", "and", "near", "under", "down", "over", "by", "to", "for", "from", "into", "up", "while", "next", "behind",
	"is", "are", "that", "who", "which", "has", "have", "sits", "stands", "looks", "a", "an", "the", ".", ",",
}

// endsPhrase is a rule of thumb for nouns: the i-th word is the last before a preposition, a
// verb in -ing or the end, and neither such a word itself.
func endsPhrase(words []word, i int) bool {
	ends := func(w string) bool { return slices.Contains(after, w) || strings.HasSuffix(w, "ing") }
	return !ends(words[i].text) && (i+1 == len(words) || ends(words[i+1].text))
}

// maps are each word's maps, [word][way], in the order of j.names.
func (j *relevanceJob) maps(input *transform.Tensor, r caption.Result, asked []askedWord) ([]map[string][]float32, error) {
	out := make([]map[string][]float32, len(asked))
	var ids, tokens []int
	for _, t := range r.Tokens {
		ids = append(ids, t.ID)
	}
	for i, a := range asked {
		layers := meanMaps(r.Attention[a.first : a.last+1])
		out[i] = map[string][]float32{LastLayer: layers[len(layers)-1], MeanLayers: meanOf(layers)}
		for t := a.first; t <= a.last; t++ {
			tokens = append(tokens, t)
		}
	}
	for _, m := range explain.WordMethods() {
		if m.Name == "attention" {
			continue
		}
		made, err := j.e.Explain(m.Name, input, ids, explain.WordOptions{Tokens: tokens})
		if err != nil {
			return nil, err
		}
		for i, a := range asked {
			var pieces [][]float32
			for t := a.first; t <= a.last; t++ {
				one, _ := made.At(t)
				pieces = append(pieces, one.Values)
			}
			out[i][m.Name] = meanOf(pieces)
		}
	}
	return out, nil
}

// meanOf is the mean of maps.
func meanOf(maps [][]float32) []float32 {
	out := make([]float32, len(maps[0]))
	for i := range out {
		sum := 0.0
		for _, m := range maps {
			sum += float64(m[i])
		}
		out[i] = float32(sum / float64(len(maps)))
	}
	return out
}

// waysOf is the ways of making maps in order, the attention first.
func waysOf(maps map[string][]float32) []string {
	out := []string{LastLayer, MeanLayers}
	for _, m := range explain.WordMethods() {
		if maps[m.Name] != nil {
			out = append(out, m.Name)
		}
	}
	return out
}

// judged judges a word's maps by its mask.
func (a askedWord) judged(picture int, maps map[string][]float32) judgedWord {
	w := judgedWord{picture: picture, word: a.text, kind: a.kind, ways: waysOf(maps)}
	if a.cover == nil {
		return w
	}
	area := 0.0
	for _, v := range a.cover {
		area += v
	}
	n := float64(len(a.cover))
	w.chance = [2]float64{float64(onCells(a.cover)) / n, area / n}
	for _, way := range w.ways {
		m := maps[way]
		w.hit = append(w.hit, expectedHit(m, a.cover))
		if slices.Max(m) > 0 {
			w.share = append(w.share, shareOn(m, a.cover))
		} else {
			w.share = append(w.share, w.chance[1])
		}
	}
	return w
}

// expectedHit is 1 if the cell with the greatest value lies on the mask and 0 if not; of
// several such cells the share that does, so that a constant map hits as often as chance.
func expectedHit(m []float32, cover []float64) float64 {
	most := slices.Max(m)
	on, all := 0.0, 0.0
	for i, v := range m {
		if v == most {
			all++
			if cover[i] >= touched {
				on++
			}
		}
	}
	return on / all
}

// hide asks for the words' probabilities with the cells hidden that each way marks.
func (j *relevanceJob) hide(index int, input *transform.Tensor, r caption.Result, asked []askedWord, maps []map[string][]float32, made []judgedWord) error {
	var ids []int
	for _, t := range r.Tokens {
		ids = append(ids, t.ID)
	}
	var asks []explain.Hidden
	for i, a := range asked {
		random := rand.New(rand.NewPCG(j.o.Seed, uint64(index)<<16|uint64(a.first)))
		cells := len(maps[i][LastLayer])
		ties := random.Perm(cells)
		blind := slices.Repeat([]bool{true}, cells)
		blind[ties[0]] = false
		asks = append(asks, explain.Hidden{Token: a.first}, explain.Hidden{Token: a.first, Cells: blind})
		for _, way := range append(slices.Clone(made[i].ways), AnyOrder) {
			m := maps[i][way]
			if way == AnyOrder {
				m = make([]float32, cells)
			}
			asks = append(asks, hiding(a.first, m, ties)...)
		}
	}
	answers, err := j.e.Probabilities(input, ids, asks)
	if err != nil {
		return err
	}
	for i := range made {
		made[i].whole, made[i].blind, answers = answers[0], answers[1], answers[2:]
		for range len(made[i].ways) + 1 {
			sum := 0.0
			for _, p := range answers[:len(removed)] {
				sum += p
			}
			made[i].kept, answers = append(made[i].kept, sum/float64(len(removed))), answers[len(removed):]
		}
	}
	return nil
}

// hiding hides the cells with the greatest values of a map, more and more of them. Equal
// ones go in the order of ties.
func hiding(token int, m []float32, ties []int) []explain.Hidden {
	order := slices.Clone(ties)
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case m[a] > m[b]:
			return -1
		case m[a] < m[b]:
			return 1
		}
		return 0
	})
	var out []explain.Hidden
	for _, share := range removed {
		cells := make([]bool, len(m))
		for _, i := range order[:max(int(share*float64(len(m))+0.5), 1)] {
			cells[i] = true
		}
		out = append(out, explain.Hidden{Token: token, Cells: cells})
	}
	return out
}
