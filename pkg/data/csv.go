package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/textfile"
)

// row is a line of a table: a picture with its label, or with a caption.
type row struct {
	filename, label string
	line            int
	record          []string // all columns of a CSV
}

// errNoLabels means that a table or folder gives no classes at all. That is allowed for
// a test set, whose classes may be secret.
var errNoLabels = errors.New("no classes")

// readCSV lists the pictures of a CSV, or of a metadata.jsonl; they must exist.
func readCSV(path string) ([]entry, error) {
	rows, err := readRows(path)
	if err != nil {
		return nil, err
	}
	places := picturePlaces(path)
	entries := make([]entry, len(rows))
	labels := make(map[string]int, len(rows))
	for i, r := range rows {
		where := fmt.Sprintf("%s:%d", path, r.line)
		picture, info, err := findPicture(places, r.filename)
		if err != nil {
			return nil, fmt.Errorf("%s: %w (file names are relative to %s)", where, err, places[0])
		} else if info.IsDir() {
			return nil, fmt.Errorf("%s: %s is a folder, not a picture", where, picture)
		}
		if first, ok := labels[picture]; ok && rows[first].label != r.label {
			return nil, fmt.Errorf("%s: %s has class %q, but %q on line %d: remove one of them", where, r.filename, r.label, rows[first].label, rows[first].line)
		}
		labels[picture] = i
		entries[i] = entry{path: picture, label: r.label, id: idOf(picture), where: where}
	}
	return entries, nil
}

// picturePlaces lists the folders that a CSV's file names may be relative to: its own
// folder; else, as in many tables, the folder of pictures beside it, a folder with the
// CSV's name, or that of the same split (train_images beside train.csv).
func picturePlaces(path string) []string {
	dir := filepath.Dir(path)
	places, stem := []string{dir}, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	list, err := os.ReadDir(dir)
	if err != nil {
		return places
	}
	split, rest := splitOf(stem, true)
	for _, e := range list {
		name := e.Name()
		other, also := splitOf(name, false)
		same := split >= 0 && other == split && also == rest
		if (same || strings.EqualFold(name, stem) || isContainer(name)) && isFolder(filepath.Join(dir, name)) {
			places = append(places, filepath.Join(dir, name))
		}
	}
	return places
}

