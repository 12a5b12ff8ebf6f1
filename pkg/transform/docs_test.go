package transform

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var docRow = regexp.MustCompile("(?m)^\\| `(.*)` \\| (.*) \\| (bytes|bits|1/255|draws|own|nothing changes) \\|$")

// The page has a row for each step, with its usage, and no other rows; and every claim of
// exactness for a step has a test with that step.
func TestDocumentation(t *testing.T) {
	page := text(t, filepath.Join("..", "..", "docs", "transforms.md"))
	tested := map[string]string{
		"bytes": text(t, "testdata/golden.json") + text(t, "testdata/models.json") + text(t, "testdata/ops.txt"),
		"bits":  text(t, "testdata/golden.json") + text(t, "testdata/models.json") + text(t, "testdata/float.json"),
		"1/255": text(t, "testdata/float.json"),
		"draws": text(t, "testdata/draws.json"),
	}
	usages := map[string]bool{}
	for _, u := range Usages() {
		usages[u] = true
	}
	name := regexp.MustCompile("^[a-z0-9]+")
	for _, row := range docRow.FindAllStringSubmatch(page, -1) {
		usage := strings.ReplaceAll(row[1], `\|`, "|")
		if !usages[usage] {
			t.Errorf("the page has %q, which no step's usage is", usage)
		}
		delete(usages, usage)
		if where, ok := tested[row[3]]; ok && !regexp.MustCompile(`\b`+name.FindString(usage)+`\b`).MatchString(where) {
			t.Errorf("%q: the page says %s, of which there is no test", usage, row[3])
		}
	}
	for u := range usages {
		t.Errorf("the page has no row for %q", u)
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
