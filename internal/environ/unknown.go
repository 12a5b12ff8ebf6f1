package environ

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

var warned sync.Once

// WarnOnce writes a warning for each GAZE_ variable in the environment that Gaze doesn't
// read. Only the first call in a process does anything.
func WarnOnce(w io.Writer) {
	warned.Do(func() {
		for _, text := range Unknown(os.Environ()) {
			fmt.Fprintln(w, "gaze: warning:", text)
		}
	})
}

// Unknown returns a message for each "NAME=value" whose name begins with GAZE_ and isn't
// in [Groups], with the name that was probably meant, sorted by name. Empty values are
// ignored.
func Unknown(environment []string) []string {
	known := map[string]bool{}
	for _, v := range All() {
		known[v.Name] = true
	}
	var found []string
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(strings.ToUpper(name), "GAZE_") && !known[name] && value != "" {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	for i, name := range found {
		found[i] = fmt.Sprintf("the environment variable %s isn't one Gaze reads", name)
		if near := nearest(strings.ToUpper(name)); near != "" {
			found[i] += fmt.Sprintf("; did you mean %s?", near)
		} else {
			found[i] += " (docs/environment.md lists those it reads)"
		}
	}
	return found
}

// meant maps plausible wrong names that are too different for [nearest]'s distance.
var meant = map[string]string{
	"GAZE_BACKEND": "GOMLX_BACKEND",
	"GAZE_DEVICE":  "GOMLX_BACKEND",
	"GAZE_MODEL":   "GAZE_VIT",
	"GAZE_WEIGHTS": "GAZE_VIT",
	"GAZE_PHOTOS":  "GAZE_PETS",
	"GAZE_DATA":    "GAZE_PETS",
	"GAZE_IMAGES":  "GAZE_CAPTION_IMAGES",
}

// nearest returns the variable whose name is closest to name, "" if none is close.
func nearest(name string) string {
	if right, ok := meant[name]; ok {
		return right
	}
	best, least := "", 4
	for _, v := range All() {
		// The limit grows with the name: two letters make a short name a different one.
		if d := distance(name, v.Name); d < least && 2*d < len(v.Name)-len("GAZE_")+1 {
			best, least = v.Name, d
		}
	}
	return best
}

// distance is the optimal string alignment distance: the number of letters to insert,
// delete, replace, or swap with a neighbour to turn a into b.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			changed := last[j]
			if a[i] != b[j] {
				changed++
			}
			row[j+1] = min(changed, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
