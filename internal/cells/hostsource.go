package cells

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
)

// keepSource returns a file of package main that refers to every exported type of packages,
// so that the linker keeps their descriptions for cells; functions and variables are kept by
// keepObject. exports has the file of export data of each package and of those below it.
// members has all that each package exports.
func keepSource(packages []string, exports map[string]string) (source []byte, members map[string][]string, err error) {
	members = map[string][]string{}
	lookup := func(path string) (io.ReadCloser, error) {
		file, ok := exports[path]
		if !ok {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(file)
	}
	imports := importer.ForCompiler(token.NewFileSet(), "gc", lookup)
	var head, body bytes.Buffer
	head.WriteString("// Code generated for the notebooks' kernel. DO NOT EDIT.\n\npackage main\n\nimport (\n")
	body.WriteString("func kept(i int) any { return named[i] }\n\n// named refers to the types that cells may use.\nvar named = [...]any{\n")
	for i, path := range packages {
		p, err := imports.Import(path)
		if err != nil {
			return nil, nil, fmt.Errorf("export data of %s: %w", path, err)
		}
		name := fmt.Sprintf("p%d", i)
		before := body.Len()
		for _, n := range p.Scope().Names() {
			if token.IsExported(n) {
				members[path] = append(members[path], n)
			}
			if isType(p.Scope().Lookup(n)) {
				fmt.Fprintf(&body, "\t(*%s.%s)(nil),\n", name, n)
			}
		}
		if body.Len() == before {
			name = "_"
		}
		fmt.Fprintf(&head, "\t%s %q\n", name, path)
	}
	head.WriteString(")\n\n")
	body.WriteString("}\n")
	head.Write(body.Bytes())
	return head.Bytes(), members, nil
}

// isType reports whether an object is a type that values can have.
func isType(o types.Object) bool {
	t, ok := o.(*types.TypeName)
	return ok && o.Exported() && !generic(t.Type()) && !isConstraint(t.Type())
}

func generic(t types.Type) bool {
	switch t := t.(type) {
	case *types.Named:
		return t.TypeParams().Len() > 0
	case *types.Alias:
		return t.TypeParams().Len() > 0
	}
	return false
}

// isConstraint reports whether a type can only constrain type parameters.
func isConstraint(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && !i.IsMethodSet()
}
