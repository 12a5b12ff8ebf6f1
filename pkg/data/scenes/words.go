package scenes

import (
	"slices"

	"gaze/pkg/data/internal/draw"
)

// Kind is what kind of word names something.
type Kind uint8

// The kinds of words.
const (
	Person Kind = iota
	Animal
	Thing
	Place  // the setting and what belongs to it: field, snow, trees, table
	Colour // of a shirt, an animal or a thing
)

func (k Kind) String() string {
	return [...]string{"person", "animal", "thing", "place", "colour"}[k]
}

// words are all that captions are made of.
var words = []string{
	"a", "an", "the", "is", "are", "there", "in", "on", "of", "with", "at", "and", "near", "under", "down", "front", "background",
	"two", "three", "young", "little", "wooden", "green", "snowy",
	"man", "men", "woman", "women", "boy", "boys", "girl", "girls", "person", "people",
	"sheep", "dog", "dogs", "cat", "cats", "horse", "horses", "cow", "cows", "bird", "birds",
	"red", "blue", "yellow", "orange", "purple", "white", "black", "brown", "gray",
	"shirt", "bike", "bicycle", "bikes", "bicycles", "umbrella", "umbrellas", "skis", "kite", "ball", "surfboard", "bench",
	"piece", "slice", "pizza", "sandwich", "cake", "table",
	"field", "grass", "slope", "hill", "snow", "mountains", "street", "road", "buildings", "beach", "sand", "ocean", "kitchen", "park", "trees",
	"standing", "riding", "holding", "skiing", "eating", "flying", "carrying", "sitting", "playing", "kicking", "walking", "grazing", "lying",
}

// Words returns every word that captions use, in alphabetic order. A caption's
// words stand apart by single spaces, without punctuation.
func Words() []string {
	out := slices.Clone(words)
	slices.Sort(out)
	return out
}

// singular and plural name the subjects.
var (
	singular = [subjects]string{"man", "woman", "boy", "girl", "sheep", "dog", "cat", "horse", "cow", "bird"}
	plural   = [subjects]string{"men", "women", "boys", "girls", "sheep", "dogs", "cats", "horses", "cows", "birds"}
	numbers  = [...]string{1: "a", 2: "two", 3: "three"}
)

// names returns the words for what the subject has to do with, the usual first.
func (p plan) names() []string {
	switch p.does {
	case biking:
		return []string{"bike", "bicycle", "bikes", "bicycles"}
	case sheltering:
		return []string{"umbrella", "umbrellas"}
	case skiing:
		return []string{"skis"}
	case eating:
		return []string{[...]string{"pizza", "sandwich", "cake"}[p.food]}
	case kiting:
		return []string{"kite"}
	case surfing:
		return []string{"surfboard"}
	case resting:
		return []string{"bench"}
	case playing:
		return []string{"ball"}
	}
	return nil
}

// sceneryNames says which words name which scenery.
var sceneryNames = [places][]struct {
	words  []string
	labels draw.Labels
}{
	field:   {{[]string{"field", "grass"}, draw.On(ground)}, {[]string{"trees"}, draw.On(trees)}},
	slope:   {{[]string{"snow", "slope", "hill"}, draw.On(ground)}, {[]string{"mountains"}, draw.On(far)}, {[]string{"trees"}, draw.On(trees)}},
	street:  {{[]string{"street", "road"}, draw.On(road)}, {[]string{"buildings"}, draw.On(far)}, {[]string{"trees"}, draw.On(trees)}},
	beach:   {{[]string{"beach", "sand"}, draw.On(ground)}, {[]string{"ocean"}, draw.On(far)}},
	kitchen: {{[]string{"kitchen"}, draw.On(room, table)}, {[]string{"table"}, draw.On(table)}},
	park:    {{[]string{"park"}, draw.On(ground, road, trees)}, {[]string{"grass"}, draw.On(ground)}, {[]string{"trees"}, draw.On(trees)}},
}
