package completion

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// fromSource are candidates without gopls, while it loads or where there is none: after the
// name of a package what the package exports, as its source says; elsewhere what cells have
// declared, packages and keywords.
func (c *Completer) fromSource(q query, start int) []candidate {
	if !afterDot(q.cell.code, start) {
		return c.withNames(q, start, append(c.declaredNames(), keywords()...))
	}
	_, files := parsedPackage(c.packageBefore(q, start))
	var found []candidate
	for _, file := range files {
		for _, decl := range file.Decls {
			found = append(found, exportedBy(decl)...)
		}
	}
	return found
}

// packageBefore is the folder of the package whose name and a dot are before an offset, empty
// if there is no package's name.
func (c *Completer) packageBefore(q query, start int) string {
	dot := strings.LastIndexByte(q.cell.code[:start], '.')
	if dot < 0 {
		return ""
	}
	from, to := wordAround(q.cell.code[:dot], dot)
	if afterDot(q.cell.code, from) {
		return "" // a field of something
	}
	_, file, _ := q.cell.parse()
	if file == nil {
		return ""
	}
	i, ok := importsOf(file)[q.cell.code[from:to]]
	if !ok {
		return ""
	}
	return c.sourceFolder(i.path)
}

// hoverFromSource is the documentation of what a package exports and the cell has at an offset,
// empty if it is anything else.
func (c *Completer) hoverFromSource(q query, start int) string {
	if start < 0 || !afterDot(q.cell.code, start) {
		return ""
	}
	_, end := wordAround(q.cell.code, start)
	name := q.cell.code[start:end]
	fset, files := parsedPackage(c.packageBefore(q, start))
	if len(files) == 0 || !ast.IsExported(name) {
		return ""
	}
	pkg, err := doc.NewFromFiles(fset, files, "")
	if err != nil {
		return ""
	}
	decl, text := documented(pkg, name)
	if decl == nil {
		return ""
	}
	var b bytes.Buffer
	b.WriteString("```go\n")
	if printer.Fprint(&b, fset, decl) != nil {
		return ""
	}
	b.WriteString("\n```\n\n---\n\n")
	b.Write(pkg.Markdown(text))
	return c.clean(b.String())
}

// documented is an exported declaration of a package, and its documentation.
func documented(pkg *doc.Package, name string) (ast.Decl, string) {
	values, funcs := slices.Concat(pkg.Consts, pkg.Vars), pkg.Funcs
	for _, t := range pkg.Types {
		if t.Name == name {
			return t.Decl, t.Doc
		}
		values, funcs = slices.Concat(values, t.Consts, t.Vars), slices.Concat(funcs, t.Funcs)
	}
	for _, f := range funcs {
		if f.Name == name {
			return f.Decl, f.Doc
		}
	}
	for _, v := range values {
		if slices.Contains(v.Names, name) {
			return v.Decl, v.Doc
		}
	}
	return nil, ""
}

// keywords are Go's.
func keywords() []candidate {
	var found []candidate
	for tok := token.BREAK; tok <= token.VAR; tok++ {
		found = append(found, candidate{tok.String(), "keyword", ""})
	}
	return found
}

// parsedPackage are the files of the package in a folder, on this kind of machine.
func parsedPackage(dir string) (*token.FileSet, []*ast.File) {
	fset := token.NewFileSet()
	if dir == "" {
		return fset, nil
	}
	pkg, err := build.Default.ImportDir(dir, 0)
	if pkg == nil || err != nil && len(pkg.GoFiles) == 0 {
		return fset, nil
	}
	var files []*ast.File
	for _, name := range slices.Concat(pkg.GoFiles, pkg.CgoFiles) {
		if file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution|parser.ParseComments); err == nil {
			files = append(files, file)
		}
	}
	return fset, files
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
