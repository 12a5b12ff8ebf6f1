package textfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// mark is the byte order mark, U+FEFF.
const mark = '\ufeff'

// marks are the byte order marks in the order to try them: the little-endian mark of
// UTF-32 begins with that of UTF-16, so it must come first.
var marks = []struct {
	bytes  string
	decode func(data []byte) ([]byte, *Error)
}{
	{"\xef\xbb\xbf", checkUTF8},
	{"\xff\xfe\x00\x00", func(data []byte) ([]byte, *Error) { return fromUTF32(data, binary.LittleEndian) }},
	{"\x00\x00\xfe\xff", func(data []byte) ([]byte, *Error) { return fromUTF32(data, binary.BigEndian) }},
	{"\xff\xfe", func(data []byte) ([]byte, *Error) { return fromUTF16(data, binary.LittleEndian) }},
	{"\xfe\xff", func(data []byte) ([]byte, *Error) { return fromUTF16(data, binary.BigEndian) }},
}

// Decode converts the content of a text file to UTF-8 without a byte order mark, from the
// encodings listed in the package comment. Line endings are kept. name is the file's name
// for errors and may be "". The error is an [*Error]. The result may share memory with
// data.
func Decode(name string, data []byte) ([]byte, error) {
	text, err := decode(data)
	if err != nil {
		err.Name = name
		return nil, err
	}
	return text, nil
}

func decode(data []byte) ([]byte, *Error) {
	for _, m := range marks {
		if rest, ok := bytes.CutPrefix(data, []byte(m.bytes)); ok {
			return m.decode(rest)
		}
	}
	if order := unmarkedUTF16(data); order != nil {
		if text, err := fromUTF16(data, order); err == nil && plain(text) {
			return text, nil
		}
	}
	return checkUTF8(data)
}

// checkUTF8 returns data if it is UTF-8 without NUL bytes.
func checkUTF8(data []byte) ([]byte, *Error) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return nil, &Error{Line: lineAt(data[:i]), Reason: "a NUL byte: this isn't a text file, or it is UTF-16 without a byte order mark; save it as UTF-8"}
	}
	if utf8.Valid(data) {
		return data, nil
	}
	at := 0
	for {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	reason := fmt.Sprintf("byte 0x%02X isn't UTF-8: save the file as UTF-8", data[at])
	if word := asWindows1252(data, at); word != "" {
		reason = fmt.Sprintf("byte 0x%02X isn't UTF-8 (in Latin-1 or Windows-1252 it would be %q): save the file as UTF-8", data[at], word)
	}
	return nil, &Error{Line: lineAt(data[:at]), Reason: reason}
}

// asWindows1252 returns the word around a byte, decoded as Windows-1252, the usual
// encoding of old Western European editors. It returns "" if the word isn't all letters.
func asWindows1252(data []byte, at int) string {
	const around = 20
	from, to := at, at+1
	for from > 0 && at-from < around && letter(data[from-1]) {
		from--
	}
	for to < len(data) && to-at < around && letter(data[to]) {
		to++
	}
	word, err := charmap.Windows1252.NewDecoder().Bytes(data[from:to])
	if err != nil || bytes.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return ""
	}
	return string(word)
}

// letter reports whether a byte is an ASCII letter, or may be a letter in a single-byte
// encoding.
func letter(b byte) bool { return b >= 0x80 || b|0x20 >= 'a' && b|0x20 <= 'z' }

// unmarkedUTF16 returns the byte order of UTF-16 without a byte order mark, nil if data
// isn't clearly UTF-16. It looks for the NUL bytes of ASCII characters: all NUL bytes must
// be the high byte of their pair, and at least a third of all pairs must have one. If the
// data would be valid UTF-8 without the NUL bytes, all pairs must have one; otherwise a
// stray NUL in UTF-8 would turn pairs of letters into other characters.
func unmarkedUTF16(data []byte) binary.ByteOrder {
	if len(data) < 2 || len(data)%2 != 0 {
		return nil
	}
	var nul [2]int // at even and at odd offsets
	for i, b := range data {
		if b == 0 {
			nul[i%2]++
		}
	}
	pairs, rest := len(data)/2, bytes.ReplaceAll(data, []byte{0}, nil)
	enough := func(n int) bool { return n == pairs || 3*n >= pairs && !(utf8.Valid(rest) && plain(rest)) }
	switch {
	case nul[0] == 0 && enough(nul[1]):
		return binary.LittleEndian
	case nul[1] == 0 && enough(nul[0]):
		return binary.BigEndian
	}
	return nil
}

// plain reports whether a text has no control characters except tab, LF and CR.
func plain(text []byte) bool {
	return !bytes.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' })
}

// fromUTF16 decodes UTF-16 without a byte order mark.
func fromUTF16(data []byte, order binary.ByteOrder) ([]byte, *Error) {
	text := make([]byte, 0, len(data)*3/4)
	fail := func(reason string) ([]byte, *Error) {
		return nil, &Error{Line: lineAt(text), Reason: reason + ": save the file as UTF-8"}
	}
	for len(data) >= 2 {
		r := rune(order.Uint16(data))
		data = data[2:]
		if utf16.IsSurrogate(r) {
			if len(data) < 2 {
				return fail("an incomplete UTF-16 character at the end")
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(data))); r == unicode.ReplacementChar {
				return fail("half of a UTF-16 surrogate pair")
			}
			data = data[2:]
		}
		if r == 0 {
			return fail("a NUL character in UTF-16: this isn't a text file")
		}
		text = utf8.AppendRune(text, r)
	}
	if len(data) > 0 {
		return fail("an incomplete UTF-16 character at the end")
	}
	return text, nil
}

// fromUTF32 decodes UTF-32 without a byte order mark.
func fromUTF32(data []byte, order binary.ByteOrder) ([]byte, *Error) {
	text := make([]byte, 0, len(data)/2)
	fail := func(reason string) ([]byte, *Error) {
		return nil, &Error{Line: lineAt(text), Reason: reason + ": save the file as UTF-8"}
	}
	for len(data) >= 4 {
		r := order.Uint32(data)
		data = data[4:]
		if r == 0 || r > unicode.MaxRune || !utf8.ValidRune(rune(r)) {
			return fail(fmt.Sprintf("0x%08X isn't a UTF-32 character", r))
		}
		text = utf8.AppendRune(text, rune(r))
	}
	if len(data) > 0 {
		return fail("an incomplete UTF-32 character at the end")
	}
	return text, nil
}

// lineAt returns the number of the line, from 1, in which a text ends. "\r\n" and a lone
// "\r" each count as one line ending.
func lineAt(before []byte) int {
	line := 1
	for i, b := range before {
		if b == '\n' && (i == 0 || before[i-1] != '\r') || b == '\r' {
			line++
		}
	}
	return line
}
