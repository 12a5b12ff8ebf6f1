package pets

import (
	"fmt"
	"strings"
)

// Attributes of a breed. Each is counted from 0; String gives it in words.
type (
	Colour    uint8 // of the coat and of its markings
	Pattern   uint8 // of the markings
	Ears      uint8
	Muzzle    uint8
	Skull     uint8 // outline of the head
	Eyes      uint8
	EyeColour uint8
	Tail      uint8
	Build     uint8
	Fur       uint8
)

// The colours.
const (
	White Colour = iota
	Cream
	Fawn
	Ginger
	Russet
	Chocolate
	Silver
	Slate
	Black
)

// The patterns of the markings, on the whole animal and on the head.
const (
	Plain     Pattern = iota
	Tabby             // stripes; lines on the forehead and cheeks
	Spotted           // round spots
	Rosetted          // rings
	Patched           // large patches; one round an eye
	Speckled          // many small specks
	Pointed           // ears, muzzle, legs and tail
	Tuxedo            // chest, lower face and paws
	Saddled           // back and top of the head
	Goggled           // round both eyes; tip of the tail, a belt
	HalfFaced         // one half of the face, the front of the body
)

// The shapes of ears.
const (
	PointedEars Ears = iota
	RoundEars
	BatEars
	TuftedEars
	FoldedEars
	DroopingEars
	ButtonEars
)

// The shapes of muzzles.
const (
	FlatMuzzle Muzzle = iota
	ShortMuzzle
	JowlyMuzzle
	LongMuzzle
	FoxMuzzle
)

// The shapes of heads.
const (
	RoundSkull Skull = iota
	WedgeSkull
	SquareSkull
	LongSkull
)

// The shapes of eyes.
const (
	RoundEyes Eyes = iota
	AlmondEyes
	SleepyEyes
	BeadyEyes
	WideEyes
)

// The colours of eyes.
const (
	AmberEyes EyeColour = iota
	GreenEyes
	BlueEyes
	BrownEyes
)

// The shapes of tails.
const (
	ThinTail Tail = iota
	BushyTail
	CurledTail
	StubTail
	PlumedTail
	TippedTail
)

// The builds.
const (
	Slender Build = iota
	Medium
	Stocky
	LongLow
	Toy
)

// The kinds of fur.
const (
	Smooth Fur = iota
	Plush
	Shaggy
	Curly
	Maned
	Wrinkled
)

var (
	colourNames  = []string{"white", "cream", "fawn", "ginger", "russet", "chocolate", "silver", "slate", "black"}
	patternNames = []string{
		"plain", "tabby", "spotted", "rosetted", "patched", "speckled", "pointed", "tuxedo", "saddled", "goggled", "half-faced",
	}
	earNames       = []string{"pointed", "round", "bat", "tufted", "folded", "drooping", "button"}
	muzzleNames    = []string{"flat", "short", "jowly", "long", "fox"}
	skullNames     = []string{"round", "wedge", "square", "long"}
	eyeNames       = []string{"round", "almond", "sleepy", "beady", "wide"}
	eyeColourNames = []string{"amber", "green", "blue", "brown"}
	tailNames      = []string{"thin", "bushy", "curled", "stub", "plumed", "tipped"}
	buildNames     = []string{"slender", "medium", "stocky", "long low", "toy"}
	furNames       = []string{"smooth", "plush", "shaggy", "curly", "maned", "wrinkled"}
)

func (a Colour) String() string    { return name(colourNames, int(a)) }
func (a Pattern) String() string   { return name(patternNames, int(a)) }
func (a Ears) String() string      { return name(earNames, int(a)) }
func (a Muzzle) String() string    { return name(muzzleNames, int(a)) }
func (a Skull) String() string     { return name(skullNames, int(a)) }
func (a Eyes) String() string      { return name(eyeNames, int(a)) }
func (a EyeColour) String() string { return name(eyeColourNames, int(a)) }
func (a Tail) String() string      { return name(tailNames, int(a)) }
func (a Build) String() string     { return name(buildNames, int(a)) }
func (a Fur) String() string       { return name(furNames, int(a)) }

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown (%d)", i)
}

// BreedSpec describes an invented breed: everything that its animals have in
// common.
type BreedSpec struct {
	Index     int
	Coat      Colour
	Marking   Colour // differs from Coat in brightness, so that it shows
	Pattern   Pattern
	Ears      Ears
	Muzzle    Muzzle
	Skull     Skull
	Eyes      Eyes
	EyeColour EyeColour
	Tail      Tail
	Build     Build
	Fur       Fur
}

// Name is the breed's number: "breed 07".
func (b BreedSpec) Name() string { return fmt.Sprintf("breed %02d", b.Index) }

// String describes the breed in a line, what tells most first.
func (b BreedSpec) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s: %s", b.Name(), b.Coat)
	if b.Pattern != Plain {
		fmt.Fprintf(&s, " with %s, %s", b.Marking, b.Pattern)
	}
	fmt.Fprintf(&s, ", %s ears, %s muzzle, %s head, %s %s eyes, %s fur, %s tail, %s build",
		b.Ears, b.Muzzle, b.Skull, b.Eyes, b.EyeColour, b.Fur, b.Tail, b.Build)
	return s.String()
}

// AttributeSizes gives the number of values of each of [BreedSpec.Attributes].
var AttributeSizes = []int{
	len(colourNames), len(colourNames), len(patternNames), len(earNames), len(muzzleNames), len(skullNames),
	len(eyeNames), len(eyeColourNames), len(tailNames), len(buildNames), len(furNames),
}

// AttributeNames names each of [BreedSpec.Attributes].
var AttributeNames = []string{
	"coat", "marking", "pattern", "ears", "muzzle", "skull", "eyes", "eye colour", "tail", "build", "fur",
}

// Attributes returns the breed as numbers, coat to fur in the order of the
// fields, each in [0, AttributeSizes[i]): targets for learning what breeds are
// made of. A plain breed's marking is not to be seen.
func (b BreedSpec) Attributes() []int {
	return []int{
		int(b.Coat), int(b.Marking), int(b.Pattern), int(b.Ears), int(b.Muzzle), int(b.Skull),
		int(b.Eyes), int(b.EyeColour), int(b.Tail), int(b.Build), int(b.Fur),
	}
}
