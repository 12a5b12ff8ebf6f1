package captions

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
)

// Relevance is what [EvaluateRelevance] found. Its JSON keeps every word's values, so that
// other intervals can be computed from them ([Relevance.Values]).
type Relevance struct {
	Model    string `json:"model"` // as its caller names the captioner
	Set      string `json:"set"`
	Pictures int    `json:"pictures"`
	Seed     uint64 `json:"seed"`

	Ways   []string   `json:"ways"`
	Scores []WayScore `json:"-"` // kind by kind, way by way; [ParseRelevance] computes them again

	Words      []string `json:"words"`       // the different words
	Kinds      []string `json:"kinds"`       // of each of Words: a scenes.Kind's name
	Said       []int    `json:"said"`        // of each word that was judged, its number in Words
	PerPicture []int    `json:"per_picture"` // number of words judged in each picture
	Hits       Packed   `json:"hits,omitempty"`
	Shares     Packed   `json:"shares,omitempty"`
	Kept       Packed   `json:"kept"` // its last row is AnyOrder
	Whole      Packed   `json:"whole"`

	HitChance   float64 `json:"hit_chance"` // of all words
	ShareChance float64 `json:"share_chance"`
}

// Kinds of words that [Relevance] has beside AllWords and Nouns.
const (
	Colours = "colours"
	// Seen are words that the captioner takes from the picture: with all cells hidden but one,
	// more than half of their probability is gone. Of the others, which the sentence makes
	// likely, a map has little to show.
	Seen = "seen"
)

// WayScore is how good a way's maps are. Intervals are 95 % percentile intervals of 10,000
// draws of pictures with replacement, the same for all ways. Gains are means of the words'
// own differences to [LastLayer]. Hit and share are nil without masks.
type WayScore struct {
	Kind  string `json:"kind"` // AllWords or Nouns
	Way   string `json:"way"`
	Words int    `json:"words"`

	Hit       *evaluate.Interval `json:"hit,omitempty"`
	HitGain   *evaluate.Interval `json:"hit_gain,omitempty"`
	Share     *evaluate.Interval `json:"share,omitempty"`
	ShareGain *evaluate.Interval `json:"share_gain,omitempty"`
	// Kept is the probability of the word that is left; less is better.
	Kept     evaluate.Interval `json:"kept"`
	KeptGain evaluate.Interval `json:"kept_gain"` // Kept of LastLayer minus that of the way: more is better
}

// Packed are values from 0 to 1, [way][word]. In JSON each row is a text with one of
// base64's digits for each value: its number, divided by 63.
type Packed [][]float64

const digits64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// MarshalJSON writes the rows as texts.
func (p Packed) MarshalJSON() ([]byte, error) {
	rows := []string{}
	for _, row := range p {
		text := make([]byte, len(row))
		for i, v := range row {
			if !(v >= 0 && v <= 1) {
				return nil, fmt.Errorf("captions: a value of %g can't be packed: it must be from 0 to 1", v)
			}
			text[i] = digits64[int(math.Round(v*63))]
		}
		rows = append(rows, string(text))
	}
	return json.Marshal(rows)
}

// UnmarshalJSON reads what [Packed.MarshalJSON] wrote.
func (p *Packed) UnmarshalJSON(data []byte) error {
	var rows []string
	if err := json.Unmarshal(data, &rows); err != nil {
		return err
	}
	*p = nil
	for _, text := range rows {
		row := make([]float64, len(text))
		for i := range row {
			digit := strings.IndexByte(digits64, text[i])
			if digit < 0 {
				return fmt.Errorf("captions: %q is no packed value", text[i:i+1])
			}
			row[i] = float64(digit) / 63
		}
		*p = append(*p, row)
	}
	return nil
}

