package cells

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// preferred are the packages meant by a name that several have.
var preferred = map[string]string{"rand": "math/rand", "template": "text/template", "png": "image/png", "draw": "image/draw", "context": "context"}

// fixImports adds the imports that a program lacks and removes those that it doesn't use,
// as goimports does, among the packages that cells may import. ok is false if it needs
// others; goimports has to look for them.
func (h *host) fixImports(source []byte) (fixed []byte, ok bool) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "main.go", source, parser.ParseComments)
	if err != nil {
		return nil, false
	}
	used := usedPackages(file)
	imported := map[string]bool{}
	unused := map[*ast.ImportSpec]bool{}
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, false
		}
		name := h.Names[path]
		if i.Name != nil {
			name = i.Name.Name
		}
		switch {
		case name == "":
			return nil, false // an unknown package: its name isn't known either
		case name == "_" || name == ".":
		case len(used[name]) == 0 || imported[name]:
			unused[i] = true
		default:
			imported[name] = true
		}
		if name == "." {
			return nil, false
		}
	}
	var add []string
	for name, members := range used {
		if imported[name] {
			continue
		}
		path := h.providing(name, members)
		if path == "" {
			return nil, false
		}
		add = append(add, path)
	}
	if len(add) == 0 && len(unused) == 0 {
		return source, true
	}
	sort.Strings(add)
	return rewriteImports(files, file, unused, add)
}

// usedPackages returns the names that a file uses as packages, with the members that it
// uses of each: what is before a dot and declared nowhere in the file.
func usedPackages(file *ast.File) map[string][]string {
	unresolved := map[*ast.Ident]bool{}
	for _, id := range file.Unresolved {
		unresolved[id] = true
	}
	used := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && unresolved[id] && !slices.Contains(used[id.Name], s.Sel.Name) {
				used[id.Name] = append(used[id.Name], s.Sel.Name)
			}
		}
		return true
	})
	return used
}

// providing returns the package that a name means, or "".
func (h *host) providing(name string, members []string) string {
	var found []string
	for _, path := range h.Wanted {
		if h.Names[path] == name && h.exports(path, members) {
			found = append(found, path)
		}
	}
	switch {
	case len(found) == 1:
		return found[0]
	case slices.Contains(found, preferred[name]):
		return preferred[name]
	}
	return ""
}

// exports reports whether the host has all of some members of a package. Constants and
// generic functions leave no symbols, so they are looked for in Members.
func (h *host) exports(path string, members []string) bool {
	for _, m := range members {
		if !slices.Contains(h.Members[path], m) {
			return false
		}
	}
	return true
}

// rewriteImports replaces a file's imports.
func rewriteImports(files *token.FileSet, file *ast.File, unused map[*ast.ImportSpec]bool, add []string) ([]byte, bool) {
	var decls []ast.Decl
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			decls = append(decls, d)
			continue
		}
		g.Specs = slices.DeleteFunc(g.Specs, func(s ast.Spec) bool { return unused[s.(*ast.ImportSpec)] })
		if len(g.Specs) > 0 {
			decls = append(decls, g)
		}
	}
	file.Decls = decls
	var out bytes.Buffer
	if err := format.Node(&out, files, file); err != nil {
		return nil, false
	}
	if len(add) == 0 {
		return out.Bytes(), true
	}
	// After the package clause, which GoNB writes without anything before it.
	head, rest, found := strings.Cut(out.String(), "package main\n")
	if !found {
		return nil, false
	}
	var b strings.Builder
	b.WriteString(head + "package main\n\nimport (\n")
	for _, path := range add {
		b.WriteString("\t" + strconv.Quote(path) + "\n")
	}
	b.WriteString(")\n" + rest)
	return []byte(b.String()), true
}
