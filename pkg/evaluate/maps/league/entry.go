package league

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gaze/pkg/evaluate/maps"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Role says what an entry is there for.
type Role string

// The roles.
const (
	Competes Role = "method"   // is ranked
	Random   Role = "random"   // knows nothing; several of them are averaged
	Constant Role = "constant" // says nothing
	Blind    Role = "blind"    // doesn't ask the model: the centre, edges
	Inverted Role = "inverted" // the best method's map, turned round
	Ceiling  Role = "ceiling"  // knows the answer
)

// Entry is an entrant with its role.
type Entry struct {
	*maps.Entrant
	Role    Role
	Version string // of what makes its maps: kept maps of another version aren't used
	// Pictures is how many pictures, the first ones, it makes maps of; 0: all. Costly
	// methods are compared with the others on these.
	Pictures int
}

// Reference is the name of the entry that the others are held against: the attention of
// the last layer, mean of heads.
const Reference = "attention"

// key names the maps of an entry.
func (e Entry) key() string {
	settings, err := json.Marshal(e.Settings)
	if err != nil {
		panic(err) // numbers and names only
	}
	return fmt.Sprintf("%s|%s|%s|%s|%s", e.Name, e.Role, e.Settings.Heads, settings, e.Version)
}

// ForMethod is the entry of a method with settings. name is that of the method, or tells
// the settings apart.
func ForMethod(name string, m *explain.Method, s explain.Settings) Entry {
	run := func(e *explain.Explainer, cases []*maps.Case, against []int) ([]explain.Map, error) {
		n := len(cases)
		if m.Cost(e.Config(), s) <= atOnceCost { // the pictures of others run apart anyway
			cases, against = filled(cases), filled(against)
		}
		o := explain.Options{Settings: s, Against: against}
		var tensors []*transform.Tensor
		for _, c := range cases {
			tensors = append(tensors, c.Tensor)
			o.Indices = append(o.Indices, c.Index)
			if m.OfClass {
				o.Classes = append(o.Classes, c.Class)
			}
		}
		x, err := e.Explain(m.Name, tensors, o)
		if err != nil {
			return nil, err
		}
		return x.Maps[:n], nil
	}
	entrant := &maps.Entrant{Name: name, Method: m, Competes: true, Settings: s, Operator: methodOperators[m.Name],
		Make: func(_ context.Context, e *explain.Explainer, cases []*maps.Case) ([]explain.Map, error) {
			return run(e, cases, nil)
		}}
	if m.OfClass {
		entrant.MakeAgainst = func(_ context.Context, e *explain.Explainer, cases []*maps.Case, against []int) ([]explain.Map, error) {
			return run(e, cases, against)
		}
	}
	return Entry{Role: Competes, Entrant: entrant}
}

// atOnceCost is the cost in forward passes up to which pictures are explained together.
const atOnceCost = 3

// filled repeats the last of a list until it has whole blocks: every size of a batch is another
// program to compile, and may be rounded otherwise.
func filled[T any](list []T) []T {
	if len(list) == 0 || len(list)%block == 0 {
		return list
	}
	out := slices.Clone(list)
	for len(out)%block != 0 {
		out = append(out, list[len(list)-1])
	}
	return out
}

// methodOperators are the methods that remove parts of a picture. The names are those of
// the columns' operators.
var methodOperators = map[string]string{
	"occlusion":   "mean",
	"rise":        "mean",
	"scorecam":    "multiply",
	"rise-tokens": "drop",
}

// Methods are the entries of all methods that a model can be asked, with the settings
// chosen for them (by row; the others have their first candidate): attention twice, as
// [Reference] and with a chosen layer, if the model has that.
func Methods(cfg vit.Config, chosen map[string]explain.Settings) []Entry {
	var out []Entry
	for _, row := range append(methodNames(cfg), tuned) {
		m, err := explain.FindMethod(methodOf(row))
		if err != nil {
			continue
		}
		s, ok := chosen[row]
		if tried := candidates()[row]; !ok && len(tried) > 0 {
			s = tried[0]
		}
		if l := s.Layer; l != nil && (*l >= cfg.Depth || *l < -cfg.Depth) {
			continue // it was chosen on a deeper model
		}
		out = append(out, ForMethod(row, m, s))
	}
	return out
}

// checkEntries reports entries that can't be told apart.
func checkEntries(entries []Entry) error {
	seen := map[string]bool{}
	for _, e := range entries {
		switch {
		case e.Entrant == nil || e.Make == nil || strings.TrimSpace(e.Name) == "":
			return fmt.Errorf("league: an entry without a name or without a way to make maps: %+v", e)
		case seen[e.Name]:
			return fmt.Errorf("league: two entries are called %q", e.Name)
		}
		seen[e.Name] = true
	}
	return nil
}
