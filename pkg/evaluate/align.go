package evaluate

import (
	"fmt"
	"slices"
	"strconv"

	"gaze/pkg/vit"
)

// Align finds the classes of a data set among those of a model: by name, or by number if
// the classes of either are only numbered. It returns the names of the model's classes
// and, for each class of the set, its number in the model. The set may have only some of
// the model's classes; a class that the model doesn't have is an error.
func Align(m *vit.Model, classes []string) (names []string, to []int, err error) {
	n := m.Config.Classes
	if n == 0 {
		return nil, nil, fmt.Errorf("evaluate: the model has no classification head: give one that was trained to classify")
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

// isNumbered reports whether the names are just the numbers from 0.
func isNumbered(names []string) bool {
	for i, name := range names {
		if name != strconv.Itoa(i) {
			return false
		}
	}
	return len(names) > 0
}
