package study

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPathWord(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Skip(err)
	}
	for path, want := range map[string]string{
		filepath.Join(home, ".cache/gaze/pets"): "~/.cache/gaze/pets",
		filepath.Join(home, "my pets"):          "~/'my pets'",
		home + "x/pets":                         home + "x/pets",
		home:                                    home,
		"/data/pets":                            "/data/pets",
		"it's":                                  `'it'\''s'`,
	} {
		if got := pathWord(path); got != want {
			t.Errorf("%q becomes %s, want %s", path, got, want)
		}
	}
}
