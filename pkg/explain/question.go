package explain

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gaze/pkg/vit"
)

// Question says which maps of a picture are wanted, in a form that people type.
type Question struct {
	// Methods are names of [Methods], separated by commas; "all": all that the model allows;
	// "": [UsualMethod], or "attention" for a model without a head and for a query.
	Methods string
	// Classes are numbers, counted from 0, or names, separated by commas; "": the predicted
	// one.
	Classes string
	// Top explains this number of the likeliest classes; excludes Classes.
	Top int
	// Against is a class that each is held against, by number or name; "": none.
	Against string
	// Query is the row and column of a patch whose view maps of attention show; nil: of the
	// tokens that the head reads.
	Query    *[2]int
	Seed     uint64 // of methods that draw random numbers
	Settings Settings
}

// UsualMethod is the method if none is named: cheap, and for a class.
const UsualMethod = "chefer"

// Answerable is a question that a model can answer.
type Answerable struct {
	Methods []*Method
	Classes []int // empty: the predicted one, or the likeliest
	Top     int   // how many of the likeliest; 0: Classes
	Against int   // -1: none
	Labels  []string
	options Options
}

// For checks the question against a model and its classes' names, of which there may be
// none. The errors say what the model has.
func (q Question) For(cfg vit.Config, labels []string) (*Answerable, error) {
	a := &Answerable{Top: q.Top, Against: -1, Labels: labels, options: Options{Query: q.Query, Seed: q.Seed, Settings: q.Settings}}
	if err := q.Settings.filled().check(cfg.Depth, cfg.Heads); err != nil {
		return nil, err
	}
	var err error
	if a.Methods, err = q.methods(cfg); err != nil {
		return nil, err
	}
	if q.Classes != "" {
		if a.Classes, err = classesOf(q.Classes, labels, cfg.Classes); err != nil {
			return nil, err
		}
	}
	if q.Against != "" {
		if a.Against, err = classOf(q.Against, labels, cfg.Classes); err != nil {
			return nil, err
		}
	}
	return a, q.check(a, cfg)
}

// check reports what the chosen methods would pass over.
func (q Question) check(a *Answerable, cfg vit.Config) error {
	ofClass := slices.ContainsFunc(a.Methods, func(m *Method) bool { return m.OfClass })
	asksClass := q.Classes != "" || q.Against != "" || q.Top != 0
	switch {
	case asksClass && !ofClass:
		return fmt.Errorf("the maps of %s are the same for every class: leave the class out, or choose another method", names(a.Methods))
	case q.Query != nil && ofClass:
		return errors.New("a patch's view is shown by methods of attention only: choose attention or rollout")
	case a.Against >= 0 && slices.Contains(a.Classes, a.Against):
		return errors.New("a class can't be held against itself")
	case q.Top != 0 && q.Classes != "":
		return errors.New("choose either classes or a number of the likeliest")
	case q.Top < 0 || q.Top > cfg.Classes:
		return fmt.Errorf("the %d likeliest classes: the model has %d", q.Top, cfg.Classes)
	}
	for _, name := range q.Settings.given() {
		if !slices.ContainsFunc(a.Methods, func(m *Method) bool { return slices.Contains(m.reads, name) }) {
			return fmt.Errorf("%s: the setting %s is one of %s", names(a.Methods), name, readers(name))
		}
	}
	return nil
}

// readers are the names of the methods that have a setting.
func readers(setting string) string {
	return names(slices.DeleteFunc(Methods(), func(m *Method) bool { return !slices.Contains(m.reads, setting) }))
}

// methods are those that the question names.
func (q Question) methods(cfg vit.Config) ([]*Method, error) {
	text := q.Methods
	switch {
	case text == "all":
		return slices.DeleteFunc(Methods(), func(m *Method) bool { return m.OfClass && (cfg.Classes < 2 || q.Query != nil) }), nil
	case text == "" && (cfg.Classes < 2 || q.Query != nil):
		text = "attention"
	case text == "":
		text = UsualMethod
	}
	var out []*Method
	for name := range strings.SplitSeq(text, ",") {
		m, err := FindMethod(strings.TrimSpace(name))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w, or all", err)
		case slices.Contains(out, m):
			return nil, fmt.Errorf("%s is named twice", m.Name)
		case m.OfClass && cfg.Classes == 0:
			return nil, fmt.Errorf("%s explains a class, but the model has no head: choose attention or rollout, or weights with a head", m.Name)
		}
		out = append(out, m)
	}
	return out, nil
}

// names are methods' names, separated by commas.
func names(methods []*Method) string {
	var out []string
	for _, m := range methods {
		out = append(out, m.Name)
	}
	return strings.Join(out, ", ")
}

// classesOf reads a list of classes.
func classesOf(text string, labels []string, classes int) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		class, err := classOf(part, labels, classes)
		switch {
		case err != nil:
			return nil, err
		case slices.Contains(out, class):
			return nil, fmt.Errorf("class %s is given twice", strings.TrimSpace(part))
		}
		out = append(out, class)
	}
	return out, nil
}

// classOf reads a class's number or name. Case doesn't matter.
func classOf(text string, labels []string, classes int) (int, error) {
	text = strings.TrimSpace(text)
	for i, l := range labels {
		if strings.EqualFold(l, text) {
			return i, nil
		}
	}
	i, err := strconv.Atoi(text)
	switch {
	case err != nil && len(labels) == 0:
		return 0, fmt.Errorf("%q is no number, and the classes have no names", text)
	case err != nil:
		return 0, fmt.Errorf("there is no class %q; the model has %d classes: %s", text, classes, shortList(labels))
	case i < 0 || i >= classes:
		return 0, fmt.Errorf("there is no class %d: the model has %d, counted from 0", i, classes)
	}
	return i, nil
}

// shortList is the first few of many names.
func shortList(names []string) string {
	if len(names) > 40 {
		return strings.Join(names[:40], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// ParseQuery reads the "row,column" of a patch, counted from 0; "" is none.
func ParseQuery(text string) (*[2]int, error) {
	if text == "" {
		return nil, nil
	}
	row, col, ok := strings.Cut(text, ",")
	r, err1 := strconv.Atoi(strings.TrimSpace(row))
	c, err2 := strconv.Atoi(strings.TrimSpace(col))
	if !ok || err1 != nil || err2 != nil || r < 0 || c < 0 {
		return nil, fmt.Errorf("%q isn't row,column, such as 3,10, counted from 0", text)
	}
	return &[2]int{r, c}, nil
}
