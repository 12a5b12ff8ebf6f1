package completion

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// clone is the folder of this clone.
func clone(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// findGopls is the clone's gopls or the PATH's. Without one the test is skipped.
func findGopls(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("gopls loads packages for seconds")
	}
	own := filepath.Join(clone(t), "bin", "lab", "gopls")
	if _, err := os.Stat(own); err == nil {
		return own
	}
	t.Skip("bin/lab/gopls isn't there: 'make lab' installs it")
	return ""
}

// started is a Completer whose gopls has answered.
func started(t testing.TB) *Completer {
	t.Helper()
	c := New(Options{Root: clone(t), Gopls: findGopls(t), Dir: t.TempDir(), Wait: 20 * time.Second})
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	begin := time.Now()
	if err := c.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("gopls was ready after %v", time.Since(begin).Round(time.Millisecond))
	return c
}

// marked takes the | out of a cell and returns where it was, in characters.
func marked(t testing.TB, code string) (string, int) {
	t.Helper()
	before, after, ok := strings.Cut(code, "|")
	if !ok {
		t.Fatalf("no | in %q", code)
	}
	return before + after, utf8.RuneCountInString(before)
}

// completionCases are cells with the cursor at |, and what must be among the matches.
var completionCases = []struct {
	name, code string
	want       string // a match
	replaces   string // the text that it replaces
	not        string // no match
}{
	{"members of a package", "%%\nnotebook.|", "Attend", "", ""},
	{"members with a prefix", "%%\nnotebook.Show(notebook.Ab|)", "AboutPhotographs", "Ab", "Show"},
	{"lower case", "%%\nexplain.att|", "AttentionTable", "att", "Captioned"},
	{"package without an import", "%%\nexpl|", "explain", "expl", ""},
	{"standard package without an import", "%%\nfmt.Sp|", "Sprintf", "Sp", ""},
	{"methods of a value", "%%\na := attention()[0]\na.|", "Figure", "", ""},
	{"method with a prefix", "%%\na := attention()[0]\na.Fi|", "Figure", "Fi", "Atlas"},
	{"fields of a struct", "%%\nvar s notebook.Slider\ns.|", "Max", "", ""},
	{"keys of a literal", "%%\ns := notebook.Slider{M|}", "Max", "M", ""},
	{"keyword", "%%\nfor _, x := ra|", "range", "ra", ""},
	{"local variable", "%%\npictures := 3\nfmt.Println(pict|)", "pictures", "pict", ""},
	{"function of an earlier cell", "%%\nx := atten|", "attention", "atten", ""},
	{"constant of an earlier cell", "%%\nx := seventh|", "seventhHead", "seventh", ""},
	{"type of an earlier cell", "%%\nvar x sett|", "settings", "sett", ""},
	{"method of an earlier cell's type", "%%\nsettings{}.|", "describe", "", ""},
	{"inside quotes of an import", "import (\n\t\"gaze/pkg/ex|\n)", "gaze/pkg/explain", "gaze/pkg/ex", ""},
	{"import of the standard library", "import \"archive/|\"", "archive/zip", "archive/", ""},
	{"import of a module", "import \"github.com/gomlx/gomlx/core/gr|\"", "github.com/gomlx/gomlx/core/graph", "github.com/gomlx/gomlx/core/gr", ""},
	{"syntax error before", "%%\nx := := 3\nnotebook.Sho|", "Show", "Sho", ""},
	{"syntax error after", "%%\nnotebook.Sho|\nfor i := {\n", "Show", "Sho", ""},
	{"open brackets", "%%\nfor _, a := range attention() {\n\tnotebook.Show(notebook.Must(a.Fi|\n\tb := 3", "Figure", "Fi", ""},
	{"Unicode before the cursor", "%%\ntitle := \"Grüße 🐈\"; notebook.Sho|", "Show", "Sho", ""},
	{"Unicode name", "%%\nhöhe := 3\nfmt.Println(hö|)", "höhe", "hö", ""},
	{"no %% yet", "notebook.Sho|", "Show", "Sho", ""},
	{"no %% after a function", "func f() int { return 1 }\n\nnotebook.Sho|", "Show", "Sho", ""},
	{"in the body of a function", "func f() {\n\tnotebook.Sho|\n}\n\n%%\nf()", "Show", "Sho", ""},
	{"parameter of a function", "func f(layer int) int {\n\treturn lay|", "layer", "lay", ""},
	{"func at the start", "fu|", "func", "fu", ""},
	{"empty cell", "|", "notebook", "", ""},
	{"command", "%he|", "%help", "%he", ""},
	{"cell magic", "%%ba|", "%%bash", "%%ba", ""},
	{"after a shell command", "!ls\n%%\nnotebook.Sho|", "Show", "Sho", ""},
	{"in the middle of a name", "%%\nnotebook.Sh|ow(3)", "Show", "Show", ""},
	{"declares the name of an earlier cell", "func attention() int { return 1 }\n\n%%\nx := attention()\nfmt.Println(atten|)", "attention", "atten", ""},
}

// earlierCells are what was run before.
var earlierCells = []string{
	"import (\n\t\"gaze/pkg/explain\"\n\t\"gaze/pkg/notebook\"\n)",
	"func attention() []*explain.Attention {\n\treturn notebook.Must(notebook.Attend(notebook.Model(), \"\", notebook.Photographs()...))\n}\n\n%%\nnotebook.Show(notebook.About(notebook.Model()))",
	"const (\n\tfirstHead = iota\n\tseventhHead\n)\n\n// settings are what a cell asks for.\ntype settings struct{ Layer int }\n\nfunc (s settings) describe() string { return fmt.Sprint(s.Layer) }",
}

func TestComplete(t *testing.T) {
	c := started(t)
	for _, code := range earlierCells {
		c.Observe(code, true)
	}
	for _, test := range completionCases {
		t.Run(test.name, func(t *testing.T) {
			code, cursor := marked(t, test.code)
			begin := time.Now()
			got, ok := c.Complete(code, cursor)
			took := time.Since(begin)
			if !ok {
				t.Fatal("no answer")
			}
			t.Logf("%5.1f ms, %d matches: %.80q", float64(took.Microseconds())/1000, len(got.Matches), got.Matches)
			if !slices.Contains(got.Matches, test.want) {
				t.Errorf("%q isn't among the matches %q", test.want, got.Matches)
			}
			if test.not != "" && slices.Contains(got.Matches, test.not) {
				t.Errorf("%q is among the matches", test.not)
			}
			runes := []rune(code)
			if replaced := string(runes[got.Start:got.End]); replaced != test.replaces {
				t.Errorf("the range is %q, want %q", replaced, test.replaces)
			}
			items := got.Metadata["_jupyter_types_experimental"].([]Item)
			if len(items) != len(got.Matches) {
				t.Errorf("%d types for %d matches", len(items), len(got.Matches))
			}
		})
	}
}
