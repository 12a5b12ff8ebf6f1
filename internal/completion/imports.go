package completion

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// inImport says whether an offset is inside the quotes of an import, and where the path begins.
// It looks at the lines only, since a file with an open quote can't be parsed.
func inImport(c cell, offset int) (start int, ok bool) {
	at := c.lines[lineOf(c.lines, offset)]
	before := c.code[at.start:offset]
	quote := strings.IndexByte(before, '"')
	if quote < 0 || strings.IndexByte(before[quote+1:], '"') >= 0 {
		return 0, false
	}
	words := strings.Fields(before[:quote])
	if len(words) > 0 && words[0] == "import" {
		words = words[1:]
		if len(words) > 0 && words[0] == "(" {
			words = words[1:]
		}
	} else if !inImportGroup(c, at) {
		return 0, false
	}
	return at.start + quote + 1, len(words) <= 1
}

// inImportGroup says whether a line is inside the round brackets of an import declaration.
func inImportGroup(c cell, at line) bool {
	inside := false
	for _, l := range c.lines {
		if l.start >= at.start {
			break
		}
		text := strings.TrimSpace(l.text)
		switch {
		case strings.HasPrefix(text, "import") && strings.HasSuffix(text, "("):
			inside = true
		case strings.HasPrefix(text, ")") || strings.HasPrefix(text, "func"):
			inside = false
		}
	}
	return inside
}

// importable are the packages that a cell can import, by where they come from.
type importable struct {
	root     string // the clone
	command  string // the go command
	once     sync.Once
	goroot   string            // where Go is installed
	standard []string          // all of the standard library
	modules  map[string]string // folders of the modules that the clone requires, by path
}

// load reads the names of the standard library's folders and of the clone's modules.
func (i *importable) load() {
	i.once.Do(func() {
		dirs := goEnv(i.command, "GOROOT", "GOMODCACHE")
		i.goroot = dirs[0]
		if i.goroot != "" {
			i.standard = packagesIn(filepath.Join(i.goroot, "src"), "")
		}
		i.modules = requiredModules(i.root, dirs[1])
	})
}

// has says whether a package exists.
func (i *importable) has(p string) bool {
	i.load()
	if _, ok := slices.BinarySearch(i.standard, p); ok {
		return true
	}
	for module, dir := range i.modules {
		if rest, ok := strings.CutPrefix(p+"/", module+"/"); ok && packageIn(filepath.Join(dir, filepath.FromSlash(rest))) != "" {
			return true
		}
	}
	return false
}

// goEnv asks the go command for settings. An empty one means that there is no answer.
func goEnv(command string, names ...string) []string {
	values := make([]string, len(names))
	out, err := exec.Command(command, append([]string{"env"}, names...)...).Output()
	if err != nil {
		return values
	}
	copy(values, strings.Split(string(out), "\n"))
	return values
}

// requiredModules are the folders of the modules in the clone's go.mod.
func requiredModules(root, cache string) map[string]string {
	found := map[string]string{}
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil || cache == "" {
		return found
	}
	for l := range strings.Lines(string(data)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(l), "require "))
		if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") && strings.Contains(fields[0], ".") {
			found[fields[0]] = filepath.Join(cache, filepath.FromSlash(escaped(fields[0]))+"@"+escaped(fields[1]))
		}
	}
	return found
}

// escaped is a path as the module cache writes it: for file systems that don't tell case
// apart, a capital letter is an exclamation mark and the small letter.
func escaped(p string) string {
	var b strings.Builder
	for _, r := range p {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// packagesIn are the packages in a folder and below that others can import. The path of the
// folder itself is module.
func packagesIn(dir, module string) []string {
	var found []string
	_ = filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if !entry.IsDir() {
			p := packageAt(dir, at, module)
			if p != "" && (len(found) == 0 || found[len(found)-1] != p) {
				found = append(found, p)
			}
			return nil
		}
		switch name := entry.Name(); {
		case name == "internal" || name == "testdata" || name == "vendor" || module == "" && name == "cmd",
			at != dir && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")):
			return filepath.SkipDir
		}
		return nil
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// packageAt is the path of the package that a file belongs to, empty if it is no Go file.
func packageAt(dir, file, module string) string {
	if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
		return ""
	}
	rel, err := filepath.Rel(dir, filepath.Dir(file))
	if err != nil || rel == "." {
		return module
	}
	return path.Join(module, filepath.ToSlash(rel))
}

// importPaths are the clone's packages, the standard library's, and those of modules that the
// clone requires, as far as they begin with a path.
func (c *Completer) importPaths(prefix string) []candidate {
	c.importable.load()
	paths := slices.Concat(c.known.paths(), c.importable.standard)
	for module, dir := range c.importable.modules {
		switch {
		case strings.HasPrefix(prefix, module):
			paths = append(paths, packagesIn(dir, module)...)
		case strings.HasPrefix(module, prefix):
			paths = append(paths, module)
		}
	}
	slices.Sort(paths)
	var all []candidate
	for _, p := range slices.Compact(paths) {
		if strings.HasPrefix(p, prefix) {
			all = append(all, candidate{p, "module", packageName(p)})
		}
	}
	return all
}

// sourceFolder is the folder of a package of the clone or of the standard library, empty for
// others.
func (c *Completer) sourceFolder(p string) string {
	if rel, ok := strings.CutPrefix(p, modulePath(c.options.Root)+"/"); ok {
		return filepath.Join(c.options.Root, filepath.FromSlash(rel))
	}
	c.importable.load()
	if slices.Contains(c.importable.standard, p) {
		return filepath.Join(c.importable.goroot, "src", filepath.FromSlash(p))
	}
	return ""
}
