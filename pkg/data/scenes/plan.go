package scenes

import (
	"fmt"

	"gaze/pkg/data/internal/draw"
)

// Split tells sets of pictures apart. The first three show the same
// combinations, in other pictures; HeldOut shows those that the others never do:
// a subject that does something in a place (a ninth of these triples), a thing
// in a colour or somebody in a shirt of a colour (a seventh of these pairs).
// Each of the words and counts is in the others too.
type Split uint8

// The splits.
const (
	Train Split = iota
	Val
	Test
	HeldOut
)

var splitNames = [...]string{"train", "val", "test", "heldout"}

// Splits are all splits, in order.
func Splits() []Split { return []Split{Train, Val, Test, HeldOut} }

func (s Split) String() string {
	if int(s) < len(splitNames) {
		return splitNames[s]
	}
	return fmt.Sprintf("Split(%d)", uint8(s))
}

// place is where a scene is set.
type place uint8

const (
	field place = iota
	slope
	street
	beach
	kitchen
	park
	places
)

// subject is whom a scene is about.
type subject uint8

const (
	man subject = iota
	woman
	boy
	girl
	sheep
	dog
	cat
	horse
	cow
	bird
	subjects
)

func (s subject) person() bool { return s <= girl }

// action is what the subject does.
type action uint8

const (
	standing action = iota
	biking
	sheltering // under an umbrella
	skiing
	eating
	kiting
	surfing // carrying a surfboard
	resting // on a bench
	playing // with a ball
	leading // a dog
	mounted // on a horse
	grazing
	lying
	actions
)

// food is what is eaten.
type food uint8

const (
	pizza food = iota
	sandwich
	cake
	foods
)

// colour is a colour that has a name.
type colour uint8

const (
	red colour = iota
	blue
	green
	yellow
	orange
	purple
	bright        // the number of those that clothes and things have
	white  colour = iota - 1
	black
	brown
	gray
)

var (
	colourNames = [...]string{"red", "blue", "green", "yellow", "orange", "purple", "white", "black", "brown", "gray"}
	colourInks  = [...]draw.RGB{0xd8342c, 0x2f62c9, 0x2c9a4b, 0xf2cb2e, 0xf0862a, 0x8447b4, 0xf4f1e8, 0x403e48, 0x8f5a34, 0x9a9aa2}
)

// plan is a scene in words: all that captions may say.
type plan struct {
	place  place
	who    subject
	count  int // of subjects, 1 to 3
	does   action
	food   food
	shirt  colour // of a single person
	thing  colour // of a bike, umbrella, kite, ball, surfboard
	coat   colour // of the subject if an animal; of the dog or horse with a person
	tree   bool   // a tree stands there
	sunny  bool
	dinner bool // there is a table
}

// where lists the places of each action.
var where = [actions][]place{
	standing:   {field, slope, street, beach, kitchen, park},
	biking:     {field, street, beach, park},
	sheltering: {field, slope, street, beach, park},
	skiing:     {slope},
	eating:     {kitchen, park, beach, street},
	kiting:     {field, beach, park, slope},
	surfing:    {beach},
	resting:    {street, beach, park, slope},
	playing:    {field, beach, park, slope, street},
	leading:    {field, slope, street, beach, park},
	mounted:    {field, beach, park, slope},
	grazing:    {field, park},
	lying:      {field, beach, park, street, kitchen},
}

// canDo lists what the subjects do; an action listed twice is chosen twice as often.
func canDo(s subject) []action {
	switch s {
	case sheep, cow:
		return []action{standing, grazing, grazing, lying}
	case horse:
		return []action{standing, grazing, lying}
	case dog:
		return []action{standing, lying, resting, playing}
	case cat:
		return []action{standing, lying, resting, playing}
	case bird:
		return []action{standing, resting}
	}
	return []action{standing, biking, biking, sheltering, sheltering, skiing, skiing, eating, eating, kiting, surfing, resting, playing, leading, mounted}
}

// coats lists the colours of an animal.
func coats(s subject) []colour {
	switch s {
	case sheep:
		return []colour{white, black}
	case dog:
		return []colour{brown, black, white}
	case cat:
		return []colour{orange, black, gray}
	case horse:
		return []colour{brown, black, white}
	case cow:
		return []colour{brown, black}
	case bird:
		return []colour{red, blue, yellow}
	}
	return []colour{brown} // not used
}

// herds says which actions more than one do together.
func herds(s subject, a action) bool {
	if s.person() {
		return a == standing || a == biking || a == sheltering || a == skiing
	}
	return a == standing || a == grazing || a == lying
}

// choose plans a scene of a split.
func choose(s *draw.Stream, split Split) plan {
	for {
		p := choosePlan(s)
		if p.held() == (split == HeldOut) {
			return p
		}
	}
}

func choosePlan(s *draw.Stream) plan {
	var p plan
	p.who = subject(s.Below(4))
	if s.Chance(0.4) {
		p.who = sheep + subject(s.Below(int(subjects-sheep)))
	}
	p.does = draw.Pick(s, canDo(p.who)...)
	p.place = draw.Pick(s, where[p.does]...)
	for !p.who.person() && p.place == kitchen && p.who != dog && p.who != cat {
		p.place = draw.Pick(s, where[p.does]...)
	}
	p.count = 1
	if herds(p.who, p.does) && p.place != kitchen {
		p.count = draw.Pick(s, 1, 1, 2, 2, 3)
	}
	p.food = food(s.Below(int(foods)))
	p.shirt = colour(s.Below(int(bright)))
	p.thing = colour(s.Below(int(bright)))
	p.coat = draw.Pick(s, coats(p.beast())...)
	for p.thing == p.shirt || p.thing == p.coat {
		p.thing = colour(s.Below(int(bright)))
	}
	p.tree = s.Chance(0.5)
	p.sunny = s.Chance(0.5)
	p.dinner = p.does == eating && p.place == kitchen
	return p
}

// beast is the animal in the scene, or the one that would be.
func (p plan) beast() subject {
	switch p.does {
	case leading:
		return dog
	case mounted:
		return horse
	}
	return p.who
}

// held tells whether the plan is one of the combinations that are held out:
// a subject that does something somewhere, or a thing or a shirt in a colour.
// Counts aren't held out, nor is what animals do by themselves in a single place.
func (p plan) held() bool {
	if len(where[p.does]) > 1 && (int(p.who)+2*int(p.does)+3*int(p.place))%9 == 4 {
		return true
	}
	if p.coloured() && (int(p.thing)+int(p.does))%7 == 3 {
		return true
	}
	return p.wears() && (int(p.shirt)+2*int(p.who))%7 == 5
}

// coloured tells whether a thing in a colour of its own is in the scene.
func (p plan) coloured() bool {
	switch p.does {
	case biking, sheltering:
		return p.count == 1
	case kiting, surfing, playing:
		return true
	}
	return false
}

// wears tells whether one shirt is to be seen.
func (p plan) wears() bool { return p.who.person() && p.count == 1 }
