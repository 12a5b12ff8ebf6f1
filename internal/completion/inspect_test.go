package completion

import (
	"strings"
	"testing"
)

// inspectCases are cells with the cursor at |, and what the plain text must have.
var inspectCases = []struct {
	name, code string
	want       []string
}{
	{"function", "%%\nnotebook.Att|end(notebook.Model(), \"\")", []string{"func notebook.Attend(", "pictures ...string"}},
	{"end of a name", "%%\nnotebook.Attend|", []string{"func notebook.Attend("}},
	{"package", "%%\nnoteb|ook.Show(3)", []string{"package notebook"}},
	{"method", "%%\na := attention()[0]\na.Fig|ure(-1, explain.MeanHeads)", []string{"func (a *explain.Attention) Figure("}},
	{"field", "%%\nvar s notebook.Slider\ns.Ma|x = 3", []string{"field Max float64"}},
	{"local variable", "%%\na := attention()[0]\nnotebook.Show(a|)", []string{"var a *explain.Attention", "func Show", "Parameter 1 of 1: items ...any"}},
	{"function of an earlier cell", "%%\nx := atten|tion()", []string{"func attention() []*explain.Attention"}},
	{"type of an earlier cell", "%%\nvar x sett|ings", []string{"type settings struct", "what a cell asks for"}},
	{"standard library", "%%\nfmt.Spri|ntf(\"%d\", 3)", []string{"func fmt.Sprintf(format string, a ...any) string"}},
	{"builtin", "%%\nx := le|n(\"a\")", []string{"func len(v Type) int"}},
	{"first parameter", "%%\nnotebook.Attend(|)", []string{"func Attend(w *notebook.Weights", "Parameter 1 of 3: w *notebook.Weights"}},
	{"second parameter", "%%\nnotebook.Attend(notebook.Model(), |)", []string{"Parameter 2 of 3: pipeline string"}},
	{"variadic parameter", "%%\nnotebook.Attend(notebook.Model(), \"\", \"a\", \"b\", |", []string{"Parameter 3 of 3: pictures ...string"}},
	{"after a call", "%%\nx := notebook.Model()|", []string{"func notebook.Model() *notebook.Weights"}},
	{"Unicode before the cursor", "%%\n_ = \"🐈\"; notebook.Mod|el()", []string{"func notebook.Model()"}},
	{"no %% yet", "notebook.Mod|el()", []string{"func notebook.Model()"}},
}

func TestInspect(t *testing.T) {
	c := started(t)
	earlier, _ := readCases(t)
	for _, code := range earlier {
		c.Observe(code, true)
	}
	for _, test := range inspectCases {
		t.Run(test.name, func(t *testing.T) {
			code, cursor := marked(t, test.code)
			got, ok := c.Inspect(code, cursor, 0)
			if !ok || !got.Found {
				t.Fatalf("answered %v, found %v", ok, got.Found)
			}
			text := got.Data["text/plain"].(string)
			markdown := got.Data["text/markdown"].(string)
			t.Logf("%s\n=====\n%s", markdown, text)
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q isn't in\n%s", want, text)
				}
			}
			if strings.Contains(markdown, "file:") || strings.Contains(markdown, "pkg.go.dev/gaze") || strings.Contains(markdown, "pkg.go.dev//") {
				t.Errorf("a link that leads nowhere in\n%s", markdown)
			}
		})
	}
}
