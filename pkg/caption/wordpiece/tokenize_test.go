package wordpiece

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gaze/internal/realdata"
)

// bertVocab is BERT's uncased vocabulary.
func bertVocab(t testing.TB) *Vocab {
	t.Helper()
	v, err := Load(realdata.Path(t, "vocab/bert-base-uncased-vocab.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWordPiece compares ids and texts with transformers' BertTokenizer.
func TestWordPiece(t *testing.T) {
	v := bertVocab(t)
	text, err := os.ReadFile(filepath.Join("testdata", "wordpiece.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text, Decoded string
		IDs           []int
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 25 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		got := v.Encode(c.Text)
		if !slices.Equal(got, c.IDs) {
			t.Errorf("%q:\n got %v\nwant %v", c.Text, v.texts(got), v.texts(c.IDs))
		}
		if got := v.Decode(c.IDs); got != c.Decoded {
			t.Errorf("decoded %q, want %q", got, c.Decoded)
		}
	}
}

func (v *Vocab) texts(ids []int) []string {
	var list []string
	for _, id := range ids {
		list = append(list, v.Token(id))
	}
	return list
}

func TestVocab(t *testing.T) {
	v, err := Read(strings.NewReader("[PAD]\r\n[UNK]\r\na\nb\n##c\n"))
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := v.ID("##c"); v.Len() != 5 || id != 4 || !ok || v.Token(2) != "a" || v.Token(9) != "[UNK]" || v.Token(-1) != "[UNK]" {
		t.Errorf("read %q", v)
	}
	if got := v.Encode("A bc [SEP]"); !slices.Equal(got, []int{2, 3, 4, 1, 1, 1}) {
		t.Errorf("without [SEP]: %v", got)
	}
	for name, text := range map[string]string{
		"no [UNK]": "a\nb\n", "empty": "", "not UTF-8": "[UNK]\n\xff\xfe\n", "binary": "[UNK]\n" + strings.Repeat("\x00", 1<<17),
		"too long": strings.Repeat("[UNK]\n", maxVocab+1),
	} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("no error for a file that isn't there")
	}
}

func FuzzEncode(f *testing.F) {
	for _, s := range []string{"a dog's life.", "\xff\u0301x", "[SEP][SEP", "漢字kana", strings.Repeat("a", 300)} {
		f.Add(s)
	}
	v, err := New([]string{"[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "a", "dog", "##s", "'", ".", "漢", "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ids := v.Encode(text)
		for _, id := range ids {
			if id < 0 || id >= v.Len() {
				t.Fatalf("%q gave id %d", text, id)
			}
		}
		if back := v.Decode(ids); !utf8.ValidString(back) {
			t.Fatalf("%q came back as %q", text, back)
		}
	})
}
