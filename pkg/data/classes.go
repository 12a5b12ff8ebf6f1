package data

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gaze/internal/textfile"
)

// maxClasses bounds class numbers: a larger one is a mistake, such as an id in the place
// of the class.
const maxClasses = 100_000

// classList is the list of names in a classes.txt.
type classList struct {
	path  string
	names []string
}

// readClassList reads the first classes.txt (in any case) found in the folders, or
// returns nil if there is none.
func readClassList(folders ...string) (*classList, error) {
	for _, dir := range folders {
		path := classListIn(dir)
		if path == "" {
			continue
		}
		data, err := textfile.ReadRaw(path)
		if err != nil {
			return nil, err
		}
		names, err := parseClassList(data)
		if e := (*textfile.Error)(nil); errors.As(err, &e) {
			e.Name = path
			return nil, e
		}
		return &classList{path, names}, err
	}
	return nil, nil
}

// classListIn is the path of a folder's classes.txt, or "".
func classListIn(dir string) string {
	exact := filepath.Join(dir, "classes.txt")
	if _, err := os.Lstat(exact); err == nil {
		return exact
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return "" // a folder above the set may be unreadable
	}
	for _, e := range list {
		if strings.EqualFold(e.Name(), "classes.txt") {
			return filepath.Join(dir, e.Name())
		}
	}
	return ""
}

// parseClassList reads a name from each line. The error is a [*textfile.Error]
// without a file name.
func parseClassList(data []byte) ([]string, error) {
	text, err := textfile.Decode("", data)
	if err != nil {
		return nil, err
	}
	names, err := textfile.Names(textfile.Newlines(string(text)))
	if err == nil && len(names) > maxClasses {
		err = &textfile.Error{Reason: fmt.Sprintf("more than %d classes", maxClasses)}
	}
	return names, err
}

// classes maps written labels to numbers.
type classes struct {
	names  []string
	number map[string]int // number of a name; -1 if several classes have it
	from   string         // source of the names, for messages
}

// resolveClasses determines the classes of a data set: those in classes.txt; else the
// class folders of train; else, if all labels are numbers, 0 to the largest; else the
// names in train, sorted.
func resolveClasses(sources []source, list *classList) (*classes, error) {
	switch {
	case list != nil:
		return newClasses(list.names, list.path), nil
	case sources[0].folders != nil:
		return newClasses(sources[0].folders, sources[0].root), nil
	}
	greatest, text := -1, (*entry)(nil)
	for _, s := range sources {
		for i, e := range s.entries {
			n, err := parseNumber(e.label)
			if err != nil {
				if text == nil {
					text = &s.entries[i]
				}
				continue
			}
			if n >= maxClasses {
				return nil, fmt.Errorf("%s: class %s is above the limit of %d: the class comes first, then the id", e.where, e.label, maxClasses)
			}
			greatest = max(greatest, n)
		}
	}
	switch {
	case text == nil:
		return numbered(greatest + 1), nil
	case greatest >= 0:
		return nil, fmt.Errorf("%s: its class is %q, but others are numbers: use one or the other, or add a classes.txt with a name on each line", text.where, text.label)
	case !text.table():
		return nil, fmt.Errorf("%s: its class %q is not a number: list the names in a file classes.txt beside it, one per line", text.where, text.label)
	}
	var names []string
	for _, e := range sources[0].entries {
		names = append(names, e.label)
	}
	slices.Sort(names)
	return newClasses(slices.Compact(names), sources[0].root), nil
}

// table reports whether the entry is from a CSV, where any text may be a name.
func (e *entry) table() bool { return e.where != e.path }

func newClasses(names []string, from string) *classes {
	c := &classes{names: names, number: make(map[string]int, len(names)), from: from}
	for i, name := range names {
		if _, twice := c.number[name]; twice {
			i = -1
		}
		c.number[name] = i
	}
	return c
}

// numbered makes n classes without names.
func numbered(n int) *classes {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return newClasses(names, "")
}

// find returns the number of an entry's class.
func (c *classes) find(e entry) (int, error) {
	if i, ok := c.number[e.label]; ok && i >= 0 {
		return i, nil
	} else if ok {
		return 0, fmt.Errorf("%s: several classes of %s are called %q: use numbers", e.where, c.from, e.label)
	}
	if n, err := parseNumber(e.label); err == nil {
		if n < len(c.names) {
			return n, nil
		}
		return 0, fmt.Errorf("%s: class %s, but %s has %d (0 to %d): correct one of them", e.where, e.label, c.from, len(c.names), len(c.names)-1)
	}
	hint := ""
	if i := slices.IndexFunc(c.names, func(name string) bool { return strings.EqualFold(name, e.label) }); i >= 0 {
		hint = fmt.Sprintf(" (it has %q: upper and lower case must match)", c.names[i])
	}
	return 0, fmt.Errorf("%s: class %q is none of the %d of %s%s: correct one of them", e.where, e.label, len(c.names), c.from, hint)
}

// dataset makes a data set of a split's pictures with their labels.
func (c *classes) dataset(s source) (*Dataset, error) {
	d := &Dataset{Root: s.root, Classes: c.names, Items: make([]Item, len(s.entries))}
	for i, e := range s.entries {
		label, err := c.find(e)
		if err != nil {
			return nil, err
		}
		d.Items[i] = Item{Path: e.path, Label: label, ID: e.id}
	}
	return d, nil
}
