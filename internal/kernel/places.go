package kernel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"

	"gaze/internal/gosource"
)

// GoNB writes the declarations of all cells into one main.go and reports errors of that
// file. Its own table of lines leaves out all funcs but main, so places are found here by
// the declarations' names: each text is in main.go as it is in its cell.

// declared is a declaration of a cell.
type declared struct {
	cell  int      // the cell's execution count
	lines []int    // the cell's line of each of its lines, from 0
	text  []string // the cell's lines
}

// places knows which cell has declared what. The zero value is ready.
type places struct {
	known  map[string]declared
	locals map[string]int // variables in the bodies of %%, and the cell's execution count
	cells  int            // how many cells with Go have been compiled
}

// with returns the places with a cell's declarations added, which replace earlier ones of
// the same name.
func (p *places) with(c *code, cell int) *places {
	more := &places{known: map[string]declared{}, locals: map[string]int{}, cells: p.cells + 1}
	for name, d := range p.known {
		more.known[name] = d
	}
	for name, from := range p.locals {
		more.locals[name] = from
	}
	for _, d := range declarations(c.file, c.files) {
		one := declared{cell: cell, text: c.lines}
		for line := d.first; line <= d.last; line++ {
			one.lines = append(one.lines, c.cellLine(line))
		}
		more.known[d.name] = one
		if d.name == "func main" {
			for _, name := range assigned(d.node) {
				more.locals[name] = cell
			}
		}
	}
	return more
}

// remove forgets what %rm removes.
func (p *places) remove(name string) {
	for _, prefix := range []string{"func ", "var ", "const ", "type "} {
		delete(p.known, prefix+name)
	}
}

// has says whether a package-level name is declared.
func (p *places) has(name string) bool {
	for _, prefix := range []string{"func ", "var ", "const ", "type "} {
		if _, ok := p.known[prefix+name]; ok {
			return true
		}
	}
	return false
}

// similar is the declared name that a mistyped one probably stands for: the one with the
// fewest letters to change, at most one in three and two in all; empty: none.
func (p *places) similar(name string) string {
	best, least := "", min(2, len(name)/3)
	for key := range p.known {
		_, known, ok := strings.Cut(key, " ")
		if d := distance(name, known); ok && known != "main" && (d < least || d == least && (best == "" || known < best)) {
			best, least = known, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace that makes b of a
// (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// declaration is a declaration in a file, on lines that begin with 0.
type declaration struct {
	name        string
	first, last int
	node        ast.Node
}

// declarations lists the declarations of a file under names that say what they are, such
// as "func Picture.Size".
func declarations(file *ast.File, files *token.FileSet) []declaration {
	var found []declaration
	if file == nil {
		return nil
	}
	add := func(name string, n ast.Node) {
		found = append(found, declaration{name, files.Position(n.Pos()).Line - 1, files.Position(n.End()).Line - 1, n})
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add("func "+gosource.Name(d), d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.ImportSpec:
					add("import "+spec.Path.Value, spec)
				case *ast.TypeSpec:
					add("type "+spec.Name.Name, spec)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						add(d.Tok.String()+" "+name.Name, spec)
					}
				}
			}
		}
	}
	return found
}

// assigned lists the variables that the statements of a func's body declare.
func assigned(n ast.Node) []string {
	f, ok := n.(*ast.FuncDecl)
	if !ok || f.Body == nil {
		return nil
	}
	var names []string
	for _, s := range f.Body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			for _, e := range s.Lhs {
				if name, ok := e.(*ast.Ident); ok && s.Tok == token.DEFINE && name.Name != "_" {
					names = append(names, name.Name)
				}
			}
		case *ast.DeclStmt:
			if d, ok := s.Decl.(*ast.GenDecl); ok {
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for _, name := range v.Names {
							names = append(names, name.Name)
						}
					}
				}
			}
		}
	}
	return names
}

// mainFile is a main.go of GoNB's, parsed to find places in it.
type mainFile struct {
	lines        []string
	declarations []declaration
}

func parseMain(source string) *mainFile {
	files := token.NewFileSet()
	f, _ := parser.ParseFile(files, "main.go", source, parser.SkipObjectResolution)
	return &mainFile{strings.Split(source, "\n"), declarations(f, files)}
}

// place is a place in a cell. line and column begin with 0; a column of -1 is unknown.
type place struct {
	cell         int
	line, column int
	text         string // the line
	function     string // the func that it's in, such as main
}

// find returns the cell's place for a line and column of main.go, both from 0.
func (p *places) find(m *mainFile, line, column int) (place, bool) {
	for _, d := range m.declarations {
		if line < d.first || line > d.last {
			continue
		}
		from, ok := p.known[d.name]
		if !ok || line-d.first >= len(from.lines) {
			continue
		}
		found := place{cell: from.cell, line: from.lines[line-d.first], column: -1}
		if found.line < len(from.text) {
			found.text = from.text[found.line]
		}
		found.function, _ = strings.CutPrefix(d.name, "func ")
		if line < len(m.lines) && column >= 0 {
			found.column = sameColumn(m.lines[line], column, found.text)
		}
		return found, true
	}
	return place{}, false
}

var word = regexp.MustCompile(`^[\pL_][\pL\pN_]*`)

// sameColumn returns the column of a cell's line for one in main.go, where GoNB may have
// moved the text.
func sameColumn(line string, column int, cell string) int {
	trimmed := strings.TrimSpace(line)
	if at := strings.Index(cell, trimmed); at >= 0 && trimmed != "" {
		return min(max(0, column-strings.Index(line, trimmed)+at), len(cell))
	}
	if column < len(line) {
		if name := word.FindString(line[column:]); name != "" && strings.Count(cell, name) == 1 {
			return strings.Index(cell, name)
		}
	}
	return -1
}
