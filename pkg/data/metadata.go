package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/textfile"
)

// isMetadata reports whether a file's name is that of the table of an imagefolder of
// Hugging Face's datasets.
func isMetadata(name string) bool {
	return slices.Contains([]string{"metadata.csv", "metadata.jsonl"}, strings.ToLower(filepath.Base(name)))
}

// isTable reports whether a file's name is that of a table.
func isTable(name string) bool { return isCSV(name) || isJSONLines(name) }

func isJSONLines(name string) bool { return strings.EqualFold(filepath.Ext(name), ".jsonl") }

// readRows reads a table's rows with their labels. Errors begin with the file and the
// line.
func readRows(path string) ([]row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parse := parseCSV
	if isJSONLines(path) {
		parse = parseLabelLines
	}
	rows, err := parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return rows, nil
}

// parseLabelLines reads rows of JSON Lines: objects with file_name and label, a text or a
// number. Errors begin with the line number.
func parseLabelLines(r io.Reader) ([]row, error) {
	lines, err := parseLines(r)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(lines))
	without := 0
	for i, l := range lines {
		if rows[i].filename, err = l.text("filename"); err != nil {
			return nil, err
		}
		if rows[i].label, err = l.text("label"); err != nil {
			return nil, err
		}
		rows[i].line, rows[i].label = l.line, strings.TrimSpace(rows[i].label)
		if strings.TrimSpace(rows[i].filename) == "" {
			return nil, fmt.Errorf("%d: the line has no file_name", l.line)
		}
		if rows[i].label == "" {
			without++
		}
	}
	if without == len(rows) {
		return nil, fmt.Errorf("%d: %w: no line has a label", lines[0].line, errNoLabels)
	}
	for _, found := range rows {
		if found.label == "" {
			return nil, fmt.Errorf("%d: the line has no label, but others have", found.line)
		}
	}
	return rows, nil
}

// jsonLine is a line of JSON Lines: its values by the names of their columns.
type jsonLine struct {
	line   int
	values map[string]json.RawMessage
}

// parseLines reads JSON Lines: an object on each line. Blank lines are skipped. Errors
// begin with the line number.
func parseLines(r io.Reader) ([]jsonLine, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf(" %w", err)
	}
	text, err := textfile.Decode("", data)
	if e := (*textfile.Error)(nil); errors.As(err, &e) {
		return nil, fmt.Errorf("%d: %s", e.Line, e.Reason)
	}
	var lines []jsonLine
	number := 0
	for written := range bytes.SplitSeq(text, []byte("\n")) {
		number++
		if written = bytes.TrimSpace(written); len(written) == 0 {
			continue
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(written, &object); err != nil {
			if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
				err = fmt.Errorf("it is of the kind %s", kind.Value)
			}
			return nil, fmt.Errorf("%d: not a JSON object on one line: %w", number, err)
		}
		l := jsonLine{number, make(map[string]json.RawMessage, len(object))}
		for name, value := range object {
			column := columnName(name)
			if _, twice := l.values[column]; twice {
				return nil, fmt.Errorf("%d: the line has the column %s twice: leave one out", number, column)
			}
			l.values[column] = value
		}
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		return nil, errors.New("1: the file is empty: write an object with file_name on each line")
	}
	return lines, nil
}

// text is a column's value, a text or a number; "" if it is missing or null.
func (l jsonLine) text(column string) (string, error) {
	list, err := l.texts(column)
	if err == nil && len(list) > 1 {
		err = fmt.Errorf("%d: %s is a list: it must be a text or a number", l.line, column)
	}
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0], nil
}

// texts is a column's value, a text, a number, or a list of them; nil if it is missing or
// null.
func (l jsonLine) texts(column string) ([]string, error) {
	raw := l.values[column]
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	items := []json.RawMessage{raw}
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &items); err != nil {
			return nil, fmt.Errorf("%d: %s: %w", l.line, column, err)
		}
	}
	out := make([]string, len(items))
	for i, item := range items {
		switch first := item[0]; {
		case first == '"':
			if err := json.Unmarshal(item, &out[i]); err != nil {
				return nil, fmt.Errorf("%d: %s: %w", l.line, column, err)
			}
		case first == '-' || first >= '0' && first <= '9':
			out[i] = string(item)
		default:
			return nil, fmt.Errorf("%d: %s is %.20s: it must be a text or a number", l.line, column, item)
		}
	}
	return out, nil
}

// withoutUnlabelled returns a folder's listing without a metadata table that gives no
// classes, such as one of captions, if there are class folders or names that give them.
func (f *finder) withoutUnlabelled(l listing) listing {
	if len(l.tables) != 1 || !isMetadata(l.tables[0]) || len(l.folders) == 0 && !namesGiveClasses(l.pictures) {
		return l
	}
	if _, err := readRows(l.tables[0]); !errors.Is(err, errNoLabels) {
		return l
	}
	f.note("%s isn't used: it has no column label", l.tables[0])
	l.tables = nil
	return l
}

// wholeMetadata reads the metadata table beside the folders of the splits, which lists the
// pictures of all of them; nil if there is none, or if it gives no classes.
func (f *finder) wholeMetadata(dir string) ([]entry, error) {
	l, err := listFolders(dir)
	if err != nil {
		return nil, err
	}
	tables := slices.DeleteFunc(l.tables, func(path string) bool { return !isMetadata(path) })
	switch {
	case len(tables) == 0:
		return nil, nil
	case len(tables) > 1:
		return nil, fmt.Errorf("%s: it holds several tables (%s): keep one", dir, strings.Join(baseNames(tables), ", "))
	}
	entries, err := readCSV(tables[0])
	if errors.Is(err, errNoLabels) {
		f.note("%s isn't used: it has no column label", tables[0])
		return nil, nil
	}
	return entries, err
}

// inSplits checks that every picture of a table beside the splits is in one of them.
func inSplits(whole []entry, parts []string) error {
	for _, e := range whole {
		if !slices.ContainsFunc(parts, func(part string) bool {
			return part != "" && strings.HasPrefix(e.path, part+string(filepath.Separator))
		}) {
			return fmt.Errorf("%s: %s is in none of the folders of splits", e.where, e.path)
		}
	}
	return nil
}

// metadataSource reads the folder of a split whose pictures are listed in a table beside
// it.
func metadataSource(dir string, whole []entry) (source, error) {
	s := source{root: dir}
	listed := map[string]bool{}
	for _, e := range whole {
		if strings.HasPrefix(e.path, dir+string(filepath.Separator)) {
			s.entries = append(s.entries, e)
			listed[e.path] = true
		}
	}
	pictures, err := picturesBelow(dir)
	if err != nil {
		return source{}, err
	}
	for _, path := range pictures {
		if !listed[path] {
			err := fmt.Errorf("%s: it has no class, because the metadata in %s doesn't list it: add a line, or move it elsewhere", path, filepath.Dir(dir))
			if len(listed) == 0 {
				return source{}, unlabelled{err}
			}
			return source{}, err
		}
	}
	if len(pictures) == 0 {
		return source{}, fmt.Errorf("%s: the folder has no pictures", dir)
	}
	return s, nil
}
