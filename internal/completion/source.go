package completion

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"strings"
)

// fromSource are candidates without gopls, while it loads or where there is none: after the
// name of a package what the package exports, as its source says; elsewhere what cells have
// declared, packages and keywords.
func (c *Completer) fromSource(q query, start int) []candidate {
	if !afterDot(q.cell.code, start) {
		return c.withNames(q, start, append(c.declaredNames(), keywords()...))
	}
	dot := strings.LastIndexByte(q.cell.code[:start], '.')
	from, to := wordAround(q.cell.code[:dot], dot)
	if afterDot(q.cell.code, from) {
		return nil // a field of something
	}
	_, file, _ := q.cell.parse()
	if file == nil {
		return nil
	}
	i, ok := importsOf(file)[q.cell.code[from:to]]
	if !ok {
		return nil
	}
	dir := c.sourceFolder(i.path)
	if dir == "" {
		return nil
	}
	return exportedIn(dir)
}

// keywords are Go's.
func keywords() []candidate {
	var found []candidate
	for tok := token.BREAK; tok <= token.VAR; tok++ {
		found = append(found, candidate{tok.String(), "keyword", ""})
	}
	return found
}

// exportedIn are the exported names of the package in a folder, on this kind of machine.
func exportedIn(dir string) []candidate {
	pkg, err := build.Default.ImportDir(dir, 0)
	if pkg == nil || err != nil && len(pkg.GoFiles) == 0 {
		return nil
	}
	var found []candidate
	fset := token.NewFileSet()
	for _, name := range append(pkg.GoFiles, pkg.CgoFiles...) {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range file.Decls {
			found = append(found, exportedBy(decl)...)
		}
	}
	return found
}

// exportedBy are the exported names of a declaration.
func exportedBy(decl ast.Decl) []candidate {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && d.Name.IsExported() {
			return []candidate{{d.Name.Name, "function", printed(d.Type)}}
		}
	case *ast.GenDecl:
		var found []candidate
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					found = append(found, candidate{s.Name.Name, "class", ""})
				}
			case *ast.ValueSpec:
				found = append(found, exportedValues(d.Tok, s)...)
			}
		}
		return found
	}
	return nil
}

// exportedValues are the exported variables or constants of a specification.
func exportedValues(tok token.Token, s *ast.ValueSpec) []candidate {
	kind, typ := "instance", ""
	if tok == token.CONST {
		kind = "constant"
	}
	if s.Type != nil {
		typ = printed(s.Type)
	}
	var found []candidate
	for _, name := range s.Names {
		if name.IsExported() {
			found = append(found, candidate{name.Name, kind, typ})
		}
	}
	return found
}

// printed is the source of a type; of a function's without the word func.
func printed(n ast.Expr) string {
	var b bytes.Buffer
	if printer.Fprint(&b, token.NewFileSet(), n) != nil {
		return ""
	}
	return strings.TrimPrefix(b.String(), "func")
}
