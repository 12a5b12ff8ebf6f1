package data

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// row is a line of a CSV of labels.
type row struct {
	filename, label string
	line            int
}

// readCSV lists the pictures of a CSV; they must exist.
func readCSV(path string) ([]entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := parseCSV(f)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	dir := filepath.Dir(path)
	entries := make([]entry, len(rows))
	labels := make(map[string]int, len(rows))
	for i, r := range rows {
		picture := filepath.FromSlash(r.filename)
		if !filepath.IsAbs(picture) {
			picture = filepath.Join(dir, picture)
		}
		e := entry{path: picture, label: r.label, id: idOf(picture), where: fmt.Sprintf("%s:%d", path, r.line)}
		if info, err := os.Stat(picture); err != nil {
			return nil, fmt.Errorf("%s: %w (file names are as seen from %s)", e.where, err, dir)
		} else if info.IsDir() {
			return nil, fmt.Errorf("%s: %s is a folder, not a picture", e.where, picture)
		}
		if first, ok := labels[picture]; ok && rows[first].label != r.label {
			return nil, fmt.Errorf("%s: %s has class %q, but %q on line %d: remove one of them", e.where, r.filename, r.label, rows[first].label, rows[first].line)
		}
		labels[picture] = i
		entries[i] = e
	}
	return entries, nil
}

// surplusColumns refuses columns that would be passed over although they mean
// something: the same name twice, and a split, which a table can't tell.
func surplusColumns(header []string) error {
	seen := map[string]bool{}
	for _, name := range header {
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case seen[name] && (name == "filename" || name == "label"):
			return fmt.Errorf("1: the header names the column %s twice: leave one out", name)
		case name == "split":
			return errors.New("1: the header has a column split: make a table for each split (train.csv, val.csv, test.csv in a folder), or call the column something else to have it passed over")
		}
		seen[name] = true
	}
	return nil
}

// parseCSV reads rows of comma-separated text with a header that names the
// columns filename and label, in any order and among others. Errors begin with
// the line.
func parseCSV(r io.Reader) ([]row, error) {
	table := csv.NewReader(skipMark(r))
	table.FieldsPerRecord = -1
	header, err := table.Read()
	if err == io.EOF {
		return nil, errors.New("1: the file is empty: begin it with the line filename,label")
	}
	if err != nil {
		return nil, csvError(err)
	}
	column := func(name string) int {
		return slices.IndexFunc(header, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), name) })
	}
	file, label := column("filename"), column("label")
	if file < 0 || label < 0 {
		return nil, fmt.Errorf("1: the header is %q: it must name the columns filename and label", strings.Join(header, ","))
	}
	if err := surplusColumns(header); err != nil {
		return nil, err
	}
	var rows []row
	for {
		record, err := table.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, csvError(err)
		}
		line, _ := table.FieldPos(0)
		if len(record) <= max(file, label) {
			return nil, fmt.Errorf("%d: the line has %d of %d columns: a name with a comma goes into quotes", line, len(record), max(file, label)+1)
		}
		found := row{record[file], strings.TrimSpace(record[label]), line}
		if found.filename == "" || found.label == "" {
			return nil, fmt.Errorf("%d: the line has no file name or no label", line)
		}
		if len(record) != len(header) {
			return nil, fmt.Errorf("%d: the line has %d columns, the header %d: a name with a comma goes into quotes", line, len(record), len(header))
		}
		rows = append(rows, found)
	}
	if len(rows) == 0 {
		return nil, errors.New("1: there are no pictures below the header")
	}
	return rows, nil
}

// csvError puts the line first.
func csvError(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("%d: column %d: %w (a quote within quotes is written twice)", p.Line, p.Column, p.Err)
	}
	return fmt.Errorf(" %w", err)
}

// skipMark leaves out the byte order mark that spreadsheets put first.
func skipMark(r io.Reader) io.Reader {
	head := make([]byte, 3)
	n, err := io.ReadFull(r, head)
	if err == nil && string(head) == "\ufeff" {
		return r
	}
	return io.MultiReader(strings.NewReader(string(head[:n])), r)
}
