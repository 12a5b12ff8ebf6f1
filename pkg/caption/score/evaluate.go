package score

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Scores are all metrics of a corpus or of one picture, named as pycocoevalcap
// names them; BLEU and ROUGE-L from 0 to 1, CIDEr from 0 to 10.
type Scores struct {
	BLEU1          float64 `json:"Bleu_1"`
	BLEU2          float64 `json:"Bleu_2"`
	BLEU3          float64 `json:"Bleu_3"`
	BLEU4          float64 `json:"Bleu_4"`
	ROUGEL         float64 `json:"ROUGE_L"`
	CIDEr          float64 `json:"CIDEr"`           // as pycocoevalcap: CIDEr-D
	CIDErUnclipped float64 `json:"CIDEr_unclipped"` // the paper's first CIDEr
}

// ImageScores are the scores of one picture.
type ImageScores struct {
	Image string `json:"image_id"`
	// Number says that the references' file has the image_id as a number. Image has all
	// its digits.
	Number bool `json:"-"`
	Scores
}

// MarshalJSON writes the image_id as the references' file has it, a number or a
// text.
func (s ImageScores) MarshalJSON() ([]byte, error) {
	id := any(s.Image)
	if s.Number {
		id = json.Number(s.Image)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(struct {
		Image any `json:"image_id"`
		Scores
	}{id, s.Scores})
	return out.Bytes(), err
}

// A Report is the result of Evaluate.
type Report struct {
	Pictures   int           `json:"pictures"`   // scored: those with a result
	References int           `json:"references"` // of these pictures
	Unscored   int           `json:"unscored"`   // pictures with references but no result
	Corpus     Scores        `json:"scores"`
	Each       []ImageScores `json:"images"`
}

// Evaluate scores results against references as the COCO server does: tokens are
// compared, and pictures without a result are left out (their number is in the
// report). Pictures count in the order of the references' file. A result for a
// picture without references is an error.
func Evaluate(refs *References, results []Caption) (*Report, error) {
	hyps := map[string]string{}
	for i, c := range results {
		if len(refs.Captions[c.Image]) == 0 {
			return nil, fmt.Errorf("%s has no reference for image_id %s, which entry %d of the results captions", refs.Path, c.Image, i)
		}
		hyps[c.Image] = c.Text
	}
	if len(hyps) == 0 {
		return nil, fmt.Errorf("%s: no results to score", refs.Path)
	}
	r := &Report{}
	var allRefs, allHyps []string
	for _, id := range refs.Images {
		hyp, ok := hyps[id]
		switch {
		case ok:
			r.Each = append(r.Each, ImageScores{Image: id, Number: refs.Numbers[id]})
			allRefs = append(allRefs, refs.Captions[id]...)
			allHyps = append(allHyps, hyp)
		case len(refs.Captions[id]) > 0:
			r.Unscored++
		}
	}
	r.Pictures, r.References = len(allHyps), len(allRefs)
	allRefs, allHyps = Tokenize(allRefs), Tokenize(allHyps)
	lists := make([][]string, len(r.Each))
	for i, e := range r.Each {
		n := len(refs.Captions[e.Image])
		lists[i], allRefs = allRefs[:n], allRefs[n:]
	}
	r.score(lists, allHyps)
	return r, nil
}

// score fills in all metrics.
func (r *Report) score(refs [][]string, hyps []string) {
	set := func(s *Scores, bleu [order]float64) {
		s.BLEU1, s.BLEU2, s.BLEU3, s.BLEU4 = bleu[0], bleu[1], bleu[2], bleu[3]
	}
	bleu, eachBLEU := BLEU(refs, hyps)
	rouge, eachROUGE := ROUGEL(refs, hyps)
	cider, eachCIDEr := CIDEr(refs, hyps)
	plain, eachPlain := CIDErUnclipped(refs, hyps)
	set(&r.Corpus, bleu)
	r.Corpus.ROUGEL, r.Corpus.CIDEr, r.Corpus.CIDErUnclipped = rouge, cider, plain
	for i := range r.Each {
		s := &r.Each[i].Scores
		set(s, eachBLEU[i])
		s.ROUGEL, s.CIDEr, s.CIDErUnclipped = eachROUGE[i], eachCIDEr[i], eachPlain[i]
	}
}
