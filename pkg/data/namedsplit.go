package data

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
)

// Named is a split by its name: train, val or test, or, of the Oxford-IIIT Pet set, one
// of its own, official-train and official-test. The course's split and the set's own have
// the same training pictures; the set's test pictures are the course's val and all the
// rest, test, in the order of ids.
func (s *Splits) Named(name string) (*Dataset, error) {
	parts := map[string][]*Dataset{
		"train": {s.Train}, "val": {s.Validation}, "test": {s.Test},
		"official-train": {s.Train}, "official-test": {s.Validation, s.Test},
	}[name]
	if parts == nil {
		return nil, fmt.Errorf("data set: there is no split %q, only train, val, test, official-train and official-test", name)
	}
	for i, d := range parts {
		if d == nil {
			missing := name
			if name == "official-train" {
				missing = "train"
			} else if len(parts) == 2 {
				missing = []string{"val", "test"}[i]
			}
			return nil, fmt.Errorf("data set: it has no %s, so there is no %s", missing, name)
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	all := &Dataset{Root: filepath.Dir(parts[0].Root), Classes: s.Classes}
	for _, d := range parts {
		all.Items = append(all.Items, d.Items...)
	}
	slices.SortStableFunc(all.Items, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}
