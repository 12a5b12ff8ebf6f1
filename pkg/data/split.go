package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gaze/pkg/transform"
)

// Stream numbers that make sequences of random numbers with the same seed independent.
const (
	shuffleStream = 0x73687566666c65 // "shuffle"
	splitStream   = 0x73706c6974     // "split"
	mixStream     = 0x6d6978         // "mix"
	firstStream   = 0x6669727374     // "first"
)

// HoldOut chooses a part of a set, for example for validation, and returns the indices of
// the rest and of the part, both in order. Each class gives the same fraction, as nearly
// as whole pictures allow, so that the part has round(fraction · pictures) pictures; no
// class gives its last picture. The choice depends only on the seed. The fraction must be
// between 0 and 1. It is an error if there are too few pictures to hold any out, or if a
// label isn't one of the classes.
func HoldOut(set Set, classes int, seed uint64, fraction float64) (rest, part []int, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("data set: a fraction of %g can't be split off: it must be between 0 and 1", fraction)
	}
	members, counts := make([][]int, classes), make([]int, classes)
	for i := range set.Len() {
		label := set.Label(i)
		if label < 0 || label >= classes {
			return nil, nil, fmt.Errorf("data set: %s has class %d, but there are %d classes (from 0)", set.Name(i), label, classes)
		}
		members[label] = append(members[label], i)
		counts[label]++
	}
	taken := make([]bool, set.Len())
	for class, n := range shares(counts, fraction) {
		list := members[class]
		shuffle(list, transform.NewRand(seed^splitStream, uint64(class), 0, 0))
		for _, i := range list[:n] {
			taken[i] = true
		}
	}
	for i := range taken {
		if taken[i] {
			part = append(part, i)
		} else {
			rest = append(rest, i)
		}
	}
	if len(part) == 0 {
		return nil, nil, fmt.Errorf("data set: %d pictures of %d classes are too few to split off %g of them", set.Len(), classes, fraction)
	}
	return rest, part, nil
}

// Split is [HoldOut] that returns data sets.
func (d *Dataset) Split(seed uint64, fraction float64) (rest, part *Dataset, err error) {
	others, some, err := HoldOut(d, len(d.Classes), seed, fraction)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.Root, err)
	}
	return d.Pick(others), d.Pick(some), nil
}

// First chooses the first each pictures of every class, in an order drawn from the seed,
// and returns their indices in the set's order; a class with fewer gives all it has. With
// the same seed a smaller number is a part of a larger one. each must be at least 1; a
// label that isn't one of the classes is an error.
func First(set Set, classes int, seed uint64, each int) ([]int, error) {
	if each < 1 {
		return nil, fmt.Errorf("data set: %d pictures of each class can't be chosen: 1 or more", each)
	}
	members := make([][]int, classes)
	for i := range set.Len() {
		label := set.Label(i)
		if label < 0 || label >= classes {
			return nil, fmt.Errorf("data set: %s has class %d, but there are %d classes (from 0)", set.Name(i), label, classes)
		}
		members[label] = append(members[label], i)
	}
	var places []int
	for class, list := range members {
		shuffle(list, transform.NewRand(seed^firstStream, uint64(class), 0, 0))
		places = append(places, list[:min(each, len(list))]...)
	}
	slices.Sort(places)
	return places, nil
}

// Pick returns a data set of the pictures with the given indices.
func (d *Dataset) Pick(places []int) *Dataset {
	out := &Dataset{Root: d.Root, Classes: d.Classes, Items: make([]Item, len(places))}
	for k, i := range places {
		out.Items[k] = d.Items[i]
	}
	return out
}

// Subset is the pictures of a set with the given indices, in their order. It is a [Set].
type Subset struct {
	Set
	Places []int
}

// Len is the number of pictures.
func (s Subset) Len() int { return len(s.Places) }

// Label is the class of picture i.
func (s Subset) Label(i int) int { return s.Set.Label(s.Places[i]) }

// Name is the name of picture i.
func (s Subset) Name(i int) string { return s.Set.Name(s.Places[i]) }

// Image is picture i.
func (s Subset) Image(i int) (*transform.Image, error) { return s.Set.Image(s.Places[i]) }

// shares returns the number of pictures that each class gives: its fraction rounded down,
// and one more from the classes with the largest remainders; ties go to the first.
func shares(counts []int, fraction float64) []int {
	out, lost, total, given := make([]int, len(counts)), make([]float64, len(counts)), 0, 0
	order := make([]int, len(counts))
	for c, n := range counts {
		exact := float64(float64(n) * fraction)
		out[c] = min(int(exact), max(n-1, 0))
		lost[c], order[c] = exact-math.Floor(exact), c
		total += n
		given += out[c]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lost[b], lost[a]) })
	want := int(math.Round(float64(total) * fraction))
	for _, c := range order {
		if given < want && out[c]+1 < counts[c] && lost[c] > 0 {
			out[c]++
			given++
		}
	}
	return out
}

// shuffle puts a list in random order (Fisher and Yates, in Durstenfeld's version).
func shuffle(list []int, r *transform.Rand) {
	for i := len(list) - 1; i > 0; i-- {
		j := r.IntN(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}
