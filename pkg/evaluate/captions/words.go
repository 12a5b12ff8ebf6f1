package captions

import (
	"slices"
	"strings"

	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
)

// word is a word of a caption.
type word struct {
	text        string
	first, last int // its pieces
}

// wordsOf joins the pieces of a caption to words; special pieces are none.
func wordsOf(r caption.Result) []word {
	var out []word
	for i, p := range r.Tokens {
		rest, goesOn := strings.CutPrefix(p.Text, "##")
		switch {
		case strings.HasPrefix(p.Text, "[") && strings.HasSuffix(p.Text, "]"): // [SEP], [UNK]
		case goesOn && len(out) > 0 && out[len(out)-1].last == i-1:
			out[len(out)-1].text += rest
			out[len(out)-1].last = i
		default:
			out = append(out, word{p.Text, i, i})
		}
	}
	return out
}

var numbers = map[string]int{
	"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
}

// countOf is the first number in a caption, an article counting as 1; 0 if there is
// none. The first number is that of the subject: 2 in "there are two sheep on a beach".
func countOf(words []word) int {
	for _, w := range words {
		if n := numbers[w.text]; n > 0 {
			return n
		}
	}
	return 0
}

// subjects are the words for a caption's subject.
var subjects = []string{
	"man", "men", "woman", "women", "boy", "boys", "girl", "girls", "person", "people",
	"sheep", "dog", "dogs", "cat", "cats", "horse", "horses", "cow", "cows", "bird", "birds",
}

// subjectRight tells whether the first subject that a caption names is the scene's. "person" and "people" are right for any person.
func subjectRight(words []word, about scenes.Noun) bool {
	for _, w := range words {
		if slices.Contains(subjects, w.text) {
			return names(about, w.text) || about.Kind == scenes.Person && (w.text == "person" || w.text == "people")
		}
	}
	return false
}

// names tells whether a word names a noun.
func names(n scenes.Noun, word string) bool { return word == n.Word || slices.Contains(n.Words, word) }

// nounOf finds what the i-th word names in the scene; -1 if nothing.
func nounOf(words []word, i int, nouns []scenes.Noun) int {
	return slices.IndexFunc(nouns, func(n scenes.Noun) bool {
		return names(n, words[i].text) && !(n.Kind == scenes.Colour && ofField(words, i))
	})
}

// ofField tells whether the i-th word says of a field that it is green, even where
// somebody wears green: captions give no other place a colour.
func ofField(words []word, i int) bool { return i+1 < len(words) && words[i+1].text == "field" }

// modifiers may stand between an article and its noun.
var modifiers = []string{
	"red", "blue", "green", "yellow", "orange", "purple", "white", "black", "brown", "gray", "and",
	"young", "little", "wooden", "snowy",
}

// articleOf finds the article of the noun that is the i-th word; -1 if it has none.
func articleOf(words []word, i int) int {
	for i--; i >= 0; i-- {
		switch t := words[i].text; {
		case t == "a" || t == "an" || t == "the":
			return i
		case !slices.Contains(modifiers, t):
			return -1
		}
	}
	return -1
}
