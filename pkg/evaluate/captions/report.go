package captions

import (
	"fmt"
	"slices"
	"strconv"

	"gaze/pkg/caption/score"
	"gaze/pkg/evaluate"
)

// Report is how good captions of drawn scenes are. It goes to JSON as it is.
type Report struct {
	Set      string `json:"set"` // [Set.String]; empty after Measure
	Pictures int    `json:"pictures"`

	Scores score.Scores      `json:"scores"`
	CIDEr  evaluate.Interval `json:"cider"` // Scores' with its interval over pictures

	Identical    evaluate.Interval `json:"identical"`     // share of captions that equal a reference
	CountRight   evaluate.Interval `json:"count_right"`   // share that begin with the right number; an article is 1
	SubjectRight evaluate.Interval `json:"subject_right"` // share that first name the scene's subject
	Counts       []Count           `json:"counts"`        // CountRight by the scene's count
	MeanWords    float64           `json:"mean_words"`    // of a caption

	Pointing []Pointing `json:"looked,omitempty"`   // layer by layer
	Articles []Articles `json:"articles,omitempty"` // layer by layer
	Said     []Said     `json:"said,omitempty"`     // picture by picture
}

// Count is the captions of scenes of one count.
type Count struct {
	Count    int               `json:"count"`
	Pictures int               `json:"pictures"`
	Right    evaluate.Interval `json:"right"`
}

// Said is the caption of a picture.
type Said struct {
	Index int     `json:"index"` // in its split
	Text  string  `json:"text"`
	CIDEr float64 `json:"cider"`
}

// Articles is how alike a layer's maps of an article and of its noun are (cosine of
// the maps of the steps that predict them, heads averaged), and beside it of the
// article and the other nouns of the same caption: means over captions' articles.
type Articles struct {
	Layer    int               `json:"layer"` // from 0
	Articles int               `json:"articles"`
	Own      evaluate.Interval `json:"own"`
	Others   evaluate.Interval `json:"others"`
}

// Layer returns the numbers of a layer, counted from 0 (-1 is the last), and a
// kind of words; false where there are none.
func (r *Report) Layer(layer int, kind string) (Pointing, bool) {
	if layer < 0 && len(r.Pointing) > 0 {
		layer += r.Pointing[len(r.Pointing)-1].Layer + 1
	}
	for _, l := range r.Pointing {
		if l.Layer == layer && l.Kind == kind {
			return l, true
		}
	}
	return Pointing{}, false
}

func report(all []picture) (*Report, error) {
	r := &Report{Pictures: len(all)}
	if err := r.score(all); err != nil {
		return nil, fmt.Errorf("captions: %w", err)
	}
	var identical, right, subject, words sample
	byCount := map[int]*sample{}
	var looks []namedWord
	var articles []article
	for _, p := range all {
		counted := countOf(p.words) == p.count
		identical.yes(slices.Contains(p.references, p.text))
		right.yes(counted)
		subject.yes(p.subject)
		words.add(float64(len(p.words)))
		if byCount[p.count] == nil {
			byCount[p.count] = &sample{}
		}
		byCount[p.count].yes(counted)
		looks, articles = append(looks, p.named...), append(articles, p.articles...)
	}
	r.Identical, r.CountRight, r.SubjectRight, r.MeanWords = identical.wilson(), right.wilson(), subject.wilson(), words.mean()
	for n := range 10 {
		if s := byCount[n]; s != nil {
			r.Counts = append(r.Counts, Count{n, len(s.values), s.wilson()})
		}
	}
	r.Pointing, r.Articles = pointingAt(looks), alike(articles)
	return r, nil
}

// score scores the captions against the references.
func (r *Report) score(all []picture) error {
	refs := &score.References{Captions: map[string][]string{}}
	var said []score.Caption
	for _, p := range all {
		name := strconv.Itoa(p.index)
		refs.Images = append(refs.Images, name)
		refs.Captions[name] = p.references
		said = append(said, score.Caption{Image: name, Text: p.text})
	}
	scores, err := score.Evaluate(refs, said)
	if err != nil {
		return err
	}
	r.Scores = scores.Corpus
	var each sample
	for i, p := range all {
		each.add(scores.Each[i].CIDEr)
		r.Said = append(r.Said, Said{p.index, p.text, scores.Each[i].CIDEr})
	}
	r.CIDEr = each.interval()
	return nil
}

// alike compares articles with nouns, layer by layer.
func alike(all []article) []Articles {
	all = slices.DeleteFunc(slices.Clone(all), func(a article) bool { return len(a.others) == 0 })
	if len(all) == 0 {
		return nil
	}
	var out []Articles
	for layer := range all[0].own {
		var own, others sample
		for _, a := range all {
			own.add(cosine(a.article[layer], a.own[layer]))
			var each sample
			for _, o := range a.others {
				each.add(cosine(a.article[layer], o[layer]))
			}
			others.add(each.mean())
		}
		out = append(out, Articles{layer, len(all), own.interval(), others.interval()})
	}
	return out
}
