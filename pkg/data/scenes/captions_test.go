package scenes

import (
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data/internal/draw"
)

// plans returns n plans of a split.
func plans(split Split, n int) []plan {
	out := make([]plan, n)
	for i := range out {
		out[i] = choose(draw.NewStream(1, uint64(split), uint64(i)), split)
	}
	return out
}

func TestVocabularyIsClosedAndUsed(t *testing.T) {
	known := Words()
	if len(known) > 150 || !slices.IsSorted(known) || len(slices.Compact(slices.Clone(known))) != len(known) {
		t.Errorf("%d words; at most 150, sorted, each once", len(known))
	}
	used := map[string]bool{}
	for i, p := range plans(Train, 4000) {
		for _, c := range captions(p, draw.NewStream(2, uint64(i))) {
			for w := range strings.FieldsSeq(c) {
				if _, ok := slices.BinarySearch(known, w); !ok {
					t.Fatalf("%q: unknown word %q", c, w)
				}
				used[w] = true
			}
		}
	}
	for _, w := range known {
		if !used[w] {
			t.Errorf("no training caption uses %q", w)
		}
	}
}

// Whatever number, colour or noun a caption has is in the plan.
func TestCaptionsAreTrue(t *testing.T) {
	for _, split := range Splits() {
		for i, p := range plans(split, 800) {
			got := captions(p, draw.NewStream(3, uint64(i)))
			if len(got) != References {
				t.Fatalf("%d captions", len(got))
			}
			for k, c := range got {
				if slices.Contains(got[:k], c) {
					t.Errorf("%q twice", c)
				}
				if why := untrue(p, c); why != "" {
					t.Errorf("%q of %+v: %s", c, p, why)
				}
			}
		}
	}
}

// untrue says what in a caption isn't so.
func untrue(p plan, c string) string {
	w := strings.Fields(c)
	many := slices.Contains(w, "two") || slices.Contains(w, "three")
	if many != (p.count > 1) || slices.Contains(w, "three") != (p.count == 3) {
		return "the count"
	}
	if slices.Contains(w, "is") && many || slices.Contains(w, "are") && !many {
		return "is or are"
	}
	for i, v := range w[:len(w)-1] {
		if vowel := strings.Contains("aeiou", w[i+1][:1]); v == "a" && vowel || v == "an" && !vowel {
			return "a or an"
		}
		n := slices.Index(colourNames[:], v)
		if n < 0 || v == "green" && w[i+1] == "field" {
			continue
		}
		if owner := colourOf(p, w[i+1:]); owner != colour(n) && !(v == "white" && p.who == cow) {
			return "the colour " + v
		}
	}
	for s, name := range singular {
		there := subject(s) == p.who || p.does == leading && subject(s) == dog || p.does == mounted && subject(s) == horse
		if !there && (slices.Contains(w, name) || slices.Contains(w, plural[s])) {
			return "a " + name
		}
	}
	for n, name := range map[action]string{biking: "bike", sheltering: "umbrella", kiting: "kite", surfing: "surfboard", resting: "bench", playing: "ball"} {
		if p.does != n && slices.Contains(w, name) || p.does == n && !strings.Contains(c, name) && n != biking {
			return "the " + name
		}
	}
	return ""
}

// colourOf is the colour of what the next noun is.
func colourOf(p plan, after []string) colour {
	for _, w := range after {
		switch w {
		case "shirt":
			return p.shirt
		case "bike", "bicycle", "umbrella", "kite", "surfboard", "ball":
			return p.thing
		case "sheep", "dog", "cat", "horse", "cow", "bird", "dogs", "cats", "horses", "cows", "birds":
			return p.coat
		}
	}
	return 255
}

func TestColoursOfASceneDiffer(t *testing.T) {
	for _, p := range plans(Train, 2000) {
		if p.wears() && p.coloured() && p.shirt == p.thing {
			t.Fatalf("shirt and thing are both %s: %+v", colourNames[p.shirt], p)
		}
		if p.coloured() && p.coat == p.thing {
			t.Fatalf("animal and thing are both %s: %+v", colourNames[p.coat], p)
		}
	}
}

// What the pictures held out show is in none of the others.
func TestHeldOutCombinationsAreNew(t *testing.T) {
	type triple struct {
		who   subject
		does  action
		place place
	}
	type pair struct {
		what string
		of   uint8
		c    colour
	}
	shows := func(p plan) (triple, []pair) {
		var pairs []pair
		if p.coloured() {
			pairs = append(pairs, pair{"thing", uint8(p.does), p.thing})
		}
		if p.wears() {
			pairs = append(pairs, pair{"shirt", uint8(p.who), p.shirt})
		}
		return triple{p.who, p.does, p.place}, pairs
	}
	triples, pairs, counts := map[triple]bool{}, map[pair]bool{}, map[int]bool{}
	for _, split := range []Split{Train, Val, Test} {
		for _, p := range plans(split, 6000) {
			t, all := shows(p)
			triples[t], counts[p.count] = true, true
			for _, k := range all {
				pairs[k] = true
			}
		}
	}
	reasons := map[string]int{}
	for _, p := range plans(HeldOut, 3000) {
		tr, all := shows(p)
		why := ""
		if !triples[tr] {
			why = "triple"
		}
		for _, k := range all {
			if !pairs[k] {
				why = k.what
			}
		}
		if why == "" {
			t.Fatalf("%+v is held out, but all of it is in training", p)
		}
		reasons[why]++
		if !counts[p.count] {
			t.Errorf("a count of %d is held out", p.count)
		}
	}
	for _, why := range []string{"triple", "thing", "shirt"} {
		if reasons[why] < 100 {
			t.Errorf("%d of 3000 are held out for their %s", reasons[why], why)
		}
	}
}

func TestSplitsAreNamed(t *testing.T) {
	var names []string
	for _, s := range Splits() {
		names = append(names, s.String())
	}
	if got := strings.Join(names, " "); got != "train val test heldout" || Split(7).String() != "Split(7)" {
		t.Errorf("the splits are %s and %s", got, Split(7))
	}
}
