package nn

import (
	"fmt"
	"slices"
	"strings"
)

// Mismatch is how the tensors of a file differ from those that an architecture calls for,
// by their names in the file.
type Mismatch struct {
	Missing    []string
	LeftOver   []string
	Duplicate  []string // tensors for a parameter that another tensor already is
	OtherShape []string // with both shapes
}

// Compare compares the shapes of the parameters in a file with those that the
// architecture calls for. missing returns the names, in the file, of the tensors that a
// parameter lacks, and fileName what the file calls a parameter that it has.
func Compare(list []Param, shapes map[string][]int, missing func(name string) []string, fileName func(name string) string) *Mismatch {
	m := &Mismatch{}
	wanted := make(map[string]bool, len(list))
	for _, p := range list {
		wanted[p.Name] = true
		if lacks := missing(p.Name); len(lacks) > 0 {
			m.Missing = append(m.Missing, lacks...)
		} else if have := shapes[p.Name]; !slices.Equal(have, p.Shape) {
			m.OtherShape = append(m.OtherShape, fmt.Sprintf("%s is %v, not %v", fileName(p.Name), have, p.Shape))
		}
	}
	for name := range shapes {
		if !wanted[name] {
			m.LeftOver = append(m.LeftOver, fileName(name))
		}
	}
	return m
}

// Empty says whether the file has what the architecture calls for, and nothing else.
func (m *Mismatch) Empty() bool {
	return len(m.Missing)+len(m.LeftOver)+len(m.Duplicate)+len(m.OtherShape) == 0
}

// String counts the tensors of each kind and names the first of them.
func (m *Mismatch) String() string {
	var parts []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(names), what, FirstNames(names, 6)))
		}
	}
	add("missing", m.Missing)
	add("left over", slices.Sorted(slices.Values(m.LeftOver)))
	add("for a place already taken", slices.Sorted(slices.Values(m.Duplicate)))
	add("of another shape", m.OtherShape)
	return strings.Join(parts, "; ")
}

// FirstNames joins at most n names and says how many more there are.
func FirstNames(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}
