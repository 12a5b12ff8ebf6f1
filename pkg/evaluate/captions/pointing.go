package captions

import (
	"slices"

	"gaze/pkg/data/scenes"
	"gaze/pkg/evaluate"
)

// Kinds of words that [Pointing] has besides those of package scenes.
const (
	AllWords = "all"   // nouns and colours
	Nouns    = "nouns" // persons, animals, things and places
)

// Pointing is the attention of one decoder layer, its heads averaged, for words that
// name something in the picture: at the step that predicts the word and, beside it, at
// the step after, which reads it.
//
// Hit is the pointing game (Zhang et al. 2016): the share of words of which the
// cell with the greatest weight (the first of equals) lies on the noun's mask, that
// is, has at least a 64th of its area covered by it. That leaves about half a cell
// of tolerance, as the pointing game does. Share is the mean share of attention on
// the mask: weight times the covered share, summed over cells.
//
// Each has two baselines: chance, what a map that is the same everywhere gets (for
// Hit the mean share of cells that lie on the mask, for Share the mask's mean
// area), and shuffled, another picture's map for the same word (of the pictures
// that say it, the next one), which knows where such things are as a rule, but not
// this one. Intervals take words as independent.
type Pointing struct {
	Layer int    `json:"layer"` // from 0
	Kind  string `json:"kind"`  // AllWords, Nouns, or a scenes.Kind's name
	Words int    `json:"words"`

	Hit         evaluate.Interval `json:"hit"`
	HitShuffled evaluate.Interval `json:"hit_shuffled"`
	HitReading  evaluate.Interval `json:"hit_reading"`
	HitChance   float64           `json:"hit_chance"`

	Share         evaluate.Interval `json:"share"`
	ShareShuffled evaluate.Interval `json:"share_shuffled"`
	ShareReading  evaluate.Interval `json:"share_reading"`
	ShareChance   float64           `json:"share_chance"`
}

// kindNames are the kinds of [Pointing], in order.
func kindNames() []string {
	out := []string{AllWords, Nouns}
	for k := scenes.Person; k <= scenes.Colour; k++ {
		out = append(out, k.String())
	}
	return out
}

func (l namedWord) isOf(kind string) bool {
	return kind == AllWords || kind == Nouns && l.kind != scenes.Colour || kind == l.kind.String()
}

// lookedAt measures every layer and kind that has words, layer by layer.
func pointingAt(all []namedWord) []Pointing {
	all = slices.DeleteFunc(slices.Clone(all), func(l namedWord) bool { return onCells(l.cover) == 0 }) // hidden, or smaller than a cell shows
	if len(all) == 0 {
		return nil
	}
	others := elsewhere(all)
	var out []Pointing
	for layer := range all[0].predicts {
		for _, kind := range kindNames() {
			var t tally
			for i, l := range all {
				if l.isOf(kind) {
					t.add(l, others[i], layer)
				}
			}
			if len(t.hit.values) > 0 {
				out = append(out, t.pointing(layer, kind))
			}
		}
	}
	return out
}

// elsewhere finds for each word another picture's map for it, nil where no other
// picture says the word: the next one's in the order of the set, the last one's
// next being the first.
func elsewhere(all []namedWord) [][][]float32 {
	byWord := map[string][]int{}
	for i, l := range all {
		byWord[l.word] = append(byWord[l.word], i)
	}
	out := make([][][]float32, len(all))
	for _, list := range byWord {
		for at, i := range list {
			for step := 1; step < len(list) && out[i] == nil; step++ {
				if j := list[(at+step)%len(list)]; all[j].picture != all[i].picture {
					out[i] = all[j].predicts
				}
			}
		}
	}
	return out
}

// tally gathers what is measured of words.
type tally struct {
	hit, hitShuffled, hitReading, hitChance         sample
	share, shareShuffled, shareReading, shareChance sample
}

func (t *tally) add(l namedWord, other [][]float32, layer int) {
	t.hit.add(hits(l.predicts[layer], l.cover))
	t.share.add(shareOn(l.predicts[layer], l.cover))
	if other != nil {
		t.hitShuffled.add(hits(other[layer], l.cover))
		t.shareShuffled.add(shareOn(other[layer], l.cover))
	}
	if l.reads != nil {
		t.hitReading.add(hits(l.reads[layer], l.cover))
		t.shareReading.add(shareOn(l.reads[layer], l.cover))
	}
	area := 0.0
	for _, v := range l.cover {
		area += v
	}
	t.hitChance.add(float64(onCells(l.cover)) / float64(len(l.cover)))
	t.shareChance.add(area / float64(len(l.cover)))
}

func (t *tally) pointing(layer int, kind string) Pointing {
	return Pointing{
		Layer: layer, Kind: kind, Words: len(t.hit.values),
		Hit: t.hit.wilson(), HitShuffled: t.hitShuffled.wilson(), HitReading: t.hitReading.wilson(), HitChance: t.hitChance.mean(),
		Share: t.share.interval(), ShareShuffled: t.shareShuffled.interval(), ShareReading: t.shareReading.interval(), ShareChance: t.shareChance.mean(),
	}
}

// touched is the least share of a cell that a mask must cover for the cell to be
// on it: of a cell of 8×8 pixels, one.
const touched = 1.0 / 64

// onCells is the number of cells that lie on the mask.
func onCells(cover []float64) int {
	n := 0
	for _, v := range cover {
		if v >= touched {
			n++
		}
	}
	return n
}

// hits is 1 if the cell with the greatest weight lies on the mask, else 0.
func hits(m []float32, cover []float64) float64 {
	best := 0
	for i, v := range m {
		if v > m[best] {
			best = i
		}
	}
	if cover[best] >= touched {
		return 1
	}
	return 0
}

// shareOn is the share of a map that falls on the mask.
func shareOn(m []float32, cover []float64) float64 {
	on, all := 0.0, 0.0
	for i, v := range m {
		on += float64(v) * cover[i]
		all += float64(v)
	}
	return on / all
}
