package scenes

import (
	"fmt"
	"strings"

	"gaze/pkg/data/internal/draw"
)

// reports are the pictures of [Report]: what is to be seen, and the seed with
// which it is composed well.
var reports = []struct {
	name string
	seed uint64
	plan plan
}{
	{"bike", 7, plan{place: street, who: man, count: 1, does: biking, shirt: blue, thing: red, tree: true, sunny: true}},
	{"girl", 4, plan{place: kitchen, who: girl, count: 1, does: eating, food: pizza, shirt: green, dinner: true}},
	{"sheep", 8, plan{place: field, who: sheep, count: 3, does: grazing, coat: white, tree: true}},
	{"ski", 4, plan{place: slope, who: woman, count: 1, does: skiing, shirt: red, thing: blue, tree: true, sunny: true}},
	{"umbrella", 5, plan{place: park, who: woman, count: 1, does: sheltering, shirt: blue, thing: yellow, tree: true}},
}

// ReportNames are the pictures that [Report] draws.
func ReportNames() []string {
	var out []string
	for _, r := range reports {
		out = append(out, r.name)
	}
	return out
}

// Report draws one of five pictures that stay the same: bike, girl, sheep, ski
// and umbrella. What they show is in no held-out combination; the pictures are
// in no split. Errors: another name, a size that isn't in [MinSize, MaxSize].
func Report(name string, size int) (Scene, error) {
	if err := checkSize(size); err != nil {
		return Scene{}, err
	}
	for i, r := range reports {
		if r.name == name {
			const apart = uint64(HeldOut) + 1 // from the streams of the splits
			s := drawPlan(r.plan, size, func(aspect uint64) *draw.Stream { return draw.NewStream(r.seed, apart, uint64(i), aspect) })
			s.Name = name
			return s, nil
		}
	}
	return Scene{}, fmt.Errorf("scenes: there is no picture %q; there are %s", name, strings.Join(ReportNames(), ", "))
}
