package environ

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var regen = flag.Bool("regen", false, "write the tables of docs/environment.md anew")

const (
	clone = "../.."
	begin = "<!-- The tables are made by: go test ./internal/environ -regen -->\n"
	end   = "<!-- end of the tables -->\n"
)

// TestDocs: the page has the tables as they are here.
func TestDocs(t *testing.T) {
	path := filepath.Join(clone, "docs", "environment.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	old, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s lacks the lines around its tables", path)
	}
	want := Markdown() + "\n"
	if *regen {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != want {
		t.Errorf("%s differs from Groups: go test ./internal/environ -regen", path)
	}
}

func TestVariablesAreDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range All() {
		if seen[v.Name] || !regexp.MustCompile(`^GAZE_[A-Z_]+$`).MatchString(v.Name) {
			t.Errorf("%s: twice, or no such name", v.Name)
		}
		seen[v.Name] = true
		for _, text := range []string{v.Values, v.Default, v.Reader, v.What} {
			if text == "" || strings.ContainsAny(text, "|\n") || strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q", v.Name, text)
			}
		}
	}
}

// untested are the variables that no test sets, and why.
var untested = map[string]string{
	"GAZE_PORT":    "docker compose reads it",
	"GAZE_FIGURES": "leaves a test's figures for people to look at",
	"GAZE_VOCAB":   "a script that makes golden files reads it",
}

// TestEveryVariableIsRead: what the code reads is listed, and what is listed is read.
func TestEveryVariableIsRead(t *testing.T) {
	found := scan(t, clone)
	listed := map[string]bool{}
	for _, v := range All() {
		listed[v.Name] = true
		if len(found.read[v.Name]) == 0 {
			t.Errorf("%s is listed, but nothing reads it", v.Name)
		}
		if len(found.tested[v.Name]) == 0 && untested[v.Name] == "" {
			t.Errorf("no test sets %s", v.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found.read)) {
		if !listed[name] {
			t.Errorf("%s, which %q read, isn't in Groups", name, found.read[name])
		}
	}
}

// TestScan: the scan above finds reads in every language and isn't taken in by writes.
func TestScan(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.go":      "package a\nimport \"os\"\nconst own = \"GAZE_CONST\"\nfunc f() { os.Getenv(\"GAZE_GO\"); os.LookupEnv(own); os.Setenv(\"GAZE_SET\", \"\") }\n// GAZE_COMMENT\n",
		"b.go":      "package a\nimport \"p/environ\"\nfunc g() { environ.Path(other.Env); environ.Switch(\"GAZE_SWITCH\", true) }\n",
		"c.go":      "package other\nconst Env = \"GAZE_OTHER\"\n",
		"a_test.go": "package a\nfunc T() { t.Setenv(\"GAZE_SET\", \"\"); cmd(\"GAZE_CHILD=\"+x, \"GAZE_LITERAL=1\") }\n",
		"a.sh":      "# $GAZE_COMMENT\n: \"${GAZE_SH:-x}\" \"$GAZE_SH_TOO\"\nis_on GAZE_SH_THREE\nGAZE_WRITTEN=1\n",
		"a.py":      "os.environ.get('GAZE_PY'); os.environ[\"GAZE_PY_TOO\"]; os.getenv(\"GAZE_PY_THREE\"); env = {\"GAZE_WRITTEN\": 1}\n",
		"a.c":       "#define GAZE_A_H\nx = getenv(\"GAZE_C\");\n",
		"x.yaml":    "a: ${GAZE_YAML:?set GAZE_TEXT}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found := scan(t, dir)
	want := []string{"GAZE_C", "GAZE_CONST", "GAZE_GO", "GAZE_OTHER", "GAZE_PY", "GAZE_PY_THREE", "GAZE_PY_TOO", "GAZE_SH", "GAZE_SH_THREE", "GAZE_SH_TOO", "GAZE_SWITCH", "GAZE_YAML"}
	if got := slices.Sorted(maps.Keys(found.read)); !slices.Equal(got, want) {
		t.Errorf("read: %q, want %q", got, want)
	}
	want = []string{"GAZE_CHILD", "GAZE_LITERAL", "GAZE_SET"}
	if got := slices.Sorted(maps.Keys(found.tested)); !slices.Equal(got, want) {
		t.Errorf("tested: %q, want %q", got, want)
	}
}

// uses says in which files variables are read, and which tests set them.
type uses struct{ read, tested map[string][]string }

// readers are the functions that read the variable whose name they are given.
var readers = []string{"Getenv", "LookupEnv", "env", "envOr", "Get", "Switch", "Path", "PathOf", "Existing", "Folder", "FolderToMake", "FileOrName", "Endpoint", "Asked", "FindCheckpoint"}

// reads are how other languages do it, by the end of the file's name.
var reads = map[string]*regexp.Regexp{
	".sh":      regexp.MustCompile(`(?:\$\{?|is_on )(GAZE_[A-Z_]+)`),
	".py":      regexp.MustCompile(`(?:environ(?:\.get\(|\[)|getenv\()["'](GAZE_[A-Z_]+)`),
	".c":       regexp.MustCompile(`getenv\("(GAZE_[A-Z_]+)`),
	".yaml":    regexp.MustCompile(`\$\{(GAZE_[A-Z_]+)`),
	"Makefile": regexp.MustCompile(`\$[({](GAZE_[A-Z_]+)`),
}

// scan looks through all code below a folder.
func scan(t *testing.T, root string) uses {
	t.Helper()
	found := uses{map[string][]string{}, map[string][]string{}}
	var goFiles []*ast.File
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "bin" || name == "testdata" || path == filepath.Join(root, "report")) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			goFiles = append(goFiles, file)
			return err
		}
		kind := filepath.Ext(name)
		if filepath.Base(filepath.Dir(path)) == "kernel" && name == "go" {
			kind = ".sh" // stands before the go command, so it can't be called otherwise
		}
		pattern := reads[kind]
		if pattern == nil {
			if pattern = reads[name]; pattern == nil {
				return nil
			}
		}
		text, err := os.ReadFile(path)
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") && kind != ".c" {
				continue
			}
			for _, m := range pattern.FindAllStringSubmatch(line, -1) {
				found.read[m[1]] = append(found.read[m[1]], path)
			}
		}
		if strings.HasPrefix(name, "test") && kind == ".py" {
			for _, m := range regexp.MustCompile(`["'](GAZE_[A-Z_]+)["']`).FindAllStringSubmatch(string(text), -1) {
				found.tested[m[1]] = append(found.tested[m[1]], path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := constants(goFiles)
	for _, file := range goFiles {
		found.inGo(files.Position(file.Pos()).Filename, file, names)
	}
	return found
}

// constants are the names, with their package's, of constants that hold a variable's name.
func constants(goFiles []*ast.File) map[string]string {
	names := map[string]string{}
	for _, file := range goFiles {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for i, value := range spec.Values {
					if name, ok := variable(value); ok && i < len(spec.Names) {
						names[packageOf(file)+"."+spec.Names[i].Name] = name
					}
				}
			}
			return true
		})
	}
	return names
}

