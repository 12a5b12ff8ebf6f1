package cells

import (
	"strings"
	"testing"
)

func TestFixImports(t *testing.T) {
	h := &host{
		Exports: map[string]string{"fmt": "x", "math/rand": "x", "math/rand/v2": "x", "gaze/pkg/explain": "x", "strings": "x"},
		Names:   map[string]string{"fmt": "fmt", "math/rand": "rand", "math/rand/v2": "rand", "gaze/pkg/explain": "explain", "strings": "strings"},
		Wanted:  []string{"fmt", "math/rand", "math/rand/v2", "gaze/pkg/explain", "strings"},
		Members: map[string][]string{"fmt": {"Println"}, "math/rand": {"Intn", "Perm"}, "math/rand/v2": {"IntN", "Perm"}, "gaze/pkg/explain": {"MeanHeads"}, "strings": {"Fields"}},
	}
	for _, test := range []struct {
		name, body string
		imports    string // after the change, in order; "?" if goimports has to
	}{
		{"complete", "import \"fmt\"\n\nfunc main() { fmt.Println(1) }", "fmt"},
		{"missing", "func main() { fmt.Println(explain.MeanHeads) }", "fmt gaze/pkg/explain"},
		{"unused", "import (\n\t\"fmt\"\n\t\"strings\"\n)\n\nfunc main() { fmt.Println(1) }", "fmt"},
		{"named and unused", "import s \"strings\"\n\nfunc main() {}", ""},
		{"named", "import s \"strings\"\n\nfunc main() { s.Fields(\"\") }", "strings"},
		{"blank", "import _ \"strings\"\n\nfunc main() {}", "strings"},
		{"dot", "import . \"strings\"\n\nfunc main() {}", "?"},
		{"shadowed", "func main() { strings := struct{ Fields int }{}; _ = strings.Fields }", ""},
		{"by member", "func main() { rand.IntN(3) }", "math/rand/v2"},
		{"ambiguous, the usual", "func main() { rand.Perm(3) }", "math/rand"},
		{"unknown member", "func main() { fmt.Nothing() }", "?"},
		{"unknown package", "func main() { frobnicate.Do() }", "?"},
		{"unknown import", "import \"example.com/x\"\n\nfunc main() { x.Do() }", "?"},
		{"syntax error", "func main() {", "?"},
	} {
		fixed, ok := h.fixImports([]byte("package main\n\n" + test.body + "\n"))
		got := "?"
		if ok {
			got = strings.Join(importsIn(t, fixed), " ")
		}
		if got != test.imports {
			t.Errorf("%s: imports '%s', want '%s'\n%s", test.name, got, test.imports, fixed)
		}
	}
}

func importsIn(t *testing.T, source []byte) []string {
	path := t.TempDir() + "/main.go"
	write(t, path, string(source))
	all, err := importsOf(path)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
