package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gaze/internal/textfile"
	"gaze/pkg/transform"
)

// indexColumns are the columns of index.csv, in the order in which they are written.
var indexColumns = []string{"file", "split", "cls", "id", "oxford", "breed", "species", "width", "height", "xmin", "ymin", "xmax", "ymax", "mask"}

// optionalColumns are those that may be missing.
var optionalColumns = []string{"id", "oxford", "breed", "species", "mask"}

// maxSide is the largest width or height of an original.
const maxSide = 1 << 16

// indexRow is a line of index.csv.
type indexRow struct {
	*Known
	file string
	line int
}

// indexReader reads cells of a line by their columns' names.
type indexReader struct {
	columns map[string]int
	cells   []string
}

// parseIndex reads the lines of an index.csv. Errors begin with the line number.
func parseIndex(content []byte) ([]indexRow, error) {
	text, err := textfile.Decode("", content)
	if e := (*textfile.Error)(nil); errors.As(err, &e) {
		return nil, fmt.Errorf("%d: %s", e.Line, e.Reason)
	} else if err != nil {
		return nil, fmt.Errorf("1: %w", err)
	}
	table := csv.NewReader(bytes.NewReader(text))
	table.FieldsPerRecord = -1
	names, err := table.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("1: the file is empty: begin it with the line %s", strings.Join(indexColumns, ","))
	} else if err != nil {
		return nil, csvError(err)
	}
	r := &indexReader{}
	if r.columns, err = indexHeader(names); err != nil {
		return nil, fmt.Errorf("1: %w", err)
	}
	var rows []indexRow
	for {
		cells, err := table.Read()
		if err == io.EOF {
			return rows, nil
		} else if err != nil {
			return nil, csvError(err)
		}
		line, _ := table.FieldPos(0)
		if allBlank(cells) {
			continue
		}
		if len(cells) != len(names) {
			return nil, fmt.Errorf("%d: the line has %d columns, the header %d", line, len(cells), len(names))
		}
		r.cells = cells
		row, err := r.row()
		if err != nil {
			return nil, fmt.Errorf("%d: %w", line, err)
		}
		row.line = line
		rows = append(rows, row)
	}
}

// indexHeader finds the columns.
func indexHeader(names []string) (map[string]int, error) {
	columns := map[string]int{}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := columns[name]; twice && slices.Contains(indexColumns, name) {
			return nil, fmt.Errorf("the header names the column %s twice", name)
		}
		columns[name] = i
	}
	for _, name := range indexColumns {
		if _, ok := columns[name]; !ok && !slices.Contains(optionalColumns, name) {
			return nil, fmt.Errorf("the header has no column %s: it should be %s", name, strings.Join(indexColumns, ","))
		}
	}
	return columns, nil
}

// cell is a column's text, "" for a column that is missing.
func (r *indexReader) cell(column string) string {
	if i, ok := r.columns[column]; ok {
		return strings.TrimSpace(r.cells[i])
	}
	return ""
}

// row reads a line below the header.
func (r *indexReader) row() (indexRow, error) {
	k := &Known{Split: r.cell("split"), Breed: r.cell("breed"), Species: r.cell("species")}
	row := indexRow{Known: k, file: r.cell("file")}
	for _, column := range []string{"file", "split"} {
		name := r.cell(column)
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
			return row, fmt.Errorf("%s is %q: a name without folders was expected", column, name)
		}
	}
	k.Name = strings.TrimSuffix(row.file, filepath.Ext(row.file))
	var err error
	if k.Class, err = parseNumber(r.cell("cls")); err != nil || k.Class >= maxClasses {
		return row, fmt.Errorf("cls is %q: a class's number from 0 was expected", r.cell("cls"))
	}
	if k.Width, k.Height, err = r.size(); err != nil {
		return row, err
	}
	k.Head, err = r.box(k)
	return row, err
}

// size reads the original's size; 0 if it isn't known.
func (r *indexReader) size() (width, height int, err error) {
	w, h := r.cell("width"), r.cell("height")
	if w == "" && h == "" {
		return 0, 0, nil
	}
	width, errW := parseNumber(w)
	height, errH := parseNumber(h)
	if errW != nil || errH != nil || width < 1 || height < 1 || width > maxSide || height > maxSide {
		return 0, 0, fmt.Errorf("the size is %q x %q: two numbers of pixels from 1 to %d, or nothing, were expected", w, h, maxSide)
	}
	return width, height, nil
}

// box reads the head's box; nil if all its cells are empty.
func (r *indexReader) box(k *Known) (*transform.Region, error) {
	var v [4]float64
	empty := 0
	for i, column := range []string{"xmin", "ymin", "xmax", "ymax"} {
		text := r.cell(column)
		if text == "" {
			empty++
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0 && n <= maxSide) {
			return nil, fmt.Errorf("%s is %q: a number of pixels was expected", column, text)
		}
		v[i] = n
	}
	switch {
	case empty == 4:
		return nil, nil
	case empty > 0:
		return nil, errors.New("the head's box has empty cells: give all of xmin, ymin, xmax, ymax, or none")
	case v[0] >= v[2] || v[1] >= v[3]:
		return nil, fmt.Errorf("the head's box is empty: x from %g to %g, y from %g to %g", v[0], v[2], v[1], v[3])
	case k.Width == 0:
		return nil, errors.New("the head's box needs the original's width and height")
	case v[2] > float64(k.Width) || v[3] > float64(k.Height):
		return nil, fmt.Errorf("the head's box reaches to %g, %g, outside the original of %dx%d", v[2], v[3], k.Width, k.Height)
	}
	return &transform.Region{X0: v[0], Y0: v[1], X1: v[2], Y1: v[3]}, nil
}
