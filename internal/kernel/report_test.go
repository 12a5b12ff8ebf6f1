package kernel

import (
	"strings"
	"testing"

	"gaze/internal/jupyter"
)

// TestPlaces: lines of GoNB's main.go, where declarations are sorted and rewritten, are
// found in the cells.
func TestPlaces(t *testing.T) {
	p := &places{}
	p = p.with(read("import \"fmt\"\n\nvar count, other = 1, 2\n\ntype pair struct {\n\ta int\n}\n\n// sum adds.\nfunc (p *pair) sum() int {\n\treturn p.a\n}"), 1)
	p = p.with(read("const top = 3\n%%\nx := top\nfmt.Println(x)"), 2)
	main := "package main\n\nimport (\n\t\"fmt\"\n)\n\ntype pair struct {\n\ta int\n}\n\nconst top = 3\n\nvar (\n\tcount, other = 1, 2\n)\n\n// sum adds.\nfunc (p *pair) sum() int {\n\treturn p.a\n}\n\n\nfunc main() {\n\tflag.Parse()\nx := top\nfmt.Println(x)\n\n}\n"
	m := parseMain(main)
	for _, test := range []struct {
		text     string // where in main.go
		cell     int
		line     int
		from     string // the cell's line from the column on
		function string
	}{
		{"\"fmt\"\n)", 1, 0, "\"fmt\"", ""},
		{"a int", 1, 5, "a int", ""},
		{"top = 3", 2, 0, "top = 3", ""},
		{"other = 1", 1, 2, "other = 1, 2", ""},
		{"p.a", 1, 10, "p.a", "pair.sum"},
		{"top\nfmt", 2, 2, "top", "main"},
		{"fmt.Println", 2, 3, "fmt.Println(x)", "main"},
	} {
		at := strings.Index(main, test.text)
		line := strings.Count(main[:at], "\n")
		got, ok := p.find(m, line, at-strings.LastIndex(main[:at], "\n")-1)
		if !ok || got.cell != test.cell || got.line != test.line || got.column < 0 || got.text[got.column:] != test.from || !strings.HasSuffix(got.function, test.function) {
			t.Errorf("%q: %+v, %v", test.text, got, ok)
		}
	}
	if _, ok := p.find(m, 0, 0); ok {
		t.Error("the package clause belongs to no cell")
	}
	if !p.has("count") || p.has("x") || p.locals["x"] != 2 {
		t.Errorf("%+v", p)
	}
	if p.remove("count"); p.has("count") {
		t.Error("count was removed")
	}
}

func TestReadCrash(t *testing.T) {
	for _, test := range []struct {
		text, name, message string
	}{
		{"panic: boom\n\ngoroutine 1 [running]:\n", "panic", "boom"},
		{"x\npanic: a\nb\n\ngoroutine 7 [running]:\nmain.f()\n", "panic", "a\nb"},
		{"panic: first [recovered, repanicked]\n\ngoroutine 1 [running]:\n", "panic", "first"},
		{"panic: first\n\tpanic: second\n\ngoroutine 1 [running]:\n", "panic", "first"},
		{"panic: nil pointer\n[signal SIGSEGV: segmentation violation]\n\ngoroutine 1 [running]:\n", "panic", "nil pointer"},
		{"runtime: goroutine stack exceeds 1000000000-byte limit\nfatal error: stack overflow\n\nruntime stack:\n", "fatal error", "stack overflow"},
		{"no panic: here", "", ""},
		{"", "", ""},
	} {
		c, ok := readCrash(test.text)
		if ok != (test.name != "") || c.name != test.name || c.message != test.message {
			t.Errorf("%q: %+v, %v", test.text, c, ok)
		}
	}
}

