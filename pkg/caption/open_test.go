package caption_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/caption"
	"gaze/pkg/hub"
)

// openCaptioner opens a captioner by its path or its known name, as the commands do.
func openCaptioner(fileOrName, vocab string) (*caption.Model, error) {
	path, err := hub.Resolve(fileOrName)
	if err != nil {
		return nil, err
	}
	return caption.Open(path, "", vocab, hub.VocabFile(path))
}

// TestOpenCaptioner finds a captioner's words in each place, and says what to do
// where there are none.
func TestOpenCaptioner(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	m, err := openCaptioner(hub.LaptopCaptioner, "")
	if err != nil {
		t.Fatal(err)
	}
	if m.Vocab == nil || m.Vocab.Len() != m.Config.Vocab {
		t.Fatalf("its words: %v", m.Vocab)
	}
	words := m.Vocab.String()
	bare := *m
	bare.Vocab = nil
	path := filepath.Join(t.TempDir(), "bare.safetensors")
	if err := bare.Save(path, true); err != nil {
		t.Fatal(err)
	}
	m.Close()
	if _, err := openCaptioner(path, ""); err == nil || !strings.Contains(err.Error(), "gaze pull bert-base-uncased") {
		t.Errorf("without words: %v", err)
	}
	elsewhere, short := filepath.Join(t.TempDir(), "words.txt"), filepath.Join(t.TempDir(), "short.txt")
	beside := filepath.Join(filepath.Dir(path), "vocab.txt")
	for file, text := range map[string]string{elsewhere: words, short: "[PAD]\n[UNK]\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	open := func(vocab string) (*caption.Model, error) {
		m, err := openCaptioner(path, vocab)
		if err == nil {
			m.Close()
		}
		return m, err
	}
	if m, err := open(elsewhere); err != nil || m.Vocab.String() != words {
		t.Errorf("words named: %v", err)
	}
	if _, err := open(short); err == nil || !strings.Contains(err.Error(), "2 word pieces") {
		t.Errorf("words of another model: %v", err)
	}
	if err := os.Rename(elsewhere, beside); err != nil {
		t.Fatal(err)
	}
	if m, err := open(""); err != nil || m.Vocab.String() != words {
		t.Errorf("words beside it: %v", err)
	}
}