// take lays the words' values out by way.
func (r *Relevance) take(words []judgedWord) {
	r.Ways = words[0].ways
	r.PerPicture = make([]int, r.Pictures)
	number := map[string]int{}
	n := len(r.Ways)
	r.Kept, r.Whole = make(Packed, n+1), make(Packed, 2)
	if len(words[0].hit) > 0 {
		r.Hits, r.Shares = make(Packed, n), make(Packed, n)
	}
	for _, w := range words {
		key := w.kind + " " + w.word
		if _, ok := number[key]; !ok {
			number[key] = len(r.Words)
			r.Words, r.Kinds = append(r.Words, w.word), append(r.Kinds, w.kind)
		}
		r.Said = append(r.Said, number[key])
		r.PerPicture[w.picture]++
		for i := range r.Hits {
			r.Hits[i], r.Shares[i] = append(r.Hits[i], w.hit[i]), append(r.Shares[i], w.share[i])
		}
		for i := range r.Kept {
			r.Kept[i] = append(r.Kept[i], w.kept[i])
		}
		r.Whole[0], r.Whole[1] = append(r.Whole[0], w.whole), append(r.Whole[1], w.blind)
		r.HitChance += w.chance[0] / float64(len(words))
		r.ShareChance += w.chance[1] / float64(len(words))
	}
	for _, p := range []Packed{r.Hits, r.Shares, r.Kept, r.Whole} {
		p.round()
	}
}

// round rounds the values as JSON does, so that a record that is read again has the same
// scores.
func (p Packed) round() {
	for _, row := range p {
		for i, v := range row {
			row[i] = math.Round(v*63) / 63
		}
	}
}

// resamples is the number of the bootstrap's draws.
const resamples = 10_000

// summarise computes the scores from the words' values.
func (r *Relevance) summarise() error {
	if err := r.check(); err != nil {
		return err
	}
	r.Scores = nil
	for _, kind := range []string{AllWords, Nouns, Colours, Seen} {
		pictures := r.of(kind)
		if len(pictures) == 0 {
			continue
		}
		hit, hitGain := r.intervals(pictures, r.Hits, 1)
		share, shareGain := r.intervals(pictures, r.Shares, 1)
		kept, keptGain := r.intervals(pictures, r.Kept, -1)
		words := len(slices.Concat(pictures...))
		for i, way := range append(slices.Clone(r.Ways), AnyOrder) {
			s := WayScore{Kind: kind, Way: way, Words: words, Kept: kept[i], KeptGain: keptGain[i]}
			if i < len(hit) {
				s.Hit, s.HitGain, s.Share, s.ShareGain = &hit[i], &hitGain[i], &share[i], &shareGain[i]
			}
			r.Scores = append(r.Scores, s)
		}
	}
	return nil
}

// check reports a record whose parts don't fit.
func (r *Relevance) check() error {
	n, words := len(r.Ways), len(r.Said)
	sum := 0
	for _, k := range r.PerPicture {
		sum += k
	}
	fits := func(p Packed, rows int) bool {
		return len(p) == rows && !slices.ContainsFunc(p, func(row []float64) bool { return len(row) != words })
	}
	masks := len(r.Hits)
	if n == 0 || words == 0 || sum != words || len(r.Words) != len(r.Kinds) || slices.Max(r.Said) >= len(r.Words) || slices.Min(r.Said) < 0 ||
		masks != 0 && masks != n || !fits(r.Hits, masks) || !fits(r.Shares, masks) || !fits(r.Kept, n+1) || !fits(r.Whole, 2) {
		return errors.New("captions: the values of this record of relevance don't belong together: make it again")
	}
	return nil
}

// of lists the words of a kind, by picture; pictures without are left out.
func (r *Relevance) of(kind string) [][]int {
	var out [][]int
	at := 0
	for _, n := range r.PerPicture {
		var list []int
		for i := at; i < at+n; i++ {
			if colour := r.Kinds[r.Said[i]] == "colour"; kind == AllWords || kind == Nouns && !colour || kind == Colours && colour ||
				kind == Seen && r.Whole[1][i] < r.Whole[0][i]/2 {
				list = append(list, i)
			}
		}
		at += n
		if len(list) > 0 {
			out = append(out, list)
		}
	}
	return out
}

