package vit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tableRows is the rows of the table under a heading of docs/formats.md, by the
// name in their first column.
func tableRows(t *testing.T, heading string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/formats.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`.*$").FindAllStringSubmatch(section, -1) {
		if rows[m[1]] != "" && heading != "Several sets of weights in one file" {
			t.Errorf("%s has two rows", m[1])
		}
		rows[m[1]] += m[0] + "\n"
	}
	return rows
}

// The table of layouts has a row for each layout of the code and no other, with
// the versions that the golden files were made with.
func TestLayoutsAreDocumented(t *testing.T) {
	rows := tableRows(t, "Layouts")
	known := map[string]bool{}
	for _, table := range tables {
		known[string(table.layout)] = true
		if rows[string(table.layout)] == "" {
			t.Errorf("docs/formats.md has no row for layout %s", table.layout)
		}
	}
	for name := range rows {
		if !known[name] {
			t.Errorf("docs/formats.md has a row for %s, which the code hasn't", name)
		}
	}
	text, err := os.ReadFile(filepath.Join("testdata", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]struct{ Library string }
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	golden := map[string]bool{}
	for name, c := range cases {
		if strings.HasPrefix(name, "onnx_") { // made by exporters
			continue
		}
		m, err := Load(weightsFile(t, filepath.Join("testdata", name)))
		if err != nil {
			t.Fatal(err)
		}
		m.Close()
		golden[string(m.Layout)] = true
		library := regexp.MustCompile(`^\S+ [\d.]+\d`).FindString(c.Library)
		if library == "" || !strings.Contains(rows[string(m.Layout)], library) {
			t.Errorf("%s: the row of %s doesn't name %q:\n%s", name, m.Layout, library, rows[string(m.Layout)])
		}
	}
	for name := range known {
		if !golden[name] {
			t.Errorf("layout %s has no golden file", name)
		}
	}
}

// The table of precedences gives each rule's reason, in the code's order.
func TestPrecedencesAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "| taken | rather than | since |")
	section, _, _ = strings.Cut(section, "\n\n")
	lines := strings.Split(strings.TrimSpace(section), "\n")[1:]
	var rules []string
	for _, p := range append([]precedence{deitPrecedence}, precedences...) {
		if n := len(rules); n == 0 || p.why != rules[n-1] || p.why != "it is the model" { // the last two are one to a reader
			rules = append(rules, p.why)
		}
	}
	if len(lines) != len(rules) {
		t.Fatalf("%d rows for %d rules", len(lines), len(rules))
	}
	for i, why := range rules {
		if !strings.HasSuffix(lines[i], why+" |") {
			t.Errorf("row %d is %q, the code's reason %q", i+1, lines[i], why)
		}
	}
}

// What is said of unread code bases is what the code recognises.
func TestOtherCodeIsDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"lucidrains", "Swin", "BEiT", "EVA-02", "DINOv3", "OpenAI", "open_clip", "OpenMMLab"} {
		said := strings.Contains(string(text), word)
		known := false
		for _, c := range otherCode {
			known = known || strings.Contains(c.what, word)
		}
		for _, c := range foreignParts {
			known = known || strings.Contains(c.what, word)
		}
		if !said || !known {
			t.Errorf("%s: documented %v, recognised %v", word, said, known)
		}
	}
}
