package completion

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCompose(t *testing.T) {
	const header = "package main\n"
	for _, test := range []struct{ name, code, want string }{
		{"empty", "|", "func main() {\n\n}\n"},
		{"body", "%%\nx := 1|", "func main() {\n\nx := 1\n}\n"},
		{"main with arguments", "%main -n 3\nx := 1|", "func main() {\n\nx := 1\n}\n"},
		{"function and body", "func f() {}\n%%\nf()|", "func f() {}\nfunc main() {\n\nf()\n}\n"},
		{"commands", "!ls \\\n  -l\n%cd x\n//gonb:%env A B\n%%\nf()|", "\n\n\n\nfunc main() {\n\nf()\n}\n"},
		{"two bodies", "%%\na()\n%%\nb()|", "func main() {\n\na()\n\nb()\n}\n"},
		{"a package clause is dropped", "package x\nvar y int|", "\nvar y int\n"},
		{"a name that begins like one", "%%\npackages := 1|", "func main() {\n\npackages := 1\n}\n"},
		{"no body mark", "import \"fmt\"\n\nfmt.|", "import \"fmt\"\n\nfunc main() {\nfmt.\n}\n"},
		{"open call", "%%\nf(g(a.|\nb()", "func main() {\n\nf(g(a.))\nb()\n}\n"},
		{"open block", "%%\nfor {\n\ta.|", "func main() {\n\nfor {\n\ta.\n}\n}\n"},
		{"open block and call", "%%\nf(func() {\n\ta.|", "func main() {\n\nf(func() {\n\ta.})\n}\n"},
		{"a line with an error", "%%\nx := := 1\na.|", "func main() {\n\n         \na.\n}\n"},
		{"an error in front of a block", "%%\nfor := := 1 {\na.|\n}", "func main() {\n\n            {\na.\n}\n}\n"},
		{"text like a body mark", "%%x\nvar y int|", "\nvar y int\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, cursor := marked(t, test.code)
			got := compose(header, code, byteOffset(code, cursor))
			if want := header + test.want; got.file != want {
				t.Errorf("got\n%s\nwant\n%s", got.file, want)
			}
		})
	}
}

func TestComposeScript(t *testing.T) {
	for _, code := range []string{"%%bash\nls", "%%writefile a.go\npackage a", "//gonb:%%sh\nls", "%%script python\nprint()"} {
		if c := compose("package main\n", code, 0); !c.script {
			t.Errorf("%q is taken for Go", code)
		}
	}
}

// Whatever a cell has, the file has its Go lines unchanged from the cursor's on, and the cursor
// is at the same place in them.
func FuzzCompose(f *testing.F) {
	_, cases := readCases(f)
	for _, test := range cases {
		code, cursor, _ := strings.Cut(test.Code, "|")
		f.Add(code+cursor, utf8.RuneCountInString(code))
	}
	f.Add("%%\nx := \"🐈\xff\"", 9)
	f.Add("func f( {[)}", 100)
	f.Add("\n%\n!\\\n%%", -1)
	f.Fuzz(func(t *testing.T, code string, cursor int) {
		offset := byteOffset(code, cursor)
		if cursor >= 0 && cursor <= utf8.RuneCountInString(code) && characters(code, offset) != cursor {
			t.Fatalf("character %d is at byte %d, which is character %d", cursor, offset, characters(code, offset))
		}
		c := compose("package main\n", code, offset)
		if c.script {
			return
		}
		at := c.toFile(offset)
		if at < 0 {
			return
		}
		lineEnd := func(text string, from int) string { l, _, _ := strings.Cut(text[from:], "\n"); return l }
		if want := lineEnd(code, offset); !strings.HasPrefix(c.file[at:], want) {
			t.Fatalf("after the cursor the file has %q, want %q", lineEnd(c.file, at), want)
		}
		start := strings.LastIndexByte(code[:offset], '\n') + 1
		if got := c.file[at-(offset-start) : at]; got != code[start:offset] {
			t.Fatalf("before the cursor the file has %q, want %q", got, code[start:offset])
		}
		p := positionOf(c.file, at)
		if got := strings.Count(c.file[:at], "\n"); p.Line != got || p.Character != utf16Length(code[start:offset]) {
			t.Fatalf("position %+v of line %d", p, got)
		}
		var d declarations
		d.observe(c)
		d.command(code)
		text := d.file(nil, known{"fmt": "fmt"})
		if len(d.units) > 0 {
			if _, err := parser.ParseFile(token.NewFileSet(), "", text, 0); err != nil {
				t.Fatalf("what was declared can't be parsed: %v\n%s", err, text)
			}
		}
		c.parse()
		inImport(c, offset)
		nameBefore(code, offset)
	})
}

func TestPositions(t *testing.T) {
	const text = "a\nö🐈x\n"
	for _, test := range []struct {
		cursor, offset int
		want           lspPosition
	}{
		{-1, 0, lspPosition{0, 0}},
		{1, 1, lspPosition{0, 1}},
		{2, 2, lspPosition{1, 0}},
		{3, 4, lspPosition{1, 1}},
		{4, 8, lspPosition{1, 3}},
		{5, 9, lspPosition{1, 4}},
		{6, 10, lspPosition{2, 0}},
		{99, 10, lspPosition{2, 0}},
	} {
		if got := byteOffset(text, test.cursor); got != test.offset {
			t.Errorf("character %d is at byte %d, want %d", test.cursor, got, test.offset)
		}
		if got := positionOf(text, test.offset); got != test.want {
			t.Errorf("byte %d is at %+v, want %+v", test.offset, got, test.want)
		}
	}
}
