package evaluate

import (
	"fmt"
	"slices"
	"strconv"

	"gaze/pkg/vit"
)

// Align finds a data set's classes among a model's: by name, or, where either has
// numbers for names, by number. It returns the names of the model's classes and,
// for each class of the set, its number in the model. A set with only some of the
// model's classes is fine; one with a class that the model doesn't know is an
// error.
func Align(m *vit.Model, classes []string) (names []string, to []int, err error) {
	n := m.Config.Classes
	if n == 0 {
		return nil, nil, fmt.Errorf("evaluate: the model has no classification head")
	}
	numbered := isNumbered(classes)
	if m.Labels == nil || isNumbered(m.Labels) || numbered {
		if len(classes) > n || !numbered && len(classes) != n {
			return nil, nil, fmt.Errorf("evaluate: the data set has %d classes, the model %d", len(classes), n)
		}
		names = slices.Clone(m.Labels)
		if !numbered {
			names = slices.Clone(classes)
		}
		for i := range n {
			if i >= len(names) {
				names = append(names, strconv.Itoa(i))
			}
			if i < len(classes) {
				to = append(to, i)
			}
		}
		return names, to, nil
	}
	for _, class := range classes {
		i := slices.Index(m.Labels, class)
		if i < 0 {
			return nil, nil, fmt.Errorf("evaluate: the model knows no class %q: it was trained on %d others, such as %q", class, n, m.Labels[0])
		}
		to = append(to, i)
	}
	return slices.Clone(m.Labels), to, nil
}

// isNumbered tells whether the names are just the numbers from 0.
func isNumbered(names []string) bool {
	for i, name := range names {
		if name != strconv.Itoa(i) {
			return false
		}
	}
	return len(names) > 0
}