func packageOf(file *ast.File) string { return strings.TrimSuffix(file.Name.Name, "_test") }

// variable is the name at the beginning of a literal.
func variable(e ast.Expr) (string, bool) {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	name, _, _ := strings.Cut(text, "=")
	return name, err == nil && regexp.MustCompile(`^GAZE_[A-Z_]+$`).MatchString(name)
}

// inGo notes what a file of Go reads and, if it is a test, sets.
func (u uses) inGo(path string, file *ast.File, constants map[string]string) {
	// Tests of this package set variables to test how they are read, not what they do.
	test := strings.HasSuffix(path, "_test.go") && packageOf(file) != "environ"
	name := func(e ast.Expr) (string, bool) {
		if name, ok := variable(e); ok {
			return name, true
		}
		from := packageOf(file)
		if s, ok := e.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				from = x.Name
			}
			e = s.Sel
		}
		id, ok := e.(*ast.Ident)
		if !ok {
			return "", false
		}
		name, ok := constants[from+"."+id.Name]
		return name, ok
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			called := ""
			switch f := n.Fun.(type) {
			case *ast.Ident:
				called = f.Name
			case *ast.SelectorExpr:
				called = f.Sel.Name
			}
			if !slices.Contains(readers, called) {
				return true
			}
			reads := false
			for _, arg := range n.Args {
				if v, ok := name(arg); ok {
					u.read[v] = append(u.read[v], path)
					reads = true
				}
			}
			return !(reads && test) // a test that reads doesn't test by that
		case *ast.BasicLit:
			if v, ok := variable(n); ok && test {
				u.tested[v] = append(u.tested[v], path)
			}
		case *ast.Ident:
			if v, ok := constants[packageOf(file)+"."+n.Name]; ok && test {
				u.tested[v] = append(u.tested[v], path)
			}
		}
		return true
	})
}
