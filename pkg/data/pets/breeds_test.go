package pets

import (
	"strings"
	"testing"
)

func TestBreedsAreUnlike(t *testing.T) {
	const least = 12 // three attributes that tell much, or more that tell less
	for i := range Classes {
		for j := range i {
			if d := apart(Breed(i), Breed(j)); d < least {
				t.Errorf("%v and %v are %d apart, want %d", Breed(i), Breed(j), d, least)
			}
		}
	}
	for i := Classes; i < Classes+500; i++ {
		if d := leastApart(Breed(i), set()); d < sisterLeast {
			t.Errorf("sister %v is %d from a breed of the set, want %d", Breed(i), d, sisterLeast)
		}
	}
}

// Colour alone must not tell a breed: every coat colour is that of several
// breeds, and no two breeds differ in colours only.
func TestColourAloneTellsNoBreed(t *testing.T) {
	coats := map[Colour]int{}
	for i := range Classes {
		b := Breed(i)
		coats[b.Coat]++
		for j := range i {
			other := Breed(j)
			other.Index, other.Coat, other.Marking, other.EyeColour = b.Index, b.Coat, b.Marking, b.EyeColour
			if other == b {
				t.Errorf("%v and %v differ in colours only", b, Breed(j))
			}
		}
	}
	for colour, n := range coats {
		if n < 2 || n > coatRepeated {
			t.Errorf("%d breeds are %v, want 2 to %d", n, colour, coatRepeated)
		}
	}
}

func TestMarkingsShow(t *testing.T) {
	for i := range 300 {
		b := Breed(i)
		if d := palette[b.Coat].Luma() - palette[b.Marking].Luma(); b.Pattern != Plain && d < 55 && d > -55 {
			t.Errorf("%v: the markings are %d brighter than the coat, which doesn't show", b, -d)
		}
	}
}

func TestAttributesAreInRange(t *testing.T) {
	seen := make([]map[int]bool, len(AttributeSizes))
	for i := range 600 {
		a := Breed(i).Attributes()
		if len(a) != len(AttributeSizes) || len(a) != len(AttributeNames) || len(a) != len(weights) {
			t.Fatalf("%d attributes, %d sizes, %d names, %d weights", len(a), len(AttributeSizes), len(AttributeNames), len(weights))
		}
		for j, v := range a {
			if v < 0 || v >= AttributeSizes[j] {
				t.Fatalf("%s %d of %d", AttributeNames[j], v, AttributeSizes[j])
			}
			if seen[j] == nil {
				seen[j] = map[int]bool{}
			}
			seen[j][v] = true
		}
	}
	for j, values := range seen {
		if len(values) != AttributeSizes[j] {
			t.Errorf("only %d of %d values of %s occur", len(values), AttributeSizes[j], AttributeNames[j])
		}
	}
}

func TestBreedsInWords(t *testing.T) {
	b := BreedSpec{Index: 7, Coat: Fawn, Marking: Black, Pattern: Tabby, Ears: BatEars, Muzzle: FoxMuzzle, Build: LongLow}
	want := "breed 07: fawn with black, tabby, bat ears, fox muzzle, round head, round amber eyes, smooth fur, thin tail, long low build"
	if got := b.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	b.Pattern = Plain
	if got := b.String(); strings.Contains(got, "black") {
		t.Errorf("a plain breed has no markings, but: %s", got)
	}
	for _, v := range []interface{ String() string }{
		Colour(200), Pattern(200), Ears(200), Muzzle(200), Skull(200), Eyes(200), EyeColour(200), Tail(200), Build(200), Fur(200),
	} {
		if got := v.String(); got != "unknown (200)" {
			t.Errorf("%T 200 is %q", v, got)
		}
	}
}

func TestNegativeBreedPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Breed(-1)
}

// TestNeighboursDifferInOneAttribute: or in the marking besides, where it wasn't seen.
func TestNeighboursDifferInOneAttribute(t *testing.T) {
	for i := range Classes {
		b := Breed(i)
		for a, name := range AttributeNames {
			looks, of, ok := Neighbour(i, a)
			if !ok {
				t.Logf("%v has no neighbour by its %s", b, name)
				if name != "coat" && name != "marking" && name != "pattern" {
					t.Errorf("%v has no neighbour by its %s", b, name)
				}
				continue
			}
			own, got, other := b.Attributes(), looks.Attributes(), Breed(of).Attributes()
			for k := range own {
				switch {
				case k == a && (got[k] == own[k] || got[k] != other[k]):
					t.Errorf("%v: the %s of the neighbour %d isn't taken", b, name, of)
				case k != a && got[k] != own[k] && (AttributeNames[k] != "marking" || b.Pattern != Plain):
					t.Errorf("%v: with another %s, the %s is another", b, name, AttributeNames[k])
				}
			}
			if !matches(looks) {
				t.Errorf("%v: its markings don't show", looks)
			}
		}
	}
	if _, _, ok := Neighbour(0, 11); ok {
		t.Error("there is a twelfth attribute")
	}
}
