package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentedSettings: docs/training.md has a row for each setting, in their order
// and with their defaults, and none more; and what it says may change may.
func TestDocumentedSettings(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "training.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| setting | default | meaning |\n|---|---|---|\n")
	if !found {
		t.Fatal("docs/training.md has no table of settings")
	}
	table, rest, _ := strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")
	list := DefaultSettings().List()
	if len(rows) != len(list) {
		t.Errorf("%d rows for %d settings", len(rows), len(list))
	}
	for i, s := range list[:min(len(list), len(rows))] {
		cells := strings.Split(rows[i], "|")
		if len(cells) != 5 || strings.TrimSpace(cells[1]) != "`"+s.Name+"`" || strings.TrimSpace(cells[2]) != "`"+s.Value+"`" || len(strings.TrimSpace(cells[3])) < 5 {
			t.Errorf("row %d is %q, want %s=%s with its meaning", i, rows[i], s.Name, s.Value)
		}
	}
	_, may, found := strings.Cut(rest, "| may change | from where the run stands on |\n|---|---|\n")
	if !found {
		t.Fatal("docs/training.md doesn't say what may change")
	}
	may, _, _ = strings.Cut(may, "\n\n")
	for _, s := range list {
		said := strings.Contains(may, "`"+s.Name+"`")
		allowed := false
		for _, name := range extendable {
			allowed = allowed || name == s.Name
		}
		if said != allowed {
			t.Errorf("%s: said to change: %t, may: %t", s.Name, said, allowed)
		}
	}
}
