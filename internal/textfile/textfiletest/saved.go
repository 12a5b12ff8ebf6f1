// Package textfiletest encodes text in the ways that editors and spreadsheets save it,
// for tests of code that reads files people edit. It covers the encodings, byte order
// marks and line endings that package textfile reads. It doesn't make invalid files.
package textfiletest

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Saved returns a text with "\n" line endings in every encoding and line ending that
// [gaze/internal/textfile] reads, by a description of each.
func Saved(text string) map[string][]byte {
	crlf := strings.ReplaceAll(text, "\n", "\r\n")
	return map[string][]byte{
		"UTF-8":                       []byte(text),
		"UTF-8 with a mark":           []byte("\ufeff" + text),
		"Windows Notepad's UTF-8":     []byte("\ufeff" + crlf),
		"Windows Notepad's UTF-16":    UTF16(crlf, binary.LittleEndian, true),
		"UTF-16, big-endian":          UTF16(text, binary.BigEndian, true),
		"UTF-16 without a mark":       UTF16(crlf, binary.LittleEndian, false),
		"lone CR":                     []byte(strings.ReplaceAll(text, "\n", "\r")),
		"blank lines at the end":      []byte(text + "\n\n"),
		"CRLF, blank lines at end":    []byte(crlf + "\r\n \t\r\n"),
		"a mark and no last line end": []byte("\ufeff" + strings.TrimSuffix(text, "\n")),
	}
}

// UTF16 encodes a text as UTF-16, with or without a byte order mark.
func UTF16(text string, order binary.AppendByteOrder, marked bool) []byte {
	var out []byte
	if marked {
		out = order.AppendUint16(out, 0xfeff)
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}