// TestCrashFailure: the user's lines come first, an endless recursion's once.
func TestCrashFailure(t *testing.T) {
	p := (&places{}).with(read("func f(i int) int {\n\treturn f(i+1) + 1\n}\n%%\nf(0)"), 4)
	main := "package main\n\nfunc f(i int) int {\n\treturn f(i+1) + 1\n}\n\nfunc main() {\n\tflag.Parse()\nf(0)\n\n}\n"
	frame := "main.f(0x1)\n\t \x1b[7m[[ Cell [9] Line 2 ]]\x1b[0m /tmp/gonb_0123abcd/main.go:4 +0x1d fp=0x1 sp=0x2 pc=0x3\n"
	text := "fatal error: stack overflow\n\ngoroutine 1 [running]:\n" + strings.Repeat(frame, 60) +
		"main.main()\n\t/tmp/gonb_0123abcd/main.go:9\n" + "created by x\n\t/clone/pkg/plots/plots.go:7\n\ngoroutine 2 [sleep]:\n\t/tmp/gonb_0123abcd/main.go:9\n"
	c, ok := readCrash(text)
	if !ok {
		t.Fatal("no crash")
	}
	f := crashFailure(c, main, p, 4, "/clone")
	got := plain(strings.Join(f.traceback, "\n"))
	if !strings.HasPrefix(got, "fatal error: stack overflow\nLine 2 in f: return f(i+1) + 1\nLine 5 in main: f(0)\ngoroutine 1 [running]:\nmain.f(0x1)\n\tLine 2\n") {
		t.Error(got)
	}
	if strings.Contains(got, "/tmp") || strings.Count(got, "Line 5 in main") != 1 || strings.Count(got, "\n") > maxFrames+10 {
		t.Error(got)
	}
	c, _ = readCrash("panic: x\n\ngoroutine 1 [running]:\nmain.f(...)\n\t/a:1\nmain.Gaze_Main()\n\t/entry.go:9\nmain.main()\n\t/host.go:1\n\ngoroutine 2 [sleep]:\nb()\n")
	if got := strings.Join(c.frames, "|"); got != "goroutine 1 [running]:|main.f(...)|\t/a:1||goroutine 2 [sleep]:|b()" {
		t.Errorf("%q", got)
	}
	c, _ = readCrash("panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/gonb/main.go:3\nmain.run.func1()\n\t/clone/internal/cells/host/main.go:140 +0x22\nmain.run()\n\t/x\n\ngoroutine 2 [sleep]:\nb()\n")
	if got := strings.Join(c.frames, "|"); got != "goroutine 1 [running]:|main.main()|\t/gonb/main.go:3||goroutine 2 [sleep]:|b()" {
		t.Errorf("%q", got)
	}
	c.frames = []string{"main.main()", "\t/clone/pkg/plots/plots.go:7 +0x1", "\t/usr/lib/go/src/x.go:1"}
	if got := plain(strings.Join(crashFailure(c, main, p, 4, "/clone").traceback, "\n")); !strings.Contains(got, "\tpkg/plots/plots.go:7 +0x1") {
		t.Error(got)
	}
}

