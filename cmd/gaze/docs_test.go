package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandLineDocs: docs/cli.md names only flags that exist, and every command that
// writes files.
func TestCommandLineDocs(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, flag := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(text, -1) {
		found := flag == "--help"
		for _, cmd := range newRoot().Commands() {
			found = found || cmd.Flags().Lookup(strings.TrimPrefix(flag, "--")) != nil
		}
		if !found {
			t.Errorf("docs/cli.md mentions %s, which no command has", flag)
		}
	}
	_, table, _ := strings.Cut(text, "| command | writes |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, cmd := range newRoot().Commands() {
		if cmd.Flags().Lookup("output") == nil {
			continue
		}
		at := strings.Index(table, "`"+cmd.Name())
		if at < 0 {
			t.Errorf("docs/cli.md doesn't say what becomes of existing files for %s", cmd.Name())
			continue
		}
		row, _, _ := strings.Cut(table[at:], "\n")
		if force := cmd.Flags().Lookup("force") != nil; force != strings.Contains(row, "--force") {
			t.Errorf("docs/cli.md and %s disagree about --force", cmd.Name())
		}
	}
	for command, words := range map[string][]string{
		"classify": {"recursive", "null", "quiet", "force", "numbers", "top", "json", "names"},
		"attend":   {"recursive", "null", "quiet", "force"}, "caption": {"recursive", "null", "quiet", "force"},
		"explain": {"recursive", "null", "quiet", "force"},
		"augment": {"recursive", "null", "quiet", "force"}, "evaluate": {"quiet", "force"},
	} {
		cmd, _, err := newRoot().Find([]string{command})
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range words {
			if cmd.Flags().Lookup(flag) == nil {
				t.Errorf("%s has no --%s, as docs/cli.md says it has", command, flag)
			}
		}
	}
}

// TestPredictionsInDocs: the columns of --top in docs/cli.md are those written by
// classify.
func TestPredictionsInDocs(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	shareCache(t)
	workplace(t)
	named(t, "named/model.safetensors", "a", "b", "c", "d", "e", "f")
	head, _, _ := strings.Cut(ok(t, "classify", "--model", "named", "--top", "5", "photos/cat.png"), "\n")
	if !strings.Contains(string(data), "\n"+head+"\n") {
		t.Errorf("docs/cli.md lacks %q", head)
	}
}
