package captions

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"gaze/pkg/data/scenes"
	"gaze/pkg/evaluate"
)

// Cause is how often objects (or their colours) of a kind or of a name are still named when nothing
// may look at them, beside the same with cells blocked elsewhere. What is named
// nonetheless is known from the rest of the picture, from what the backbone carried
// into the cells around, or from the words before.
type Cause struct {
	Name      string            `json:"name"` // "all objects", a scenes.Kind's name, or a noun's usual word
	Objects   int               `json:"objects"`
	Named     evaluate.Interval `json:"named"`
	Elsewhere evaluate.Interval `json:"named_elsewhere"`
}

// CauseReport is the causal check over a set. It goes to JSON as it is.
type CauseReport struct {
	Set      string  `json:"set"`
	Pictures int     `json:"pictures"`
	Objects  int     `json:"objects"` // persons, animals and things that were named and blocked
	NoRoom   int     `json:"no_room"` // objects and colours that were named, but left no room for their shape elsewhere; not counted
	Dilated  int     `json:"dilated"` // cells blocked around each object
	Cells    float64 `json:"cells"`   // mean share of the picture's cells that an object takes
	All      Cause   `json:"all"`     // objects
	Kinds    []Cause `json:"kinds"`   // colours among them: a colour is named if that of the same name is, of whatever
	Words    []Cause `json:"words"`   // objects, the most frequent first
}

// Block does the causal check: it captions a set, blocks the cells of each person,
// animal, thing and colour that is named, captions again, and does the same with the
// object's shape laid elsewhere at random (see [Deletion]). The same set and
// options give the same report.
func Block(ctx context.Context, c Captioner, s Set, o BlockOptions) (*CauseReport, error) {
	s, err := s.check(c, o.Options)
	if err != nil {
		return nil, err
	}
	r := &CauseReport{Set: s.String(), Pictures: s.Count, Dilated: o.Dilate}
	var all []Deletion
	for at := 0; at < s.Count; at += chunk {
		drawn, err := s.draw(ctx, at, min(chunk, s.Count-at), o.Workers)
		if err != nil {
			return nil, err
		}
		each, noRoom, err := deletions(c, drawn, s.First+at, o)
		if err != nil {
			return nil, err
		}
		r.NoRoom += noRoom
		for _, d := range slices.Concat(each...) {
			d.Picture = nil // of which there may be thousands
			all = append(all, d)
		}
		o.progress(at+len(drawn), s.Count)
	}
	r.sum(all)
	return r, nil
}

// sum counts deletions in all, by kind and by word.
func (r *CauseReport) sum(all []Deletion) {
	var cells sample
	var things []Deletion
	byWord := map[string][]Deletion{}
	byKind := map[scenes.Kind][]Deletion{}
	for _, d := range all {
		byKind[d.Kind] = append(byKind[d.Kind], d)
		if d.Kind == scenes.Colour {
			continue
		}
		things = append(things, d)
		byWord[d.Word] = append(byWord[d.Word], d)
		for _, on := range d.Cells {
			cells.yes(on)
		}
	}
	r.Objects, r.All, r.Cells = len(things), causeOf("all objects", things), cells.mean()
	for _, k := range slices.Sorted(maps.Keys(byKind)) {
		r.Kinds = append(r.Kinds, causeOf(k.String(), byKind[k]))
	}
	for _, w := range slices.Sorted(maps.Keys(byWord)) {
		r.Words = append(r.Words, causeOf(w, byWord[w]))
	}
	slices.SortStableFunc(r.Words, func(a, b Cause) int { return cmp.Compare(b.Objects, a.Objects) })
}

func causeOf(name string, list []Deletion) Cause {
	var on, elsewhere sample
	for _, d := range list {
		on.yes(d.StillNamed)
		elsewhere.yes(d.StillNamedElsewhere)
	}
	return Cause{name, len(list), on.wilson(), elsewhere.wilson()}
}