// findPicture looks for a file by its name in a table. If no file has exactly that name,
// it also tries the name without surrounding spaces and with '/' for '\', as in tables
// made on Windows. The error is that of the first place.
func findPicture(places []string, name string) (string, fs.FileInfo, error) {
	names := []string{name, strings.TrimSpace(name)}
	for _, n := range names {
		names = append(names, strings.ReplaceAll(n, `\`, "/"))
	}
	var first error
	for _, place := range places {
		for _, n := range names {
			path := filepath.FromSlash(n)
			if !filepath.IsAbs(path) {
				path = filepath.Join(place, path)
			}
			info, err := os.Stat(path)
			if err == nil {
				return path, info, nil
			}
			if first == nil {
				first = err
			}
		}
	}
	return "", nil, first
}

// header is the first line of a table.
type header struct {
	names       []string
	values      []string // the possible names of the second column: label, or those of captions
	file, label int      // column numbers, -1 if missing
}

// labelColumn is the name of the column with labels.
var labelColumn = []string{"label"}

// newHeader finds the columns, ignoring case, spaces, '_' and '-'.
func newHeader(names, values []string) header {
	h := header{names: names, values: values, label: -1}
	h.file = h.column("filename")
	for _, name := range values {
		if h.label < 0 {
			h.label = h.column(name)
		}
	}
	return h
}

// column is the number of a column, -1 if there is none.
func (h header) column(want string) int {
	return slices.IndexFunc(h.names, func(s string) bool { return columnName(s) == want })
}

func columnName(s string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(strings.TrimSpace(s)))
}

// labels reports whether the table is one of classes, not of captions.
func (h header) labels() bool { return h.values[0] == labelColumn[0] }

// check refuses a header that lacks a column. It also refuses columns that would be
// ignored although they matter: a duplicate name, and a column split, because a table
// can't hold several splits.
func (h header) check(line int) error {
	values, labels := strings.Join(h.values, " or "), h.labels()
	switch {
	case h.file >= 0 && h.label < 0 && labels:
		return fmt.Errorf("%d: the header is %q: %w: it must name the columns filename and label", line, strings.Join(h.names, ","), errNoLabels)
	case h.file < 0 || h.label < 0:
		return fmt.Errorf("%d: the header is %q: it must name the columns filename and %s", line, strings.Join(h.names, ","), values)
	}
	seen := map[string]bool{}
	value := columnName(h.names[h.label])
	for _, name := range h.names {
		switch name = columnName(name); {
		case seen[name] && (name == "filename" || name == value):
			return fmt.Errorf("%d: the header names the column %s twice: leave one out", line, name)
		case name != value && slices.Contains(h.values, name):
			return fmt.Errorf("%d: the header names the columns %s and %s: leave one out", line, value, name)
		case name == "split" && labels:
			return fmt.Errorf("%d: the header has a column split: make a table for each split (train.csv, val.csv, test.csv in a folder), or rename the column to have it ignored", line)
		}
		seen[name] = true
	}
	return nil
}

// separators are the possible column separators: spreadsheets in countries with a
// decimal comma write semicolons.
const separators = ",;\t|"

// parseCSV reads rows of text, separated by commas, semicolons, tabs or bars, as in the
// header. The header must name the columns filename and label; there may be others, in
// any order. Rows with only empty cells are skipped. Errors begin with the line number.
func parseCSV(r io.Reader) ([]row, error) {
	rows, _, err := parseTable(r, labelColumn)
	return rows, err
}

// parseTable is parseCSV for another second column: the first of values that is there.
func parseTable(r io.Reader, values []string) ([]row, header, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, header{}, fmt.Errorf(" %w", err)
	}
	text, err := textfile.Decode("", data)
	if e := (*textfile.Error)(nil); errors.As(err, &e) {
		return nil, header{}, fmt.Errorf("%d: %s", e.Line, e.Reason)
	}
	table, head, err := openTable(lineEnds(text), values)
	if err != nil {
		return nil, header{}, err
	}
	var rows []row
	for {
		record, err := table.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, header{}, csvError(err)
		}
		line, _ := table.FieldPos(0)
		if allBlank(record) {
			continue
		}
		found, err := head.row(record, line)
		if err != nil {
			return nil, header{}, err
		}
		rows = append(rows, found)
	}
	if len(rows) == 0 {
		return nil, header{}, errors.New("1: there are no pictures below the header")
	}
	return rows, head, nil
}

// row reads a line below the header.
func (h header) row(record []string, line int) (row, error) {
	if n := len(h.names); len(record) > n && allBlank(record[n:]) {
		record = record[:n]
	}
	if len(record) <= max(h.file, h.label) {
		return row{}, fmt.Errorf("%d: the line has %d of %d columns: put a name with a comma in quotes", line, len(record), max(h.file, h.label)+1)
	}
	found := row{record[h.file], strings.TrimSpace(record[h.label]), line, record}
	// A picture without a class is a mistake; a caption without text is left out later.
	if strings.TrimSpace(found.filename) == "" || found.label == "" && h.labels() {
		return row{}, fmt.Errorf("%d: the line has no file name or no %s", line, columnName(h.names[h.label]))
	}
	if len(record) != len(h.names) {
		return row{}, fmt.Errorf("%d: the line has %d columns, the header %d: put a name with a comma in quotes", line, len(record), len(h.names))
	}
	return found, nil
}

// openTable reads the header with the separator that gives both columns, or with commas
// if none does. A first line "sep=;", as understood by Excel, takes precedence.
func openTable(text []byte, values []string) (*csv.Reader, header, error) {
	candidates := separators
	if first, rest, _ := bytes.Cut(text, []byte("\n")); len(first) >= 5 && strings.EqualFold(string(first[:4]), "sep=") {
		if sep := strings.TrimRight(string(first[4:]), "\r"); len(sep) == 1 && strings.Contains(separators, sep) {
			candidates, text = sep, append([]byte("\n"), rest...) // an empty line keeps the line numbers right
		}
	}
	var table *csv.Reader
	var head header
	var failed error
	for i, separator := range candidates {
		t := csv.NewReader(bytes.NewReader(text))
		t.FieldsPerRecord, t.Comma = -1, separator
		names, err := t.Read()
		if err == io.EOF {
			return nil, head, fmt.Errorf("1: the file is empty: begin it with the line filename,%s", values[0])
		}
		h := newHeader(names, values)
		if both := err == nil && h.file >= 0 && h.label >= 0; both || i == 0 {
			table, head, failed = t, h, err
			if both {
				break
			}
		}
	}
	if failed != nil {
		return nil, head, csvError(failed)
	}
	line, _ := table.FieldPos(0)
	return table, head, head.check(line)
}

// lineEnds turns a lone "\r" outside quotes into a line end, because encoding/csv doesn't
// accept it.
func lineEnds(text []byte) []byte {
	if !bytes.Contains(text, []byte("\r")) {
		return text
	}
	out, quoted := slices.Clone(text), false
	for i, b := range out {
		switch {
		case b == '"':
			quoted = !quoted
		case b == '\r' && !quoted && (i+1 == len(out) || out[i+1] != '\n'):
			out[i] = '\n'
		}
	}
	return out
}

func allBlank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(s string) bool { return strings.TrimSpace(s) != "" })
}

// csvError puts the line number first.
func csvError(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return fmt.Errorf("%d: column %d: %w (a quote within quotes is written twice)", p.Line, p.Column, p.Err)
	}
	return fmt.Errorf(" %w", err)
}
