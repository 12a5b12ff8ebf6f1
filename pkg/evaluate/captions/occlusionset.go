package captions

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"gaze/pkg/data/scenes"
	"gaze/pkg/evaluate"
)

// StillNamed is how often objects, or colours, are still named when their cells are
// masked, beside the same with cells masked elsewhere. A captioner may know such an
// object from the rest of the picture, from cells around it whose features the backbone
// computed from it too, or from the words before.
type StillNamed struct {
	Name      string            `json:"name"` // "all objects", a scenes.Kind's name, or a noun's usual word
	Objects   int               `json:"objects"`
	Named     evaluate.Interval `json:"named"`
	Elsewhere evaluate.Interval `json:"named_elsewhere"`
}

// OcclusionReport is the occlusion test over a set. It can be written as JSON.
type OcclusionReport struct {
	Set      string       `json:"set"`
	Pictures int          `json:"pictures"`
	Objects  int          `json:"objects"` // persons, animals and things that were named and masked
	NoRoom   int          `json:"no_room"` // objects and colours that were named, but whose shape fits nowhere else; not counted
	Dilated  int          `json:"dilated"` // cells masked around each object
	Cells    float64      `json:"cells"`   // mean share of the picture's cells that an object takes
	All      StillNamed   `json:"all"`     // objects
	Kinds    []StillNamed `json:"kinds"`   // colours among them: a colour counts as named whatever it is said of
	Words    []StillNamed `json:"words"`   // objects, the most frequent first
}

// Occlude runs the occlusion test on a set: it captions it, masks the cells of each
// person, animal, thing and colour that is named, and captions again; and once more with
// the object's shape put elsewhere at random (see [Occlusion]). The same set and options
// give the same report.
func Occlude(ctx context.Context, c Captioner, s Set, o OcclusionOptions) (*OcclusionReport, error) {
	s, err := s.check(c, o.Options)
	if err != nil {
		return nil, err
	}
	r := &OcclusionReport{Set: s.String(), Pictures: s.Count, Dilated: o.Dilate}
	var all []Occlusion
	for at := 0; at < s.Count; at += chunk {
		drawn, err := s.draw(ctx, at, min(chunk, s.Count-at), o.Workers)
		if err != nil {
			return nil, err
		}
		each, noRoom, err := occlusions(c, drawn, s.First+at, o)
		if err != nil {
			return nil, err
		}
		r.NoRoom += noRoom
		for _, d := range slices.Concat(each...) {
			d.Picture = nil // a large set would fill the memory
			all = append(all, d)
		}
		o.progress(at+len(drawn), s.Count)
	}
	r.sum(all)
	return r, nil
}

// sum counts all tests, by kind and by word.
func (r *OcclusionReport) sum(all []Occlusion) {
	var cells sample
	var things []Occlusion
	byWord := map[string][]Occlusion{}
	byKind := map[scenes.Kind][]Occlusion{}
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
	r.Objects, r.All, r.Cells = len(things), stillNamedOf("all objects", things), cells.mean()
	for _, k := range slices.Sorted(maps.Keys(byKind)) {
		r.Kinds = append(r.Kinds, stillNamedOf(k.String(), byKind[k]))
	}
	for _, w := range slices.Sorted(maps.Keys(byWord)) {
		r.Words = append(r.Words, stillNamedOf(w, byWord[w]))
	}
	slices.SortStableFunc(r.Words, func(a, b StillNamed) int { return cmp.Compare(b.Objects, a.Objects) })
}

func stillNamedOf(name string, list []Occlusion) StillNamed {
	var on, elsewhere sample
	for _, d := range list {
		on.yes(d.StillNamed)
		elsewhere.yes(d.StillNamedElsewhere)
	}
	return StillNamed{name, len(list), on.wilson(), elsewhere.wilson()}
}
