// Package gosource has what several packages ask of Go's syntax trees.
package gosource

import "go/ast"

// Name returns a function's name, for a method behind that of its type: "T.f". The type is
// "?" if the declaration is none that Go allows.
func Name(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	for {
		switch of := t.(type) {
		case *ast.StarExpr:
			t = of.X
		case *ast.ParenExpr:
			t = of.X
		case *ast.IndexExpr:
			t = of.X
		case *ast.IndexListExpr:
			t = of.X
		case *ast.Ident:
			return of.Name + "." + d.Name.Name
		default:
			return "?." + d.Name.Name
		}
	}
}
