package batch

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

func ExampleShellQuote() {
	fmt.Println(ShellQuote("gaze", "batch", "work", "it's here", ""))
	// Output: gaze batch work 'it'\''s here' ''
}

// TestShellReadsQuotedWords asks a shell.
func TestShellReadsQuotedWords(t *testing.T) {
	words := []string{"plain", "", " ", "a b", "'", `"`, `\`, "$HOME", "${HOME}", "`id`", "*", "~", "#", "é", "a\nb", "-n", "!", "$(id)", "{a,b}"}
	quoted := ShellQuote(words...)
	if strings.Contains(quoted, "${") {
		t.Errorf("%s has ${, which Spark replaces", quoted)
	}
	out, err := exec.Command("sh", "-c", `printf '%s\000' `+quoted).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); strings.Join(got, "|") != strings.Join(words, "|") {
		t.Errorf("a shell reads %q, not %q", got, words)
	}
}
