// Package textfile reads text that a person may have written or edited: lists of
// names, CSV, JSON, vocabularies. Editors and spreadsheets save such files in many
// ways; readers want UTF-8 and "\n".
//
// A byte order mark decides the encoding (UTF-8, UTF-16 or UTF-32, either byte
// order) and is left out. Without one the text is UTF-8, or UTF-16 if it can be
// nothing else. Anything else is an [Error], which names the line and says what to
// do: nothing is ever replaced by U+FFFD, and no encoding of single bytes, such as
// Latin-1, is guessed.
package textfile

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// maxSize bounds what is read of a file: a device that never ends, or a picture
// named by mistake, must not fill the memory.
const maxSize = 1 << 30

// Error says where text can't be read, why, and what to do.
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

// Read reads a file as UTF-8 text with "\n" at the ends of its lines, without a
// byte order mark. "\r\n" and a lone "\r" end a line, too, as in Python's text
// files. Errors name the file; one about its content is an [*Error].
func Read(path string) (string, error) {
	text, err := ReadRaw(path)
	if err != nil {
		return "", err
	}
	return Newlines(string(text)), nil
}

// ReadRaw is [Read] with the ends of lines as they are in the file: for CSV, where
// a quoted cell may hold any of them.
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

// Newlines makes every end of a line "\n".
func Newlines(text string) string {
	if !strings.Contains(text, "\r") {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// Lines is the lines of a text as [Read] gives it, without blanks around them and
// without the blank lines at the end. A byte order mark at the start of a line,
// where two files were put together, goes, too. A text of nothing but blanks has no
// lines.
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

// ReadLines reads the lines of a file, as [Lines] has them.
func ReadLines(path string) ([]string, error) {
	text, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Lines(text), nil
}

// ReadNames reads a list with a name on each line. An empty list, and an empty
// line between two names, are errors: the names after it would stand for others.
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

// Names is [ReadNames] for text at hand; the error is an [*Error] without a file's
// name.
func Names(text string) ([]string, error) {
	lines := Lines(text)
	if len(lines) == 0 {
		return nil, &Error{Reason: "the file is empty: write a name on each line, as UTF-8 text"}
	}
	for i, line := range lines {
		if line == "" {
			return nil, &Error{Line: i + 1, Reason: "the line is empty: write a name on each line"}
		}
	}
	return lines, nil
}

// blank is what may stand before or after a name without being part of it.
func blank(r rune) bool { return unicode.IsSpace(r) || r == mark }
