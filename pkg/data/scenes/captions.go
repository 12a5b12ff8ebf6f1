package scenes

import (
	"slices"
	"strings"

	"gaze/pkg/data/internal/draw"
)

// References is the number of captions of a picture.
const References = 5

// author writes the captions of one scene.
type author struct {
	plan
	s *draw.Stream
}

// captions returns different sentences about a plan, all of them true.
func captions(p plan, s *draw.Stream) []string {
	a := author{p, s}
	var out []string
	for len(out) < References {
		if c := a.sentence(); !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func (a *author) sentence() string {
	be := "is"
	if a.count > 1 {
		be = "are"
	}
	who, does := a.subject(), a.action()
	where := a.location(does)
	switch n := a.s.Below(10); {
	case n < 2:
		if strings.HasSuffix(strings.Fields(does)[0], "ing") {
			does = be + " " + does
		}
	case n == 2:
		who = "there " + be + " " + who
	case n == 3:
		if extra := a.surroundings(); extra != "" {
			where += " " + extra
		}
	}
	return join(who, does, where)
}

// join puts words together and says "an" where it is due.
func join(parts ...string) string {
	w := strings.Fields(strings.Join(parts, " "))
	for i := range w[:len(w)-1] {
		if w[i] == "a" && strings.ContainsRune("aeiou", rune(w[i+1][0])) {
			w[i] = "an"
		}
	}
	return strings.Join(w, " ")
}

// subject names who it is about.
func (a *author) subject() string {
	number, noun := numbers[a.count], singular[a.who]
	if a.count > 1 {
		noun = plural[a.who]
	}
	if !a.who.person() {
		if a.s.Chance(0.5) {
			noun = join(a.hide(a.who), noun)
		}
		return join(number, noun)
	}
	switch {
	case a.s.Chance(0.08) && a.count == 1:
		noun = "person"
	case a.s.Chance(0.08) && a.count > 1:
		noun = "people"
	case a.who >= boy && a.s.Chance(0.25):
		noun = join(draw.Pick(a.s, "young", "little"), noun)
	}
	if a.wears() && a.s.Chance(0.35) {
		return join(number, noun, "in a", colourNames[a.shirt], "shirt")
	}
	return join(number, noun)
}

// hide is the colour of an animal in words.
func (a *author) hide(s subject) string {
	if s == cow {
		return colourNames[a.coat] + " and white"
	}
	return colourNames[a.coat]
}

// hue is the colour of the subject's thing, or nothing.
func (a *author) hue() string {
	if a.coloured() && a.s.Chance(0.5) {
		return colourNames[a.thing]
	}
	return ""
}

func (a *author) action() string {
	switch a.does {
	case biking:
		if a.count > 1 {
			return draw.Pick(a.s, "riding bikes", "riding bikes", "riding bicycles", "on bikes")
		}
		return join(draw.Pick(a.s, "riding a", "riding a", "riding a", "on a"), a.hue(), draw.Pick(a.s, "bike", "bike", "bicycle"))
	case sheltering:
		if a.count > 1 {
			return draw.Pick(a.s, "holding umbrellas", "holding umbrellas", "with umbrellas", "under umbrellas")
		}
		return join(draw.Pick(a.s, "holding a", "holding a", "holding a", "under a", "with a"), a.hue(), "umbrella")
	case skiing:
		return draw.Pick(a.s, "skiing", "skiing", "skiing", "on skis", "riding skis")
	case eating:
		return a.meal()
	case kiting:
		return join(draw.Pick(a.s, "flying a", "flying a", "flying a", "playing with a"), a.hue(), "kite")
	case surfing:
		return join(draw.Pick(a.s, "holding a", "carrying a", "holding a", "with a"), a.hue(), "surfboard")
	case resting:
		if !a.who.person() {
			return join(draw.Pick(a.s, "standing on", "standing on", "on"), draw.Pick(a.s, "a bench", "a bench", "a wooden bench"))
		}
		return join(draw.Pick(a.s, "sitting on", "sitting on", "on"), draw.Pick(a.s, "a bench", "a bench", "a wooden bench"))
	case playing:
		if a.who.person() && a.s.Chance(0.3) {
			return join("kicking a", a.hue(), "ball")
		}
		return join(draw.Pick(a.s, "playing with a", "playing with a", "with a"), a.hue(), "ball")
	}
	return a.withAnimals()
}

// withAnimals is what persons do with animals and what animals do.
func (a *author) withAnimals() string {
	hide := ""
	if a.s.Chance(0.5) {
		hide = colourNames[a.coat]
	}
	switch a.does {
	case leading:
		return join(draw.Pick(a.s, "walking a", "walking a", "with a"), hide, "dog")
	case mounted:
		return join(draw.Pick(a.s, "riding a", "riding a", "riding a", "sitting on a", "on a"), hide, "horse")
	case grazing:
		return draw.Pick(a.s, "grazing", "grazing", "eating grass")
	case lying:
		return draw.Pick(a.s, "lying", "lying", "lying down")
	}
	return "standing"
}

func (a *author) meal() string {
	what := [...]string{"a slice of pizza", "a sandwich", "a piece of cake"}[a.food]
	if a.food != sandwich && a.s.Chance(0.3) {
		what = [...]string{"a piece of pizza", "", "a slice of cake"}[a.food]
	}
	if a.dinner {
		return draw.Pick(a.s, "eating "+what, "sitting at a table with "+what, "with "+what+" on a table", "at a table with "+what)
	}
	return join(draw.Pick(a.s, "holding", "holding", "eating", "with"), what)
}

// location is where it happens; a way down belongs to an action that moves.
func (a *author) location(does string) string {
	switch a.place {
	case slope:
		if a.does == skiing && does != "on skis" {
			return draw.Pick(a.s, "down a slope", "down a slope", "down a snowy slope", "down a hill", "in the snow")
		}
		return draw.Pick(a.s, "in the snow", "in the snow", "on a snowy slope")
	case street:
		return draw.Pick(a.s, "on a street", "on a street", "on the street", "on a road")
	case beach:
		return draw.Pick(a.s, "on a beach", "on the beach", "on the beach", "on the sand")
	case kitchen:
		return draw.Pick(a.s, "in a kitchen", "in a kitchen", "in the kitchen")
	case park:
		return draw.Pick(a.s, "in a park", "in a park", "in the park")
	}
	return draw.Pick(a.s, "in a field", "in a field", "in a green field", "on the grass")
}

// surroundings is what else is there to be seen, if anything.
func (a *author) surroundings() string {
	switch a.place {
	case slope:
		return "with mountains in the background"
	case street:
		return "in front of buildings"
	case beach:
		return "near the ocean"
	}
	if a.tree && a.place != kitchen {
		return draw.Pick(a.s, "near trees", "with trees in the background")
	}
	return ""
}
