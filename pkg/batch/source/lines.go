package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"gaze/pkg/batch/store"
)

// line is a picture that a list or table names.
type line struct {
	key, path string
	number    int // of the line in the file, from 1
}

// listFile lists the pictures that a list names.
func (l *lister) listFile(s named) error {
	f, err := stream(l.ctx, s.at)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.lines(s, readList(f))
}

// maxLine bounds the length of a path or URL in a list, in bytes.
const maxLine = 64 << 10

// readList yields the lines of a list that aren't empty. Lines end in a newline, with or
// without a carriage return; if there is a NUL byte in the first of them, all end in NUL.
func readList(from io.Reader) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		in := bufio.NewReaderSize(from, maxLine)
		head, err := in.Peek(maxLine)
		if err != nil && !errors.Is(err, io.EOF) {
			yield(line{}, err)
			return
		}
		if err := checkEncoding(head); err != nil {
			yield(line{}, err)
			return
		}
		if bytes.HasPrefix(head, []byte(utf8Mark)) {
			in.Discard(len(utf8Mark))
		}
		end := byte('\n')
		if first, _, _ := bytes.Cut(head, []byte{'\n'}); bytes.IndexByte(first, 0) >= 0 {
			end = 0
		}
		eachLine(in, end, yield)
	}
}

// eachLine yields the lines that end in end.
func eachLine(in *bufio.Reader, end byte, yield func(line, error) bool) {
	for number := 1; ; number++ {
		text, err := in.ReadSlice(end)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			yield(line{}, fmt.Errorf("line %d is longer than %d bytes: this isn't a list of paths", number, maxLine))
			return
		case err != nil && !errors.Is(err, io.EOF):
			yield(line{}, fmt.Errorf("line %d: %w", number, err))
			return
		}
		text = bytes.TrimSuffix(text, []byte{end})
		if end == '\n' {
			text = bytes.TrimSuffix(text, []byte{'\r'})
			if i := bytes.IndexByte(text, 0); i >= 0 {
				yield(line{}, fmt.Errorf("line %d has a NUL byte: this isn't a list of paths", number))
				return
			}
		}
		if len(bytes.TrimSpace(text)) > 0 {
			at := string(text)
			if !yield(line{key: at, path: at, number: number}, nil) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

const utf8Mark = "\xef\xbb\xbf"

// checkEncoding refuses UTF-16 and UTF-32, which some editors save.
func checkEncoding(head []byte) error {
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(head, []byte(mark)) {
			return errors.New("this is UTF-16 or UTF-32 text: save it as UTF-8")
		}
	}
	return nil
}

// lines lists the files that lines name.
func (l *lister) lines(s named, all iter.Seq2[line, error]) error {
	start, err := l.start(s.at)
	if err != nil {
		return err
	}
	look := &lookout{list: l.from, start: start}
	for line, err := range all {
		if err != nil {
			return fmt.Errorf("%s: %w", l.from, err)
		}
		at := resolve(start, line.path)
		if err := look.at(line, at); err != nil {
			return err
		}
		if err := l.file(line.key, at); err != nil {
			return err
		}
	}
	return look.end()
}

// start is the folder or URL that a list's relative paths start from.
func (l *lister) start(list string) (string, error) {
	if l.Base == "" {
		start, _, err := store.Split(list)
		return start, err
	}
	if store.IsURL(l.Base) {
		return l.Base, nil
	}
	return filepath.Abs(l.Base)
}

// resolve is the absolute path or URL of a file that a list names.
func resolve(start, path string) string {
	if store.IsURL(path) {
		return path
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	if store.IsURL(start) {
		return store.Join(start, strings.TrimPrefix(filepath.ToSlash(path), "./"))
	}
	return filepath.Join(start, path)
}

// lookout checks that paths start from the right folder: if none of the first relative ones
// is there, none of the rest will be. A single missing file is an error of its row only.
type lookout struct {
	list, start string
	seen        int
	found       bool
	first       line
}

// looked is how many files are looked for at most.
const looked = 100

func (k *lookout) at(l line, at string) error {
	if k.found || k.seen >= looked || store.IsURL(at) || filepath.IsAbs(l.path) {
		k.found = k.found || k.seen == 0
		return nil
	}
	if k.seen == 0 {
		k.first = l
	}
	k.seen++
	_, err := os.Stat(at)
	k.found = err == nil
	if k.seen == looked {
		return k.end()
	}
	return nil
}

// end is the error if no file was found.
func (k *lookout) end() error {
	if k.found || k.seen == 0 {
		return nil
	}
	return fmt.Errorf("%s: none of its first %d files is there, such as %q in line %d: relative paths start from %s; if these start elsewhere, say from where (base)", k.list, k.seen, k.first.path, k.first.number, k.start)
}
