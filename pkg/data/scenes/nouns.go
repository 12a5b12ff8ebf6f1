package scenes

import (
	"slices"
	"strings"

	"gaze/pkg/data/internal/draw"
	"gaze/pkg/transform"
)

// Noun is something in a picture that its captions name.
type Noun struct {
	Word  string   // the usual word for it
	Words []string // those of its names that this picture's captions use
	Kind  Kind
	// Mask has the picture's size and one channel: the share of each pixel, of
	// 255, that shows it. What hides it is not part of it; what it wears, is. A
	// colour's mask is that of the shirt, animal or thing that has it.
	Mask *transform.Image
}

// named is a noun before its mask is made.
type named struct {
	words  []string
	kind   Kind
	labels draw.Labels
}

// nouns returns what the captions name.
func (t *stage) nouns(per int, captions []string) []Noun {
	said := map[string]bool{}
	for _, c := range captions {
		for w := range strings.FieldsSeq(c) {
			said[w] = true
		}
	}
	var out []Noun
	for _, n := range t.named() {
		used := slices.DeleteFunc(slices.Clone(n.words), func(w string) bool { return !said[w] })
		if len(used) > 0 {
			out = append(out, Noun{Word: n.words[0], Words: used, Kind: n.kind, Mask: t.Mask(per, n.labels)})
		}
	}
	return out
}

// named lists all that can be named in the scene.
func (t *stage) named() []named {
	var out []named
	who := named{[]string{singular[t.who]}, Animal, t.cast[theSubject]}
	if t.count > 1 && t.who != sheep {
		who.words = []string{plural[t.who]}
	}
	if t.who.person() {
		who.kind = Person
		who.words = append(who.words, "person", "people")
	}
	out = append(out, who)
	if t.wears() {
		out = append(out, named{[]string{"shirt"}, Thing, t.cast[theShirt]}, named{[]string{colourNames[t.shirt]}, Colour, t.cast[theShirt]})
	}
	if names := t.names(); names != nil {
		if t.count > 1 && len(names) > 1 {
			names = names[len(names)/2:]
		}
		out = append(out, named{names, Thing, t.cast[theThing]})
	}
	if t.coloured() {
		out = append(out, named{[]string{colourNames[t.thing]}, Colour, t.cast[theThing]})
	}
	coat := t.cast[theSubject]
	if t.cast[theBeast] != 0 {
		coat = t.cast[theBeast]
		out = append(out, named{[]string{singular[t.beast()]}, Animal, coat})
	}
	if coat != 0 && (!t.who.person() || t.cast[theBeast] != 0) {
		out = append(out, named{[]string{colourNames[t.coat]}, Colour, coat})
		if t.who == cow {
			out = append(out, named{[]string{"white"}, Colour, coat})
		}
	}
	for _, n := range sceneryNames[t.place] {
		out = append(out, named{n.words, Place, n.labels})
	}
	return out
}
