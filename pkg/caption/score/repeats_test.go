package score

import (
	"fmt"
	"testing"
)

func TestRepeats(t *testing.T) {
	for sentence, want := range map[string]bool{
		"a plate of a plate of a plate":                      true,
		"a bed with a bed with a bed":                        true,
		"a Bed with a bed":                                   true,
		"a man man on a horse":                               true,
		"cups and cups on a shelf":                           true,
		"a man on a bench near a dog on a bench on a bench":  true, // a bench on a bench
		"a man with a hat and a man with a tie":              false,
		"a dog on a couch next to a cat on a couch":          false,
		"a red and a blue and a green and a yellow umbrella": true, // "and a" three times
		"a person holding a cell phone in a hand":            false,
		"two dogs side by side on a hand in hand":            false,
		"the the":     true,
		"with a with": false,
		"":            false,
		"a":           false,
		"a cat on":    false,
	} {
		if got := Repeats(sentence); got != want {
			t.Errorf("%q: %v", sentence, got)
		}
	}
}

func ExampleRepeats() {
	fmt.Println(Repeats("a bed with a bed in a room"), Repeats("a bed in a room"))
	// Output: true false
}
