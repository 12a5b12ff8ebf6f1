package completion

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// standard are the packages of the standard library that cells are most likely to use. They
// and the clone's packages are imported into every file that gopls sees: a cell that begins to
// use one then changes no list of imports, after which gopls would have to ask the go command
// about packages again, for up to a second.
var standard = []string{
	"bufio", "bytes", "cmp", "context", "encoding/base64", "encoding/binary", "encoding/csv", "encoding/json",
	"errors", "flag", "fmt", "hash/fnv", "image", "image/color", "image/draw", "image/gif", "image/jpeg",
	"image/png", "io", "io/fs", "iter", "log", "maps", "math", "math/bits", "math/cmplx", "math/rand/v2", "net/http",
	"os", "os/exec", "os/signal", "path", "path/filepath", "reflect", "regexp", "runtime", "slices", "sort",
	"strconv", "strings", "sync", "sync/atomic", "testing", "text/tabwriter", "time", "unicode", "unicode/utf8",
}

// known are the packages that cells can use without importing them, since GoNB adds the
// import: paths by name.
type known map[string]string

// findPackages are the clone's packages that a cell can import, and the standard ones. A
// folder that can't be read has none.
func findPackages(root string) known {
	found := known{}
	for _, p := range standard {
		found[packageName(p)] = p
	}
	module := modulePath(root)
	_ = filepath.WalkDir(filepath.Join(root, "pkg"), func(dir string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		if name := entry.Name(); name == "internal" || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			return filepath.SkipDir
		}
		if name := packageIn(dir); name != "" && name != "main" {
			rel, err := filepath.Rel(root, dir)
			if err == nil {
				found[name] = path.Join(module, filepath.ToSlash(rel))
			}
		}
		return nil
	})
	return found
}

// paths are all paths, sorted.
func (k known) paths() []string { return slices.Sorted(maps.Values(k)) }

// packageIn is the name of the package in a folder, empty if there is none.
func packageIn(dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly); err == nil {
			return f.Name.Name
		}
	}
	return ""
}

// modulePath is the path of the module in a folder.
func modulePath(root string) string {
	data, _ := os.ReadFile(filepath.Join(root, "go.mod"))
	for l := range strings.Lines(string(data)) {
		if fields := strings.Fields(l); len(fields) >= 2 && fields[0] == "module" {
			return strings.Trim(fields[1], `"`)
		}
	}
	return ""
}

// used are the known packages that a text refers to by name and that aren't imported. Whether
// the name is rather a variable's doesn't matter: then it hides the package.
func (k known) used(text string, imports map[string]imported) []imported {
	var found []imported
	seen := map[string]bool{}
	var before, name string
	scan(text, func(_ int, tok token.Token, literal string) bool {
		if tok == token.PERIOD && name != "" && !seen[name] {
			seen[name] = true
			if p, ok := k[name]; ok {
				if _, ok := imports[name]; !ok {
					found = append(found, imported{path: p})
				}
			}
		}
		name = ""
		if tok == token.IDENT && before != "." {
			name = literal
		}
		before = tok.String()
		return true
	})
	return found
}

// names are all names, sorted.
func (k known) names() []string { return slices.Sorted(maps.Keys(k)) }

// header is a package clause with imports, on one line: those of a file and, without a name,
// every known package and further paths.
func (k known) header(further map[string]bool, imports map[string]imported) string {
	all := map[string]bool{}
	maps.Copy(all, further)
	for _, p := range k {
		all[p] = true
	}
	var b strings.Builder
	b.WriteString("package main")
	for _, p := range slices.Sorted(maps.Keys(all)) {
		b.WriteString("; import _ \"" + p + `"`)
	}
	for _, key := range slices.Sorted(maps.Keys(imports)) {
		b.WriteString("; import " + imports[key].String())
	}
	b.WriteByte('\n')
	return b.String()
}
