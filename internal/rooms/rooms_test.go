// Package rooms tests that the table of rooms in docs/architecture.md is true: that
// packages import what it allows, and only downwards.
package rooms

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module begins the import paths of this module's packages.
const module = "gaze/"

// room is a row of a table.
type room struct {
	path  string // such as "pkg/vit"
	row   int    // counted through all tables
	small bool   // any room above may import it
	all   bool   // it may import all of pkg ...
	but   []string
	may   []string // ... or these rooms, and small ones
}

var (
	row    = regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|[^|]*\\| ([^|]*) \\|$")
	quoted = regexp.MustCompile("`([^`]*)`")
)

// parse reads the tables of the section on rooms: the first is that of the rooms, the
// second that of the small ones.
func parse(page string) ([]room, error) {
	_, section, ok := strings.Cut(page, "\n## The rooms\n")
	if !ok {
		return nil, fmt.Errorf("there is no section \"The rooms\"")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	tables := strings.Split(section, "|---|---|---|")
	if len(tables) != 3 {
		return nil, fmt.Errorf("the section has %d tables, not 2", len(tables)-1)
	}
	var rooms []room
	for i, table := range tables[1:] {
		for _, cells := range row.FindAllStringSubmatch(table, -1) {
			r := room{small: i == 1, row: len(rooms)}
			allowed, but, _ := strings.Cut(cells[2], " but ")
			for _, name := range strings.Split(allowed, ",") {
				switch name = strings.TrimSpace(name); name {
				case "–":
				case "all of `pkg`":
					r.all = true
				default:
					r.may = append(r.may, full(name))
				}
			}
			for i, name := range strings.Split(but, ",") {
				switch name = strings.TrimSpace(name); {
				case name == "":
				case i == 0:
					r.but = append(r.but, full(name))
				default: // what follows the exception is allowed
					r.may = append(r.may, full(name))
				}
			}
			for _, name := range quoted.FindAllStringSubmatch(cells[1], -1) {
				r.path = strings.TrimSuffix(name[1], "/")
				rooms = append(rooms, r)
			}
		}
	}
	if len(rooms) == 0 {
		return nil, fmt.Errorf("the tables have no rows")
	}
	return rooms, nil
}

// full is a room's path; "data" stands for "pkg/data".
func full(name string) string {
	if strings.HasPrefix(name, "internal/") {
		return name
	}
	return "pkg/" + name
}

// roomOf is the room that a package lies in: the innermost, nil if there is none.
func roomOf(rooms []room, pkg string) *room {
	var found *room
	for i, r := range rooms {
		if (pkg == r.path || strings.HasPrefix(pkg, r.path+"/")) && (found == nil || len(r.path) > len(found.path)) {
			found = &rooms[i]
		}
	}
	return found
}

// check lists what is wrong with packages and their imports.
func check(rooms []room, imports map[string][]string) []string {
	var wrong []string
	arrows := map[string]map[string]bool{}
	used := map[string]bool{}
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		from := roomOf(rooms, pkg)
		if from == nil {
			wrong = append(wrong, pkg+" is in no room: add a row")
			continue
		}
		used[from.path] = true
		for _, other := range imports[pkg] {
			to := roomOf(rooms, other)
			switch {
			case to == nil:
				wrong = append(wrong, fmt.Sprintf("%s imports %s, which is in no room", pkg, other))
				continue
			case to.path == from.path:
				continue
			case !from.allows(*to):
				wrong = append(wrong, fmt.Sprintf("%s imports %s, which the row of %s doesn't allow", pkg, other, from.path))
			}
			if to.row < from.row {
				wrong = append(wrong, fmt.Sprintf("%s imports %s, whose row is above that of %s", pkg, other, from.path))
			}
			if arrows[from.path] == nil {
				arrows[from.path] = map[string]bool{}
			}
			arrows[from.path][to.path] = true
		}
	}
	for _, r := range rooms {
		if !used[r.path] {
			wrong = append(wrong, r.path+" has a row, but no package")
		}
	}
	if circle := circle(arrows); circle != nil {
		wrong = append(wrong, "rooms import each other in a circle: "+strings.Join(circle, ", "))
	}
	return wrong
}

func (r room) allows(to room) bool {
	if slices.Contains(r.may, to.path) {
		return true
	}
	if to.small {
		return !r.small
	}
	return r.all && strings.HasPrefix(to.path, "pkg/") && !slices.Contains(r.but, to.path)
}

// circle finds rooms that import each other in a circle, nil if there are none.
func circle(arrows map[string]map[string]bool) []string {
	done := map[string]bool{}
	var visit func(at string, trail []string) []string
	visit = func(at string, trail []string) []string {
		if i := slices.Index(trail, at); i >= 0 {
			return append(slices.Clone(trail[i:]), at)
		}
		if done[at] {
			return nil
		}
		for _, to := range slices.Sorted(maps.Keys(arrows[at])) {
			if found := visit(to, append(trail, at)); found != nil {
				return found
			}
		}
		done[at] = true
		return nil
	}
	for _, from := range slices.Sorted(maps.Keys(arrows)) {
		if found := visit(from, nil); found != nil {
			return found
		}
	}
	return nil
}

