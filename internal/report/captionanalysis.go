package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gaze/pkg/caption/score"
	"gaze/pkg/explain"
	"gaze/pkg/plots"
)

// CaptionAgreement lists captions, and beside each how much it agrees with what people
// wrote, as far as that is known: ROUGE-L against all but one of a picture's references,
// averaged over the one left out, for the caption and for the reference that was left out.
// So both are measured by the same number of sentences. Where nothing is known, the table's
// caption says so.
func CaptionAgreement(set CaptionSet, all []*explain.Captioned) plots.Table {
	t := plots.Table{Columns: []plots.Column{{Name: "photograph"}, {Name: "caption", Align: plots.AlignLeft}}}
	known := slices.ContainsFunc(set.Pictures, func(p Picture) bool { return len(p.References) > 1 })
	if known {
		t.Columns = append(t.Columns, plots.Column{Name: "a person's", Align: plots.AlignLeft},
			plots.Column{Name: "ROUGE-L", Format: "%.2f"}, plots.Column{Name: "a person's ROUGE-L", Format: "%.2f"})
	} else {
		t.Caption = "What people wrote about these photographs isn't known: only the captioner's captions"
	}
	for _, c := range all {
		row := []any{c.Picture, c.Result.Text}
		if p, ok := set.Find(c.Picture); ok && len(p.References) > 1 {
			own, person := agreement(c.Result.Text, p.References)
			row = append(row, p.References[0], own, person)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// agreement is the mean ROUGE-L of a text and of references against the other references.
func agreement(text string, references []string) (own, person float64) {
	refs := score.Tokenize(references)
	hyp := score.Tokenize([]string{text})[0]
	var others [][]string
	for i := range refs {
		others = append(others, slices.Delete(slices.Clone(refs), i, i+1))
	}
	own, _ = score.ROUGEL(others, slices.Repeat([]string{hyp}, len(refs)))
	person, _ = score.ROUGEL(others, refs)
	return own, person
}

// AnalyseCaption puts into words, in Markdown, what a caption's numbers say: how sure the
// captioner was, how wide it looked, where it looked for the nouns, and which words no
// person used. references may be empty.
func AnalyseCaption(c *explain.Captioned, references []string) (string, error) {
	n, err := c.Numbers(-1, explain.MeanHeads)
	if err != nil {
		return "", err
	}
	places, err := nounPlaces(c)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("The captioner says of *%s*: **%s**.\n\n", c.Picture, c.Result.Text) +
		sureness(n) + width(n) + places + alike(n) + unshared(c, references), nil
}

// sureness describes the words' probabilities.
func sureness(n *explain.CaptionNumbers) string {
	words, log := spoken(n), 0.0
	if len(words) == 0 {
		return "- It says nothing.\n"
	}
	sure, unsure := words[0], words[0]
	for _, w := range words {
		log += math.Log(w.Probability)
		if w.Probability > sure.Probability {
			sure = w
		}
		if w.Probability < unsure.Probability {
			unsure = w
		}
	}
	return fmt.Sprintf("- It is surest of *%s* (%.0f %%) and least sure of *%s* (%.0f %%); a word has %.0f %% in the geometric mean.\n",
		sure.Text, 100*sure.Probability, unsure.Text, 100*unsure.Probability, 100*math.Exp(log/float64(len(words))))
}

// width describes how widely the words' attention is spread.
func width(n *explain.CaptionNumbers) string {
	words := spoken(n)
	if len(words) == 0 {
		return ""
	}
	narrow, wide := words[0], words[0]
	for _, w := range words {
		if w.Entropy < narrow.Entropy {
			narrow = w
		}
		if w.Entropy > wide.Entropy {
			wide = w
		}
	}
	return fmt.Sprintf("- It looks narrowest for *%s*, as if at %.0f of %d cells evenly, and widest for *%s*, as if at %.0f.\n",
		narrow.Text, math.Exp2(narrow.Entropy), n.Cells, wide.Text, math.Exp2(wide.Entropy))
}

// spoken is the words without the final [explain.End].
func spoken(n *explain.CaptionNumbers) []explain.WordNumbers {
	return slices.DeleteFunc(slices.Clone(n.Words), func(w explain.WordNumbers) bool { return w.Text == explain.End })
}

// nounPlaces says where the largest weight of each noun that has an article is.
func nounPlaces(c *explain.Captioned) (string, error) {
	var places []string
	for _, noun := range c.Nouns() {
		if noun < 0 {
			continue
		}
		m, err := c.Map(noun, -1, explain.MeanHeads)
		if err != nil {
			return "", err
		}
		places = append(places, fmt.Sprintf("*%s* %s", c.Words[noun].Text, place(m)))
	}
	if len(places) == 0 {
		return "", nil
	}
	return "- The largest weight of its nouns: " + strings.Join(places, ", ") + ".\n", nil
}

// place names the ninth of the picture that has a map's largest weight.
func place(m explain.Map) string {
	best := 0
	for i, v := range m.Values {
		if v > m.Values[best] {
			best = i
		}
	}
	row := (2*(best/m.Cols) + 1) * 3 / (2 * m.Rows)
	col := (2*(best%m.Cols) + 1) * 3 / (2 * m.Cols)
	if row == 1 && col == 1 {
		return "in the middle"
	}
	text := []string{"top", "", "bottom"}[row] + " " + []string{"left", "", "right"}[col]
	return "at the " + strings.TrimSpace(text)
}

// sameMaps is the diversity below which maps hardly depend on the word: cosines of 0.9 in
// the mean.
const sameMaps = 0.1

// alike says how much the maps depend on the word.
func alike(n *explain.CaptionNumbers) string {
	text := fmt.Sprintf("- The maps of two words have a cosine similarity of %.2f in the mean", 1-n.Diversity)
	if n.Diversity < sameMaps {
		return text + ": they hardly depend on the word, so that they say little about single words.\n"
	}
	if a := n.Articles; a != nil && a.Others != nil {
		text += fmt.Sprintf("; an article's map with its own noun's %.2f, with other nouns' %.2f", a.Own, *a.Others)
	}
	return text + ".\n"
}

// unshared lists the words of the caption that no person used.
func unshared(c *explain.Captioned, references []string) string {
	if len(references) == 0 {
		return ""
	}
	theirs := map[string]bool{}
	for _, r := range score.Tokenize(references) {
		for _, w := range strings.Fields(r) {
			theirs[w] = true
		}
	}
	var only []string
	for _, w := range strings.Fields(score.Tokenize([]string{c.Result.Text})[0]) {
		if !theirs[w] && !slices.Contains(only, "*"+w+"*") {
			only = append(only, "*"+w+"*")
		}
	}
	if len(only) == 0 {
		return fmt.Sprintf("- Each of its words is in what %d people wrote.\n", len(references))
	}
	return fmt.Sprintf("- None of %d people wrote %s.\n", len(references), strings.Join(only, ", "))
}
