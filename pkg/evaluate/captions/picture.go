package captions

import (
	"strings"

	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
)

// picture is what is kept of a scene and its caption: neither pixels nor masks.
type picture struct {
	index      int
	text       string
	words      []word
	references []string
	count      int
	subject    bool // the caption's is the scene's
	named      []namedWord
	articles   []article
}

// namedWord is a word of a caption that names something in the picture, and where the
// decoder looked, [layer][cell], averaged over heads.
type namedWord struct {
	picture  int
	word     string
	kind     scenes.Kind
	cover    []float64 // share of each cell that the mask covers
	predicts [][]float32
	reads    [][]float32 // nil at the end of a caption that was cut off
}

// article is an article of a caption, its noun and the other nouns: where the
// decoder looked when it predicted each, [layer][cell].
type article struct {
	article, own [][]float32
	others       [][][]float32
}

func newPicture(index int, s scenes.Scene, r caption.Result, stride int) picture {
	p := picture{index: index, text: strings.ToLower(r.Text), words: wordsOf(r), references: s.Captions, count: s.Count}
	p.subject = subjectRight(p.words, s.Nouns[0])
	if len(r.Attention) == 0 {
		return p
	}
	covers := map[int][]float64{}
	nouns := map[int][][]float32{} // maps of nouns, by their words
	for i, w := range p.words {
		n := nounOf(p.words, i, s.Nouns)
		if n < 0 {
			continue
		}
		if covers[n] == nil {
			covers[n] = caption.Coverage(s.Nouns[n].Mask, r.Input, stride)
		}
		l := namedWord{picture: index, word: w.text, kind: s.Nouns[n].Kind, cover: covers[n], predicts: meanMaps(r.Attention[w.first : w.last+1])}
		if w.last+1 < len(r.Attention) {
			l.reads = meanMaps(r.Attention[w.last+1 : w.last+2])
		}
		p.named = append(p.named, l)
		if l.kind != scenes.Colour {
			nouns[i] = l.predicts
		}
	}
	p.addArticles(r, nouns)
	return p
}

// addArticles records each article whose noun is in the picture; nouns are the
// maps of those that are, by their place in the caption.
func (p *picture) addArticles(r caption.Result, nouns map[int][][]float32) {
	for i := range p.words {
		at := articleOf(p.words, i)
		if nouns[i] == nil || at < 0 {
			continue
		}
		a := article{article: meanMaps(r.Attention[p.words[at].first : p.words[at].last+1]), own: nouns[i]}
		for j := range p.words {
			if nouns[j] != nil && p.words[j].text != p.words[i].text {
				a.others = append(a.others, nouns[j])
			}
		}
		p.articles = append(p.articles, a)
	}
}

// meanMaps averages the maps of pieces over pieces and heads: [layer][cell] of
// [piece][layer][head][cell].
func meanMaps(pieces [][][][]float32) [][]float32 {
	out := make([][]float32, len(pieces[0]))
	for layer := range out {
		sum := make([]float64, len(pieces[0][layer][0]))
		n := 0
		for _, p := range pieces {
			for _, head := range p[layer] {
				for i, v := range head {
					sum[i] += float64(v)
				}
				n++
			}
		}
		out[layer] = make([]float32, len(sum))
		for i, v := range sum {
			out[layer][i] = float32(v / float64(n))
		}
	}
	return out
}
