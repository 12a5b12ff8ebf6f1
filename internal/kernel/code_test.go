package kernel

import (
	"strings"
	"testing"
)

func TestIsComplete(t *testing.T) {
	for _, test := range []struct{ code, status, indent string }{
		{"", "complete", ""},
		{"// x", "complete", ""},
		{"%%", "incomplete", ""},
		{"%%\n\n", "incomplete", ""},
		{"%%\nx := 1", "complete", ""},
		{"%%\nx := 1 +", "incomplete", ""},
		{"%%\nf(1,", "incomplete", "\t"},
		{"%%\nfor {\n\tif true {", "incomplete", "\t\t"},
		{"%%\n}", "invalid", ""},
		{"%%\nx := := 2\nfor {", "invalid", ""},
		{"func f() {", "incomplete", "\t"},
		{"func f() {}", "complete", ""},
		{"func f() {}\n%%\nf()", "complete", ""},
		{"func f() {\n%%\nf()", "invalid", ""},
		{"import (", "incomplete", "\t"},
		{"x := 1", "invalid", ""},
		{"%%\ns := `abc", "incomplete", ""},
		{"/* abc", "incomplete", ""},
		{"%%bash\nls", "incomplete", ""},
		{"%%bash\nls\n", "complete", ""},
		{"!ls", "complete", ""},
		{"!ls \\", "incomplete", ""},
		{"%nothing", "invalid", ""},
		{"%exec f", "complete", ""},
		{"%%\nf()\n%%\ng()", "complete", ""},
	} {
		status, indent := isComplete(test.code)
		if status != test.status || indent != test.indent {
			t.Errorf("%q: %s, %q; want %s, %q", test.code, status, indent, test.status, test.indent)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		code, want string // the first problem with its line
		hint       string
	}{
		{"%%\nfmt.Println(1)", "", ""},
		{"func f() {}\n\n%% -x=1\nf()", "", ""},
		{"\ufeffimport \"fmt\"\r\n%%\r\nfmt.Println(1)\r\n", "", ""},
		{"  %%\nf()", "Line 1: %% isn't at the beginning of its line", "spaces"},
		{"x := 3\n  % 2", "Line 1: a statement outside", ""},
		{"%%\nfunc f() {\n}", "Line 2: a func can't be declared below %%", "above the %% line"},
		{"%%\nimport \"fmt\"", "Line 2: an import can't be below %%", "above the %% line"},
		{"x := 1", "Line 1: a statement outside of a func", "Put a line %%"},
		{"fmt.Println(1)\n%%\nf()", "Line 1: a statement above %%", "below the %% line"},
		{"%%\nf(\n)\ng(", "Line 4: ", ""},
		{"%%\nprint('hello')", "Line 2: illegal rune literal", "double quotes"},
		{"!ls\n%%\nx :=", "Line 3: ", ""},
		{"%matplotlib inline", "Line 1: %matplotlib isn't a command of this kernel", "%help"},
		{"\n%%bash\nls", "Line 2: %%bash must be the first line of a cell", ""},
		{"%%script", "Line 1: %%script needs the name of a program", ""},
		{"!  ", "Line 1: there is no command after !", ""},
		{"%exec", "Line 1: %exec needs the name of a func", ""},
		{"%%\nf()\n%exec g", "Line 3: a second %exec g in a cell", "one program"},
		{"%%\nf()\n%% -x", "Line 3: a second %% -x in a cell", "one program"},
		{"%%\nf()\n%%\ng()\n%main\nh()", "", ""},
		{"!ls \\\n%%\nls", "Line 3: a statement outside", ""},
		{"//gonb:%%\nf()", "", ""},
	} {
		c := read(test.code)
		got, hint := "", ""
		if len(c.problems) > 0 {
			got, hint = c.problems[0].where()+c.problems[0].message, c.problems[0].hint
		}
		if !strings.HasPrefix(got, test.want) || (test.want == "") != (got == "") || !strings.Contains(hint, test.hint) {
			t.Errorf("%q: %q (%s), want %q", test.code, got, hint, test.want)
		}
	}
}

func TestWithoutMarks(t *testing.T) {
	for _, test := range []struct{ code, want string }{
		{"%%\r\nf()\r\n", "%%\nf()\n"},
		{"\ufeff%%bash\r\nls", "%%bash\nls"},
		{"var s = \"\ufeff\\r\"\n", "var s = \"\ufeff\\r\"\n"},
		{"\ufeff%%writefile a.txt\r\none\r\n", "%%writefile a.txt\r\none\r\n"},
		{"//gonb:%%writefile a.txt\none\r\n", "//gonb:%%writefile a.txt\none\r\n"},
	} {
		if c := read(test.code); c.text != test.want || c.forGoNB() != test.want {
			t.Errorf("%q: %q, %q", test.code, c.text, c.forGoNB())
		}
	}
}

func TestForGoNB(t *testing.T) {
	for code, want := range map[string]string{
		"%%\na()\n%%\nb()":              "%%\na()\n\nb()",
		"package main\n%%\npackages()":  "package main\n%%\n packages()",
		"%%bash\npackages\n%%":          "%%bash\npackages\n%%",
		"%%writefile x\n%%\npackagesXX": "%%writefile x\n%%\npackagesXX",
	} {
		if got := read(code).forGoNB(); got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
}

// FuzzRead: any text is read, and its problems are at lines that it has.
func FuzzRead(f *testing.F) {
	for _, code := range []string{"", "%%\nx := 1\n%%\ny", "!ls \\\n", "%", "%%bash\n", "func f() {\n%exec f", "`\n%%\n`", "//gonb:%%\n/*", "%%\n\x00\xff"} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		c := read(code)
		for _, p := range c.problems {
			if p.line < 0 || p.line >= len(c.lines) {
				t.Fatalf("a problem at line %d of %d", p.line, len(c.lines))
			}
			p.text = c.lines[p.line]
			p.traceback()
		}
		if got := c.forGoNB(); strings.Count(got, "\n") != strings.Count(code, "\n") {
			t.Errorf("%q became %q", code, got)
		}
		if c.kind == empty && len(c.problems) > 0 {
			t.Error("an empty cell with problems")
		}
		status, _ := isComplete(code)
		if (status == "invalid" || status == "incomplete" && c.kind == goCode && c.start < 0) && len(c.problems) == 0 && !strings.HasSuffix(c.lines[len(c.lines)-1], "\\") {
			t.Errorf("%q is %s, but has no problem", code, status)
		}
	})
}
