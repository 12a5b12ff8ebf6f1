// Package textfile reads text files that people edit, such as lists of names, CSV, JSON
// and vocabularies, and returns them as UTF-8 with "\n" line endings. It knows the
// encodings in which editors and spreadsheets save text. It doesn't know the formats of
// the files.
//
// A byte order mark decides the encoding (UTF-8, UTF-16 or UTF-32, in either byte order)
// and is removed. Without one the text is read as UTF-8, or as UTF-16 if it can't be
// anything else. Anything else is an [Error] that names the line and says what to do.
// Invalid bytes are never replaced by U+FFFD, and single-byte encodings such as Latin-1
// are never guessed.
package textfile

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// maxSize is the largest file that is read, in bytes. An endless device or a large file
// named by mistake must not fill the memory.
const maxSize = 1 << 30

// Error says where a text can't be read, why, and what to do.
type Error struct {
	Name   string // of the file; "" if there is none
	Line   int    // from 1; 0: the file as a whole
	Reason string
}

func (e *Error) Error() string {
	switch {
	case e.Name == "" && e.Line == 0:
		return e.Reason
	case e.Name == "":
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.Name, e.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.Reason)
}

// Read reads a file as UTF-8 text without a byte order mark, with "\n" line endings.
// "\r\n" and a lone "\r" also end a line, as in Python's text files. Errors name the
// file; an error about its content is an [*Error].
func Read(path string) (string, error) {
	text, err := ReadRaw(path)
	if err != nil {
		return "", err
	}
	return Newlines(string(text)), nil
}

// ReadRaw is like [Read] but keeps the line endings of the file. It is for CSV, where a
// quoted cell may contain any of them.
func ReadRaw(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, &Error{Name: path, Reason: fmt.Sprintf("more than %d MiB: this isn't a text file", maxSize>>20)}
	}
	return Decode(path, data)
}

// Newlines converts all line endings to "\n".
func Newlines(text string) string {
	if !strings.Contains(text, "\r") {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// Lines splits a text that [Read] returned into lines, without surrounding blanks and
// without blank lines at the end. It also removes a byte order mark at the start of a
// line, which is left where two files were joined. A text of only blanks has no lines.
func Lines(text string) []string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimFunc(lines[i], blank)
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// ReadLines reads a file and returns its [Lines].
func ReadLines(path string) ([]string, error) {
	text, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Lines(text), nil
}

// ReadNames reads a list with one name per line. An empty list is an error, and so is an
// empty line between two names, because it would shift the numbers of the names after it.
func ReadNames(path string) ([]string, error) {
	text, err := Read(path)
	if err != nil {
		return nil, err
	}
	names, err := Names(text)
	if e, ok := err.(*Error); ok {
		e.Name = path
	}
	return names, err
}

// Names is [ReadNames] for text in memory; the error is an [*Error] without a file name.
func Names(text string) ([]string, error) {
	lines := Lines(text)
	if len(lines) == 0 {
		return nil, &Error{Reason: "the file is empty: write one name per line, as UTF-8 text"}
	}
	for i, line := range lines {
		if line == "" {
			return nil, &Error{Line: i + 1, Reason: "the line is empty: write one name per line"}
		}
	}
	return lines, nil
}

// blank reports whether a character is trimmed at both ends of a line.
func blank(r rune) bool { return unicode.IsSpace(r) || r == mark }
