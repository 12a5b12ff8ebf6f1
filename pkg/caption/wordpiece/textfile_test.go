package wordpiece

import (
	"os"
	"path/filepath"
	"testing"

	"gaze/internal/textfile/textfiletest"
)

// TestVocabAsSaved reads a vocabulary however an editor has saved it: the ids stay.
func TestVocabAsSaved(t *testing.T) {
	ways := textfiletest.Saved("[PAD]\n[UNK]\nchien\n\n##é\n犬\n")
	ways["trailing blanks"] = []byte("[PAD] \n[UNK]\t\nchien\n  \n##é \n犬")
	for name, data := range ways {
		path := filepath.Join(t.TempDir(), "vocab.txt")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		v, err := Load(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v.Len() != 6 || v.Token(0) != "[PAD]" || v.Token(3) != "" || v.Token(4) != "##é" || v.Token(5) != "犬" {
			t.Errorf("%s: %q", name, v)
		}
	}
}