// importsOf reads what the packages below root import of this module, for every
// operating system and processor. Those of tests count only if that is all a package
// has.
func importsOf(root string) (map[string][]string, error) {
	imports := map[string][]string{}
	for _, top := range []string{"bench", "cmd", "internal", "pkg", "recipes"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
				return filepath.SkipDir
			case d.IsDir() || filepath.Ext(file) != ".go":
				return nil
			}
			dir, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return err
			}
			pkg := filepath.ToSlash(dir)
			imports[pkg] = append(imports[pkg], nil...) // it is there
			if strings.HasSuffix(file, "_test.go") {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range f.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					return err
				}
				if other, ours := strings.CutPrefix(name, module); ours && !slices.Contains(imports[pkg], path.Clean(other)) {
					imports[pkg] = append(imports[pkg], path.Clean(other))
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return imports, nil
}

func TestRoomsTableIsTrue(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := parse(string(page))
	if err != nil {
		t.Fatalf("docs/architecture.md: %v", err)
	}
	imports, err := importsOf(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(imports["cmd/gaze"]) == 0 || len(rooms) < 20 {
		t.Fatalf("cmd/gaze imports nothing, or there are only %d rooms: the test reads the wrong things", len(rooms))
	}
	for _, text := range check(rooms, imports) {
		t.Error(text)
	}
}

const examplePage = "# A\n\n## The rooms\n\n| room | what | may import |\n|---|---|---|\n" +
	"| `cmd/` | commands | all of `pkg` but notebook, internal/report |\n" +
	"| `pkg/notebook/` | cells | all of `pkg` |\n" +
	"| `internal/report/` | text | data |\n" +
	"| `pkg/data/` | sets | data/draw |\n" +
	"| `pkg/data/draw/` | shapes | – |\n" +
	"\nAnd:\n\n| room | what | may import |\n|---|---|---|\n" +
	"| `internal/lock/`, `internal/file/` | files | internal/bits |\n" +
	"| `internal/bits/` | bits | – |\n\n## Next\n\n| `pkg/none/` | x | – |\n"

func TestCheck(t *testing.T) {
	rooms, err := parse(examplePage)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pkg, imports string
		wrong        []string // what is said, in order
	}{
		"allowed":             {"cmd/gaze", "pkg/data", nil},
		"allowed by name":     {"cmd/gaze", "internal/report", nil},
		"inside the room":     {"pkg/data/deep", "pkg/data", nil},
		"a small room":        {"pkg/data", "internal/file", nil},
		"between small rooms": {"internal/lock", "internal/bits", nil},
		"the exception":       {"cmd/gaze", "pkg/notebook", []string{"the row of cmd doesn't allow"}},
		"not named":           {"internal/report", "pkg/data/draw", []string{"doesn't allow"}},
		"a small room's":      {"internal/bits", "internal/file", []string{"doesn't allow", "above"}},
		"up":                  {"pkg/data", "pkg/notebook", []string{"doesn't allow", "above", "circle"}},
		"up, though allowed":  {"pkg/notebook", "cmd/gaze", []string{"doesn't allow", "above"}},
		"no room":             {"pkg/other", "pkg/data", []string{"pkg/other is in no room"}},
		"of no room":          {"pkg/data", "pkg/other", []string{"which is in no room"}},
	} {
		imports := map[string][]string{
			"cmd/gaze": {"pkg/data"}, "pkg/notebook": {"pkg/data"}, "internal/report": {"pkg/data"}, "pkg/data": {"pkg/data/draw"},
			"pkg/data/draw": nil, "internal/lock": nil, "internal/file": nil, "internal/bits": nil,
		}
		imports[c.pkg] = append(imports[c.pkg], c.imports)
		got := check(rooms, imports)
		ok := len(got) == len(c.wrong)
		for i := range c.wrong {
			ok = ok && strings.Contains(got[i], c.wrong[i])
		}
		if !ok {
			t.Errorf("%s: %q, want %q", name, got, c.wrong)
		}
	}
	if got := check(rooms, map[string][]string{"cmd/gaze": nil}); len(got) != len(rooms)-1 || !strings.Contains(got[0], "no package") {
		t.Errorf("rooms without packages: %q", got)
	}
	if got := circle(map[string]map[string]bool{"a": {"b": true}, "b": {"c": true}, "c": {"b": true}}); strings.Join(got, " ") != "b c b" {
		t.Errorf("the circle is %q", got)
	}
	for _, page := range []string{"", "\n## The rooms\n\nnone\n", "\n## The rooms\n|---|---|---|\n|---|---|---|\n"} {
		if _, err := parse(page); err == nil {
			t.Errorf("%q is read", page)
		}
	}
}
