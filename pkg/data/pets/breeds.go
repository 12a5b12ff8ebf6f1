package pets

import (
	"sync"

	"gaze/pkg/data/internal/draw"
)

// Classes is the number of breeds in the set.
const Classes = 37

// breedSeed makes the breeds: another number, other breeds.
const breedSeed = 37

// weights says how much a difference in each attribute (in the order of
// BreedSpec.Attributes) sets breeds apart. Colour counts least: a breed should
// be known in any light.
var weights = []int{1, 0, 4, 4, 2, 2, 2, 1, 2, 2, 3}

const (
	candidates   = 300 // looked at for each breed of the set
	sisterLeast  = 12  // that a sister breed differs from each breed of the set
	coatRepeated = 6   // breeds of the set that may have the same coat colour
)

// Breed returns the breed with index i, the same in every program. The first
// [Classes] are the set: each was chosen, among many drawn at random, as the one
// least like those before it. All others, without end, are sisters: drawn from
// the same attributes, each clearly unlike every breed of the set, though two
// sisters may be alike. Pretrain on sisters, and it's the breeds that are new,
// not their eyes and ears. It panics if i is negative.
func Breed(i int) BreedSpec {
	if i < 0 {
		panic("pets: a breed's index can't be negative")
	}
	if i < Classes {
		return set()[i]
	}
	return sister(i)
}

var set = sync.OnceValue(func() []BreedSpec {
	s := draw.NewStream(breedSeed)
	var chosen []BreedSpec
	coats := map[Colour]int{}
	for i := range Classes {
		best, apart := BreedSpec{}, -1
		for range candidates {
			b := drawBreed(s, i)
			if coats[b.Coat] == coatRepeated {
				continue
			}
			if d := leastApart(b, chosen); d > apart {
				best, apart = b, d
			}
		}
		coats[best.Coat]++
		chosen = append(chosen, best)
	}
	return chosen
})

func sister(i int) BreedSpec {
	s := draw.NewStream(breedSeed, uint64(i))
	for {
		if b := drawBreed(s, i); leastApart(b, set()) >= sisterLeast {
			return b
		}
	}
}

func drawBreed(s *draw.Stream, index int) BreedSpec {
	b := BreedSpec{
		Index:     index,
		Coat:      Colour(s.Below(len(colourNames))),
		Marking:   Colour(s.Below(len(colourNames))),
		Pattern:   Pattern(s.Below(len(patternNames))),
		Ears:      Ears(s.Below(len(earNames))),
		Muzzle:    Muzzle(s.Below(len(muzzleNames))),
		Skull:     Skull(s.Below(len(skullNames))),
		Eyes:      Eyes(s.Below(len(eyeNames))),
		EyeColour: EyeColour(s.Below(len(eyeColourNames))),
		Tail:      Tail(s.Below(len(tailNames))),
		Build:     Build(s.Below(len(buildNames))),
		Fur:       Fur(s.Below(len(furNames))),
	}
	for !matches(b) {
		b.Coat, b.Marking = Colour(s.Below(len(colourNames))), Colour(s.Below(len(colourNames)))
	}
	return b
}

// matches reports whether the markings show on the coat: darker in general;
// large ones may be lighter, and the chest of a tuxedo always is.
func matches(b BreedSpec) bool {
	const least = 55
	d := palette[b.Coat].Luma() - palette[b.Marking].Luma()
	switch b.Pattern {
	case Plain:
		return true
	case Tuxedo:
		return d <= -least
	case Patched, HalfFaced, Speckled:
		return d >= least || d <= -least
	}
	return d >= least
}

// apart is how unlike two breeds are.
func apart(a, b BreedSpec) int {
	d, other := 0, b.Attributes()
	for i, v := range a.Attributes() {
		if v != other[i] {
			d += weights[i]
		}
	}
	return d
}

func leastApart(b BreedSpec, others []BreedSpec) int {
	least := 1 << 30
	for _, o := range others {
		least = min(least, apart(b, o))
	}
	return least
}

// palette gives the colours, softer than nature's.
var palette = []draw.RGB{
	White: 0xf6f0e4, Cream: 0xead6b0, Fawn: 0xd8b07c, Ginger: 0xd68c48, Russet: 0xa65c36, Chocolate: 0x74503c,
	Silver: 0xc2c6ca, Slate: 0x6f7c8a, Black: 0x46424a,
}

// irises gives the colours of eyes.
var irises = []draw.RGB{AmberEyes: 0xe0a030, GreenEyes: 0x88ac54, BlueEyes: 0x64a4d4, BrownEyes: 0x8a5834}

// Neighbour returns what a breed looks like with one attribute, numbered as in
// [AttributeNames], changed to that of the breed of the set which is most like it apart
// from that attribute, and that breed's index. Markings must show in the new pattern. ok
// is false if there is no such breed, or no such attribute.
func Neighbour(breed, attribute int) (looks BreedSpec, of int, ok bool) {
	if breed < 0 || attribute < 0 || attribute >= len(AttributeSizes) {
		return BreedSpec{}, 0, false
	}
	b := Breed(breed)
	own, least := b.Attributes()[attribute], 1<<30
	for i, other := range set() {
		value := other.Attributes()[attribute]
		with, err := b.With(attribute, value)
		if err != nil || i == breed || value == own {
			continue
		}
		if b.Pattern == Plain { // whose marking isn't to be seen
			with.Marking = other.Marking
		}
		if d := apart(with, other); d < least && matches(with) {
			looks, of, ok, least = with, i, true, d
		}
	}
	return looks, of, ok
}
