package textfile

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Of encodes a text as UTF-16, with or without a byte order mark.
func utf16Of(text string, order binary.AppendByteOrder, marked bool) string {
	var out []byte
	if marked {
		out = order.AppendUint16(out, 0xfeff)
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

func utf32Of(text string, order binary.AppendByteOrder) string {
	out := order.AppendUint32(nil, 0xfeff)
	for _, r := range text {
		out = order.AppendUint32(out, uint32(r))
	}
	return string(out)
}

// TestReadNames reads the same names from files saved in every supported way.
func TestReadNames(t *testing.T) {
	want := []string{"Pékinois", "Шпиц", "柴犬", "🐕 dog"}
	plain := strings.Join(want, "\n") + "\n"
	le, be := binary.LittleEndian, binary.BigEndian
	for name, text := range map[string]string{
		"UTF-8":                         plain,
		"no newline at the end":         strings.TrimSuffix(plain, "\n"),
		"UTF-8 with a mark":             "\ufeff" + plain,
		"UTF-8 with two marks":          "\ufeff\ufeff" + plain,
		"two files put together":        "\ufeffPékinois\n\ufeffШпиц\n柴犬\n🐕 dog\n",
		"CRLF":                          strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR":                            strings.ReplaceAll(plain, "\n", "\r"),
		"mixed ends":                    "Pékinois\rШпиц\r\n柴犬\n🐕 dog\r",
		"blanks":                        " Pékinois \nШпиц\t\n\u00a0柴犬\n🐕 dog  ",
		"blank lines at the end":        plain + "\n \n\t\r\n",
		"mark, CRLF and blank lines":    "\ufeff" + strings.ReplaceAll(plain, "\n", " \r\n") + "\r\n\r\n",
		"UTF-16 LE":                     utf16Of(plain, le, true),
		"UTF-16 BE":                     utf16Of(plain, be, true),
		"UTF-16 LE with CRLF":           utf16Of(strings.ReplaceAll(plain, "\n", "\r\n"), le, true),
		"UTF-32 LE":                     utf32Of(plain, le),
		"UTF-32 BE":                     utf32Of(plain, be),
		"UTF-16 LE without a mark":      utf16Of(plain, le, false),
		"UTF-16 BE without a mark":      utf16Of(plain, be, false),
		"UTF-16 LE without, with a CR":  utf16Of(strings.ReplaceAll(plain, "\n", "\r\n"), le, false),
		"UTF-16 LE, blanks at the ends": utf16Of(plain+" \r\n\r\n", le, true),
	} {
		path := filepath.Join(t.TempDir(), "names.txt")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadNames(path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q (%v)", name, got, err)
		}
		if got, err := ReadLines(path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: lines %q (%v)", name, got, err)
		}
	}
}

// TestReadRefuses checks that errors name the file and the line, and say what to do.
func TestReadRefuses(t *testing.T) {
	le := binary.LittleEndian
	for name, c := range map[string]struct{ text, says string }{
		"Latin-1":                    {"cat\nP\xe9kinois\n", `names.txt:2: byte 0xE9 isn't UTF-8 (in Latin-1 or Windows-1252 it would be "Pékinois"): save the file as UTF-8`},
		"Latin-1 after CRs":          {"cat\rdog\r\nP\xe9kinois\n", `names.txt:3: byte 0xE9`},
		"Latin-1 behind a mark":      {"\ufeffM\xfcller\n", `names.txt:1: byte 0xFC isn't UTF-8 (in Latin-1 or Windows-1252 it would be "Müller")`},
		"Shift JIS":                  {"\x8e\xc4\x8c\xa2\n", "names.txt:1: byte 0x8E isn't UTF-8"},
		"a cut character":            {"ok\n\xe6\x9f", "names.txt:2: byte 0xE6 isn't UTF-8"},
		"a NUL":                      {"cat\ndog\x00\n", "names.txt:2: a NUL byte"},
		"a NUL where UTF-16 has it":  {"cat\x00dog\n", "names.txt:1: a NUL byte"},
		"a picture":                  {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "names.txt:3: a NUL byte"},
		"UTF-16 of odd length":       {utf16Of("cat\ndog", le, true) + "x", "names.txt:2: an incomplete UTF-16 character at the end"},
		"half a pair":                {utf16Of("cat\n", le, true) + "\x3d\xd8", "names.txt:2: an incomplete UTF-16 character at the end"},
		"half a pair within":         {utf16Of("cat\n", le, true) + "\x3d\xd8a\x00", "names.txt:2: half of a UTF-16 surrogate pair: save"},
		"NUL in UTF-16":              {utf16Of("cat\x00", le, true), "names.txt:1: a NUL character in UTF-16"},
		"UTF-16 BE with the LE mark": {"\xff\xfe\x00c\x00a\xd8\x00\x00t", ""},
		"cut UTF-32":                 {utf32Of("cat\n", le) + "x", "names.txt:2: an incomplete UTF-32 character"},
		"no UTF-32":                  {utf32Of("cat\n", le) + "\xff\xff\xff\xff", "names.txt:2: 0xFFFFFFFF isn't a UTF-32 character"},
		"nothing":                    {"", "names.txt: the file is empty: write one name per line"},
		"a mark alone":               {"\ufeff", "names.txt: the file is empty"},
		"a mark of UTF-16 alone":     {"\xff\xfe", "names.txt: the file is empty"},
		"blanks alone":               {" \r\n\t\n", "names.txt: the file is empty"},
		"a gap":                      {"cat\n \ndog\n", "names.txt:2: the line is empty"},
	} {
		path := filepath.Join(t.TempDir(), "names.txt")
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadNames(path)
		var e *Error
		if c.says == "" {
			continue // wrong, but readable as text
		}
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.says) || e.Name != path {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if _, err := ReadNames(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that isn't there: %v", err)
	}
	if _, err := Decode("", []byte("\x00")); err == nil || err.Error() != "line 1: a NUL byte: this isn't a text file, or it is UTF-16 without a byte order mark; save it as UTF-8" {
		t.Errorf("without a name: %v", err)
	}
	if _, err := Names(""); err == nil || strings.HasPrefix(err.Error(), ":") {
		t.Errorf("an empty text: %v", err)
	}
}

// TestReadRaw checks that line endings are kept, and that an endless device is refused.
func TestReadRaw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("\ufeffa\r\nb\rc\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadRaw(path); err != nil || string(got) != "a\r\nb\rc\n" {
		t.Errorf("%q (%v)", got, err)
	}
	if got, err := Read(path); err != nil || got != "a\nb\nc\n" {
		t.Errorf("%q (%v)", got, err)
	}
}

func TestUnmarkedUTF16IsClear(t *testing.T) {
	for text, want := range map[string]bool{
		"c\x00a\x00t\x00": true, "\x00c\x00a\x00t": true, "cat\x00": false, "c\x00a\x00t": false, "": false,
		"\x00\x00\x00\x00": false, "c\x00\x00a": false, "\x1a\x04\n\x00": true, "\x1a\x04\x1b\x04\x1c\x04\n\x00": false,
	} {
		if got := unmarkedUTF16([]byte(text)) != nil; got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// FuzzDecode checks that for any bytes the result is UTF-8, decodes to itself, and
// survives a round trip through UTF-16.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "cat\r\ndog", "\ufeffcat", "\xff\xfec\x00", "\xfe\xff\x00c", "\xff\xfe\x00\x00c\x00\x00\x00", "c\x00a\x00", "P\xe9", "\xff\xfe\x3d\xd8"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := Decode("f", data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Name != "f" || e.Line < 1 {
				t.Errorf("%q: %#v", data, err)
			}
			return
		}
		if !utf8.Valid(text) || strings.ContainsRune(string(text), 0) {
			t.Errorf("%q became %q", data, text)
		}
		again, err := Decode("f", []byte(utf16Of(string(text), binary.BigEndian, true)))
		if err != nil || string(again) != string(text) {
			t.Errorf("%q comes back from UTF-16 as %q (%v)", text, again, err)
		}
		for _, line := range Lines(Newlines(string(text))) {
			if strings.ContainsAny(line, "\r\n") || strings.TrimSpace(line) != line {
				t.Errorf("%q has the line %q", data, line)
			}
		}
	})
}