// intervals are the means of each row over words, and of its difference to the first row,
// times sign. Pictures are drawn with replacement, with all their words.
func (r *Relevance) intervals(pictures [][]int, values Packed, sign float64) (mean, gain []evaluate.Interval) {
	sums := make([][]float64, len(pictures)) // of each row, by picture
	for i, list := range pictures {
		for _, row := range values {
			s := 0.0
			for _, word := range list {
				s += row[word]
			}
			sums[i] = append(sums[i], s)
		}
	}
	rows := len(values)
	all := make([]int, len(pictures))
	for i := range all {
		all[i] = i
	}
	means := func(drawn []int) []float64 {
		out, words := make([]float64, 2*rows), 0.0
		for _, i := range drawn {
			words += float64(len(pictures[i]))
			for k, s := range sums[i] {
				out[k] += s
			}
		}
		for k := range rows {
			out[k] /= words
			out[rows+k] = sign * (out[k] - out[0])
		}
		return out
	}
	found := percentiles(means, all, r.Seed)
	return found[:rows], found[rows:]
}

// percentiles are the statistics of all pictures and their 95 % intervals.
func percentiles(statistics func(drawn []int) []float64, all []int, seed uint64) []evaluate.Interval {
	point := statistics(all)
	draws := make([][]float64, len(point))
	drawn := make([]int, len(all))
	for b := range resamples {
		random := rand.New(rand.NewPCG(seed, uint64(b)))
		for i := range drawn {
			drawn[i] = random.IntN(len(all))
		}
		for k, v := range statistics(drawn) {
			draws[k] = append(draws[k], v)
		}
	}
	out := make([]evaluate.Interval, len(point))
	for k := range out {
		slices.Sort(draws[k])
		out[k] = evaluate.Interval{Value: point[k], Low: draws[k][resamples/40], High: draws[k][resamples-1-resamples/40]}
	}
	return out
}

// Score is a way's row for a kind of words; false if there is none.
func (r *Relevance) Score(kind, way string) (WayScore, bool) {
	for _, s := range r.Scores {
		if s.Kind == kind && s.Way == way {
			return s, true
		}
	}
	return WayScore{}, false
}

// wayTitle is a way's name in tables.
func wayTitle(way string) string {
	titles := map[string]string{
		LastLayer: "attention, last layer", MeanLayers: "attention, mean of layers", AnyOrder: "cells in any order",
		"rollout": "rollout", "gradcam": "attention Grad-CAM", "chefer": "relevance (Chefer et al.)",
		"chefer-decoder": "relevance, decoder alone",
	}
	if t, ok := titles[way]; ok {
		return t
	}
	return "attention, " + way
}

// Table lists the ways for a kind of words.
func (r *Relevance) Table(kind string) plots.Table {
	first, _ := r.Score(kind, LastLayer)
	t := plots.Table{
		Caption: fmt.Sprintf("%s: %d words (%s), %s", r.Model, first.Words, kind, r.Set),
		Columns: []plots.Column{
			{Name: "map"}, {Name: "hits (%)", Format: "%.1f", Best: plots.BestHighest}, {Name: "against last layer"},
			{Name: "on the mask (%)", Format: "%.1f", Best: plots.BestHighest}, {Name: "against last layer"},
			{Name: "probability left (%)", Format: "%.1f", Best: plots.BestLowest}, {Name: "against last layer"},
		},
	}
	points := func(i *evaluate.Interval) any {
		if i == nil {
			return nil
		}
		return fmt.Sprintf("%+.1f (%+.1f to %+.1f)", 100*i.Value, 100*i.Low, 100*i.High)
	}
	percent := func(i *evaluate.Interval) any {
		if i == nil {
			return nil
		}
		return 100 * i.Value
	}
	for _, s := range r.Scores {
		if s.Kind != kind {
			continue
		}
		if s.Way == LastLayer { // nothing to hold it against
			t.Rows = append(t.Rows, []any{wayTitle(s.Way), percent(s.Hit), nil, percent(s.Share), nil, percent(&s.Kept), nil})
		} else {
			t.Rows = append(t.Rows, []any{wayTitle(s.Way), percent(s.Hit), points(s.HitGain), percent(s.Share), points(s.ShareGain), percent(&s.Kept), points(&s.KeptGain)})
		}
	}
	return t
}

// ParseRelevance reads a record that was written as a JSON list, and computes its scores
// again from the values of the words.
func ParseRelevance(data []byte) ([]*Relevance, error) {
	var list []*Relevance
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("captions: the record of relevance: %w", err)
	}
	for _, r := range list {
		if r == nil {
			return nil, errors.New("captions: the record of relevance has an empty entry")
		}
		if err := r.summarise(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
