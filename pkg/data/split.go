package data

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gaze/pkg/transform"
)

// Streams of random numbers that must have nothing in common, though they begin
// with the same seed, differ in this.
const (
	shuffleStream = 0x73687566666c65 // "shuffle"
	splitStream   = 0x73706c6974     // "split"
	mixStream     = 0x6d6978         // "mix"
)

// Split takes a part of a data set away, such as pictures to validate on: each
// class gives the same fraction, as nearly as whole pictures allow, so that the
// part has round(fraction · pictures) of them; no class gives its last picture.
// Which ones is decided by the seed. Both results keep the order. The fraction
// lies between 0 and 1.
func (d *Dataset) Split(seed uint64, fraction float64) (rest, part *Dataset, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("data set: a fraction of %g can't be split off: it must lie between 0 and 1", fraction)
	}
	members := make([][]int, len(d.Classes))
	for i, item := range d.Items {
		members[item.Label] = append(members[item.Label], i)
	}
	taken := make([]bool, len(d.Items))
	for class, n := range shares(d.Counts(), fraction) {
		list := members[class]
		shuffle(list, transform.NewRand(seed^splitStream, uint64(class), 0, 0))
		for _, i := range list[:n] {
			taken[i] = true
		}
	}
	rest, part = &Dataset{Root: d.Root, Classes: d.Classes}, &Dataset{Root: d.Root, Classes: d.Classes}
	for i, item := range d.Items {
		to := rest
		if taken[i] {
			to = part
		}
		to.Items = append(to.Items, item)
	}
	if len(part.Items) == 0 {
		return nil, nil, fmt.Errorf("data set: %s has too few pictures to split off %g of them", d.Root, fraction)
	}
	return rest, part, nil
}

// shares is how many pictures each class gives: its fraction rounded down, and
// one more from the classes that lost most by it, the first ones where they are
// equal.
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

// shuffle puts a list in random order (Fisher and Yates, as Durstenfeld wrote it).
func shuffle(list []int, r *transform.Rand) {
	for i := len(list) - 1; i > 0; i-- {
		j := r.IntN(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}
