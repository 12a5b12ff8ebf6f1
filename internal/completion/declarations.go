package completion

import (
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"gaze/internal/gosource"
)

// declarations are what the cells that ran have declared, as GoNB keeps it: a later
// declaration of a name replaces the earlier one. The zero value is empty.
type declarations struct {
	imports map[string]imported // by the name they have in the file, or "." and the path
	units   []unit
}

// imported is an import: the path without quotes and the name before it, if there is one.
type imported struct{ name, path string }

// unit is a declaration that is kept or dropped as a whole: a function, a type, a variable
// specification, or a group of constants.
type unit struct {
	names   []string
	text    string
	offsets []int // of names in text; nil unless a single name can be blanked
}

// importsOf are the imports of a file.
func importsOf(file *ast.File) map[string]imported {
	found := map[string]imported{}
	for _, spec := range file.Imports {
		if len(spec.Path.Value) < 3 {
			continue
		}
		i := imported{path: spec.Path.Value[1 : len(spec.Path.Value)-1]}
		if spec.Name != nil {
			i.name = spec.Name.Name
		}
		found[i.key()] = i
	}
	return found
}

// key is the name under which an import is known in a file.
func (i imported) key() string {
	switch i.name {
	case "":
		return packageName(i.path)
	case ".", "_":
		return i.name + i.path
	}
	return i.name
}

// packageName is the name that a package most likely has: the last element of its path that
// isn't a version.
func packageName(p string) string {
	base := path.Base(p)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(p))
	}
	return strings.TrimPrefix(base, "go-")
}

// String is the import's specification.
func (i imported) String() string {
	if i.name == "" {
		return `"` + i.path + `"`
	}
	return i.name + ` "` + i.path + `"`
}

// unitsOf are the declarations of a file without imports, main and what couldn't be parsed.
func unitsOf(fset *token.FileSet, file *ast.File, text string) []unit {
	at := func(pos token.Pos) int { return fset.Position(pos).Offset }
	var units []unit
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if name := gosource.Name(d); name != "main" {
				units = append(units, unit{names: []string{name}, text: text[at(start(d, d.Doc)):at(d.End())]})
			}
		case *ast.GenDecl:
			units = append(units, unitsOfGroup(d, text, at)...)
		}
	}
	return units
}

// start is where a declaration with its comment begins.
func start(n ast.Node, doc *ast.CommentGroup) token.Pos {
	if doc != nil {
		return doc.Pos()
	}
	return n.Pos()
}

// unitsOfGroup are the units of a var, const or type declaration.
func unitsOfGroup(d *ast.GenDecl, text string, at func(token.Pos) int) []unit {
	if d.Tok == token.CONST { // as a whole, since a value may come from the line before it
		u := unit{text: text[at(start(d, d.Doc)):at(d.End())]}
		for _, spec := range d.Specs {
			u.add(spec.(*ast.ValueSpec), at, at(start(d, d.Doc)))
		}
		return []unit{u}
	}
	var units []unit
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			units = append(units, unit{names: []string{s.Name.Name}, text: comment(d, s.Doc, text, at) + "type " + text[at(s.Pos()):at(s.End())]})
		case *ast.ValueSpec:
			before := comment(d, s.Doc, text, at) + "var "
			u := unit{text: before + text[at(s.Pos()):at(s.End())]}
			u.add(s, at, at(s.Pos())-len(before))
			units = append(units, u)
		}
	}
	return units
}

// comment is the comment of a specification: its own or, if it is the only one, the
// declaration's.
func comment(d *ast.GenDecl, own *ast.CommentGroup, text string, at func(token.Pos) int) string {
	if own == nil && len(d.Specs) == 1 {
		own = d.Doc
	}
	if own == nil {
		return ""
	}
	return text[at(own.Pos()):at(own.End())] + "\n"
}

// add adds the names of a specification, whose unit's text begins at an offset of the file.
func (u *unit) add(s *ast.ValueSpec, at func(token.Pos) int, begin int) {
	for _, name := range s.Names {
		u.names = append(u.names, name.Name)
		u.offsets = append(u.offsets, at(name.Pos())-begin)
	}
}

// without is the unit's text without some names, empty if none is left.
func (u unit) without(names map[string]bool) string {
	text, left := u.text, 0
	for i := len(u.names) - 1; i >= 0; i-- {
		switch {
		case !names[u.names[i]]:
			left++
		case u.offsets != nil:
			text = text[:u.offsets[i]] + "_" + text[u.offsets[i]+len(u.names[i]):]
		}
	}
	if left == 0 {
		return ""
	}
	return text
}

// observe takes over what a cell has declared.
func (d *declarations) observe(c cell) {
	fset, file, err := c.parse()
	if err != nil || file == nil {
		return
	}
	if d.imports == nil {
		d.imports = map[string]imported{}
	}
	maps.Copy(d.imports, importsOf(file))
	units := unitsOf(fset, file, c.file)
	d.remove(namesOf(units))
	d.units = append(d.units, units...)
}

// remove forgets names.
func (d *declarations) remove(names map[string]bool) {
	kept := d.units[:0:0]
	for _, u := range d.units {
		if slices.ContainsFunc(u.names, func(n string) bool { return names[n] }) {
			text := u.without(names)
			if text == "" {
				continue
			}
			u = u.blanked(names, text)
		}
		kept = append(kept, u)
	}
	d.units = kept
}

// blanked is the unit after names in its text have become "_".
func (u unit) blanked(names map[string]bool, text string) unit {
	b := unit{text: text}
	moved := 0
	for i, n := range u.names {
		if names[n] {
			moved += 1 - len(n)
			continue
		}
		b.names = append(b.names, n)
		if u.offsets != nil {
			b.offsets = append(b.offsets, u.offsets[i]+moved)
		}
	}
	return b
}

// namesOf are the names that units declare. Any number of declarations may have the name _.
func namesOf(units []unit) map[string]bool {
	names := map[string]bool{}
	for _, u := range units {
		for _, n := range u.names {
			if n != "_" {
				names[n] = true
			}
		}
	}
	return names
}

// file is a Go file with all declarations but those whose names the current cell has.
func (d *declarations) file(names map[string]bool, k known) string {
	var body strings.Builder
	for _, u := range d.units {
		if text := u.without(names); text != "" {
			body.WriteString("\n" + text + "\n")
		}
	}
	imports := map[string]imported{}
	maps.Copy(imports, d.imports)
	for _, i := range k.used(body.String(), d.imports) {
		if name := i.key(); !d.has(name) && !names[name] {
			imports[name] = i
		}
	}
	return k.header(nil, imports) + body.String()
}

// has says whether a cell that ran has declared a name.
func (d *declarations) has(name string) bool {
	return slices.ContainsFunc(d.units, func(u unit) bool { return slices.Contains(u.names, name) })
}
