package completion

import (
	"context"
	"encoding/json"
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

// completionCase is a cell with the cursor at |, and what must be among the matches.
type completionCase struct {
	Name, Code string
	Want       string // a match
	Replaces   string // the text that it replaces
	Not        string // no match
}

// readCases are the cells that ran before, and the cases. tools/notebooks/completion.py has
// them answered by kernels.
func readCases(t testing.TB) (earlier []string, cases []completionCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "complete.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Earlier []string
		Cases   []completionCase
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all.Earlier, all.Cases
}

func TestComplete(t *testing.T) {
	c := started(t)
	earlier, cases := readCases(t)
	for _, code := range earlier {
		c.Observe(code, true)
	}
	for _, test := range cases {
		t.Run(test.Name, func(t *testing.T) {
			code, cursor := marked(t, test.Code)
			begin := time.Now()
			got, ok := c.Complete(code, cursor)
			took := time.Since(begin)
			if !ok {
				t.Fatal("no answer")
			}
			t.Logf("%5.1f ms, %d matches: %.80q", float64(took.Microseconds())/1000, len(got.Matches), got.Matches)
			if !slices.Contains(got.Matches, test.Want) {
				t.Errorf("%q isn't among the matches %q", test.Want, got.Matches)
			}
			if test.Not != "" && slices.Contains(got.Matches, test.Not) {
				t.Errorf("%q is among the matches", test.Not)
			}
			runes := []rune(code)
			if replaced := string(runes[got.Start:got.End]); replaced != test.Replaces {
				t.Errorf("the range is %q, want %q", replaced, test.Replaces)
			}
			items := got.Metadata["_jupyter_types_experimental"].([]Item)
			if len(items) != len(got.Matches) {
				t.Errorf("%d types for %d matches", len(items), len(got.Matches))
			}
		})
	}
}
