package completion

import (
	"strings"
	"testing"
)

// observed are the declarations of cells that ran one after another.
func observed(cells ...string) *declarations {
	d := &declarations{}
	for _, code := range cells {
		d.command(code)
		d.observe(compose("package main\n", code, len(code)))
	}
	return d
}

func TestDeclarations(t *testing.T) {
	for _, test := range []struct {
		name      string
		cells     []string
		names     []string // of the current cell
		has, lost string   // parts of the file
	}{
		{"a function with its comment", []string{"// F is one.\nfunc F() int { return 1 }"}, nil, "// F is one.\nfunc F() int { return 1 }", ""},
		{"a later cell replaces it", []string{"func F() int { return 1 }", "func F() int { return 2 }"}, nil, "return 2", "return 1"},
		{"the current cell has it", []string{"func F() int { return 1 }"}, []string{"F"}, "package main", "func F"},
		{"main is the cell's own", []string{"%%\nx := 1\n_ = x"}, nil, "package main", "x := 1"},
		{"methods of two types", []string{"type A int\ntype B int\nfunc (A) F() {}", "func (*B) F() {}"}, nil, "func (A) F() {}", ""},
		{"a group of variables", []string{"var (\n\ta = 1\n\tb = 2\n)", "var a = 3"}, nil, "var b = 2", "a = 1"},
		{"two names of one value", []string{"var aa, b = f()", "var aa = 3"}, nil, "var _, b = f()", "aa, b"},
		{"constants count lines", []string{"const (\n\taa = iota\n\tb\n)", "const aa = 3"}, nil, "\t_ = iota\n\tb", "aa = iota"},
		{"all constants replaced", []string{"const (\n\ta = iota\n\tb\n)", "const a, b = 3, 4"}, nil, "const a, b = 3, 4", "iota"},
		{"imports stay", []string{"import str \"strings\"", "var x = str.ToUpper(\"a\")"}, nil, "import str \"strings\"", ""},
		{"a known package needs no import", []string{"var x = fmt.Sprint(1)"}, nil, "import \"fmt\"", ""},
		{"unless a cell has its name", []string{"var fmt T", "var x = fmt.Sprint(1)"}, nil, "import _ \"fmt\"", "import \"fmt\""},
		{"reset", []string{"var x = 1", "%reset"}, nil, "package main", "var x"},
		{"remove", []string{"var x, y = 1, 2\ntype A int\nfunc (A) F() {}", "%rm x A~F"}, nil, "var _, y = 1, 2", "func"},
		{"a generic type's method", []string{"type A[T any] struct{}\nfunc (a *A[T]) F() {}", "func (a A[T]) F() int { return 2 }"}, nil, "return 2", "a *A[T]"},
		{"a cell that can't be parsed", []string{"var x = 1", "var x = = 2"}, nil, "var x = 1", "= 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			names := map[string]bool{}
			for _, n := range test.names {
				names[n] = true
			}
			got := observed(test.cells...).file(names, known{"fmt": "fmt"})
			if !strings.Contains(got, test.has) {
				t.Errorf("%q isn't in\n%s", test.has, got)
			}
			if test.lost != "" && strings.Contains(got, test.lost) {
				t.Errorf("%q is in\n%s", test.lost, got)
			}
		})
	}
}
