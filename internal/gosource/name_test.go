package gosource

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

func TestName(t *testing.T) {
	for source, want := range map[string]string{
		"func f() {}": "f", "func (t T) f() {}": "T.f", "func (t *T) f() {}": "T.f", "func (T[K]) f() {}": "T.f",
		"func (t *T[K, V]) f() {}": "T.f", "func (t *(T)) f() {}": "T.f", "func ([]T) f() {}": "?.f", "func () f() {}": "f",
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, parser.SkipObjectResolution)
		if file == nil || len(file.Decls) == 0 {
			t.Fatal(source, err)
		}
		if got := Name(file.Decls[0].(*ast.FuncDecl)); got != want {
			t.Errorf("%s: '%s', want '%s'", source, got, want)
		}
	}
}
