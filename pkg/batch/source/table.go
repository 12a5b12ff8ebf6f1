package source

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// table lists the pictures that a table names.
func (l *lister) table(s named) error {
	f, err := stream(l.ctx, s.at)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.lines(s, readTable(f))
}

// pathColumns are the names of a table's column of paths, the first that is there counts;
// keyColumn is that of keys. Case, spaces, _ and - don't matter.
var pathColumns = []string{"path", "filepath", "imagepath", "file", "filename", "image", "url", "imageurl"}

const keyColumn = "key"

// maxRow bounds a row of a table, in bytes. A quote that isn't closed would take the rest of
// the file into memory.
const maxRow = 1 << 20

// readTable yields the rows of a table with a header. Fields are separated by commas,
// semicolons or tabs, whichever is most frequent in the header.
func readTable(from io.Reader) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		in := bufio.NewReaderSize(from, maxLine)
		head, err := in.Peek(maxLine)
		if err == nil || errors.Is(err, io.EOF) {
			err = checkEncoding(head)
		}
		if err != nil {
			yield(line{}, err)
			return
		}
		if bytes.HasPrefix(head, []byte(utf8Mark)) {
			in.Discard(len(utf8Mark))
		}
		limited := &rowLimit{from: in, left: 2 * maxRow}
		rows := csv.NewReader(limited)
		rows.Comma, rows.ReuseRecord = separator(head), true
		eachRow(rows, limited, yield)
	}
}

func eachRow(rows *csv.Reader, limited *rowLimit, yield func(line, error) bool) {
	header, err := rows.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the table is empty: its first line names the columns")
		}
		yield(line{}, err)
		return
	}
	header = slices.Clone(header) // the next row takes its place
	path, key, err := columns(header)
	if err != nil {
		yield(line{}, err)
		return
	}
	for {
		limited.left = 2 * maxRow
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		var at line
		if err == nil {
			at, err = tableLine(rows, header, row, path, key)
		}
		if !yield(at, err) || err != nil {
			return
		}
	}
}

// tableLine is the picture that a row names.
func tableLine(rows *csv.Reader, header, row []string, path, key int) (line, error) {
	number, _ := rows.FieldPos(path)
	if key < 0 {
		key = path
	}
	for _, i := range []int{path, key} {
		switch {
		case row[i] == "":
			return line{}, fmt.Errorf("line %d: the column %s is empty", number, header[i])
		case strings.IndexByte(row[i], 0) >= 0:
			return line{}, fmt.Errorf("line %d: the column %s has a NUL byte", number, header[i])
		}
	}
	// Of a row only these two are kept, not the memory of all.
	return line{key: strings.Clone(row[key]), path: strings.Clone(row[path]), number: number}, nil
}

// columns finds the column of paths and that of keys, -1 if there is none.
func columns(header []string) (path, key int, err error) {
	names := make([]string, len(header))
	for i, name := range header {
		names[i] = strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(name))
	}
	key = slices.Index(names, keyColumn)
	for _, want := range pathColumns {
		if path = slices.Index(names, want); path >= 0 {
			return path, key, nil
		}
	}
	return 0, 0, fmt.Errorf("line 1: no column is called path, file, filename, image or url; the columns are %s", quoted(header))
}

// maxNames bounds the names in a message.
const maxNames = 20

// quoted lists names for a message.
func quoted(names []string) string {
	more := ""
	if len(names) > maxNames {
		more = fmt.Sprintf(" and %d more", len(names)-maxNames)
		names = names[:maxNames]
	}
	var out []string
	for _, name := range names {
		out = append(out, fmt.Sprintf("%.60q", name))
	}
	return strings.Join(out, ", ") + more
}

// separator is what separates the fields of a table.
func separator(head []byte) rune {
	header, _, _ := bytes.Cut(head, []byte{'\n'})
	best, most := ',', bytes.Count(header, []byte{','})
	for _, c := range ";\t" {
		if n := bytes.Count(header, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// rowLimit ends a row that is too long.
type rowLimit struct {
	from io.Reader
	left int // bytes that may be read until the next row
}

func (r *rowLimit) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("a row is longer than %d bytes: perhaps a quote isn't closed", maxRow)
	}
	n, err := r.from.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}