// TestAdvice: one mistake is one problem, with a hint that fits it.
func TestAdvice(t *testing.T) {
	p := (&places{}).with(read("func positions() int { return 1 }\nvar rate = 1"), 1)
	file := "package main\n\nfunc main() {\n\tflag.Parse()\nSHOW\n\n}\n"
	for _, test := range []struct{ name, rest, hint string }{
		{"position", "().X(1)", "Did you mean positions?"},
		{"ratee", "", "Did you mean rate?"},
		{"x", "", "No cell that was run declares x."},
		{"something", "", "No cell that was run declares something."},
		{"fmt", ".Printl(1)", "it has no .Printl"},
	} {
		code := "%%\nShow(" + test.name + test.rest + ")"
		attempt := p.with(read(code), 2)
		main := strings.Replace(file, "SHOW", "Show("+test.name+test.rest+")", 1)
		report := "./main.go:5:6: undefined: " + test.name + "\n./main.go:5:3: not enough arguments in call to Show\n\thave (unknown type)\n\twant (T, error)\n"
		problems := compilerProblems(report, main, attempt, 2)
		advise(problems, attempt, false)
		if len(problems) != 1 || problems[0].line != 1 || !strings.Contains(problems[0].hint, test.hint) {
			t.Errorf("%s: %+v, want %q", test.name, problems, test.hint)
		}
	}
	other := "./main.go:5:3: not enough arguments in call to Show\n\thave (unknown type)\n"
	if problems := compilerProblems(other, file, p, 2); len(problems) != 1 {
		t.Errorf("a problem that nothing explains is gone: %+v", problems)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"kitten", "sitting", 3}, {"abc", "abc", 0}, {"flaw", "lawn", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNameLines(t *testing.T) {
	p := (&places{}).with(read("%%\nlog.Println(1)"), 3)
	main := "package main\n\nfunc main() {\n\tflag.Parse()\nlog.Println(1)\n\n}\n"
	for text, want := range map[string]string{
		"nothing": "nothing",
		"at  \x1b[7m[[ Cell [1] Line 2 ]]\x1b[0m /tmp/gonb_0123abcd/main.go:5: x": "at cell [3] line 2: x",
		"/tmp/gonb_0123abcd/main.go:1:2 no place":                                 "main.go:1:2 no place",
	} {
		if got := nameLines(text, main, p); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("ä", 300) + "HERE" + strings.Repeat("ö", 300)
	at := strings.Index(long, "HERE")
	got, shift := excerpt(long, at)
	if !strings.HasPrefix(got[shift:], "HERE") || len(got) > maxExcerpt+20 || !strings.HasPrefix(got, "…") || !strings.HasSuffix(got, "…") {
		t.Errorf("%q at %d", got, shift)
	}
	if got, shift := excerpt("short", 9); got != "short" || shift != 5 {
		t.Errorf("%q at %d", got, shift)
	}
	p := problem{line: 1, column: 3, message: "m", text: "\täx"}
	if got := plain(p.traceback()); got != "Line 2: m\n    \täx\n    \t ^" {
		t.Errorf("%q", got)
	}
}

func FuzzReport(f *testing.F) {
	f.Add("./main.go:3:2: undefined: x\n\thave\n", "package main\n\nfunc main() {\n}\n", "%%\nx")
	f.Add("panic: a\n\ngoroutine 1 [running]:\n\t/tmp/gonb_00000000/main.go:99999999999999999999\n", "", "")
	f.Fuzz(func(t *testing.T, text, main, code string) {
		p := (&places{}).with(read(code), 1)
		problems := compilerProblems(text, main, p, 1)
		advise(problems, p, false)
		for i := range problems {
			problems[i].traceback()
		}
		if c, ok := readCrash(text); ok {
			crashFailure(c, main, p, 1, "/clone")
		}
		nameLines(text, main, p)
	})
}

// TestOutput: text is cut into messages only between characters, and nothing is lost.
func TestOutput(t *testing.T) {
	var got []string
	text := map[string]string{}
	o := newOutput(func(_ *jupyter.Message, msgType string, content, _ any, _ ...[]byte) error {
		if msgType != "stream" {
			got = append(got, msgType)
			return nil
		}
		c := content.(map[string]string)
		got = append(got, c["name"])
		text[c["name"]] += c["text"]
		return nil
	})
	o.print(nil, "stdout", []byte("a\xe2\x82"))
	o.print(nil, "stderr", []byte("e"))
	o.print(nil, "stdout", []byte("\xacb\xff"))
	o.message(nil, "display_data", nil, nil)
	o.print(nil, "stdout", []byte("\xe2"))
	o.print(nil, "stdout", []byte(strings.Repeat("é", outputChunk)))
	o.end(nil)
	o.flush()
	if text["stdout"] != "a€b\xff\xe2"+strings.Repeat("é", outputChunk) || text["stderr"] != "e" {
		t.Errorf("stderr %q, stdout %.20q of %d bytes", text["stderr"], text["stdout"], len(text["stdout"]))
	}
	if want := "stdout stderr stdout display_data"; !strings.HasPrefix(strings.Join(got, " "), want) {
		t.Errorf("order %v", got)
	}
}
