package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// parquetReader reads single values of a Parquet file. Rows are mostly read in their order,
// but by several goroutines, so that each may come somewhat late: the last pages are kept.
type parquetReader struct {
	f  *parquetFile
	mu sync.Mutex
	// groups are the numbers of the first rows of the row groups, and after them that of all.
	groups  []int64
	columns map[string]*columnReader
}

func newParquetReader(ctx context.Context, at string) (*parquetReader, error) {
	f, err := openParquet(ctx, at)
	if err != nil {
		return nil, err
	}
	r := &parquetReader{f: f, groups: []int64{0}, columns: map[string]*columnReader{}}
	for _, g := range f.RowGroups() {
		r.groups = append(r.groups, r.groups[len(r.groups)-1]+g.NumRows())
	}
	return r, nil
}

func (r *parquetReader) close() error {
	for _, c := range r.columns {
		c.rewind()
	}
	return r.f.Close()
}

// read returns the bytes in a row of a column.
func (r *parquetReader) read(name string, row int64) (value []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.column(name)
	if err != nil {
		return nil, err
	}
	rows := r.groups[len(r.groups)-1]
	if row < 0 || row >= rows {
		return nil, fmt.Errorf("the file has %d rows: it isn't the one that was listed", rows)
	}
	err = guard(func() error {
		value, err = c.value(row)
		return err
	})
	if err != nil {
		c.rewind() // what it read may be half a page
	}
	return value, err
}

// column opens a column.
func (r *parquetReader) column(name string) (*columnReader, error) {
	if c, ok := r.columns[name]; ok {
		return c, nil
	}
	column, err := chooseColumn(r.f.Root(), name)
	if err != nil {
		return nil, err
	}
	c := &columnReader{file: r, column: column, group: -1}
	r.columns[name] = c
	return c, nil
}

// columnReader reads a column's pages in order.
type columnReader struct {
	file   *parquetReader
	column pictureColumn
	group  int // the row group that pages belongs to, -1 if none
	pages  parquet.Pages
	next   int64   // the row with which the next page begins
	kept   []*page // the last pages, the newest last
}

// page is a page with its values, which share its memory.
type page struct {
	parquet.Page
	first  int64 // its first row
	values []parquet.Value
}

// keptPages is how many pages of a column are kept.
const keptPages = 2

// value returns a copy of the bytes in a row.
func (c *columnReader) value(row int64) ([]byte, error) {
	p, err := c.page(row)
	if err != nil {
		return nil, err
	}
	v := p.values[row-p.first]
	if v.IsNull() {
		return nil, c.missing()
	}
	return slices.Clone(v.ByteArray()), nil
}

// missing is the error for a row without bytes.
func (c *columnReader) missing() error {
	if c.column.path != nil {
		return fmt.Errorf("the column %s is null: the picture isn't in the file, perhaps only its path; write the data set with the pictures embedded", c.column.name())
	}
	return fmt.Errorf("the column %s is null", c.column.name())
}

// page returns the page with a row.
func (c *columnReader) page(row int64) (*page, error) {
	for _, p := range c.kept {
		if row >= p.first && row < p.first+int64(len(p.values)) {
			return p, nil
		}
	}
	if err := c.seek(row); err != nil {
		return nil, err
	}
	for {
		p, err := c.readPage()
		if err != nil {
			return nil, err
		}
		if row < p.first+int64(len(p.values)) {
			return p, nil
		}
	}
}

// seek goes to the page with a row, or to one before.
func (c *columnReader) seek(row int64) error {
	group, found := slices.BinarySearch(c.file.groups, row)
	if !found {
		group--
	}
	for c.file.groups[group+1] == row { // groups without rows
		group++
	}
	if group == c.group && row >= c.next && row-c.next < near {
		return nil
	}
	first := c.file.groups[group]
	if group != c.group || row < c.next {
		if c.pages != nil {
			c.pages.Close()
		}
		chunk := c.file.f.RowGroups()[group].ColumnChunks()[c.column.Index()]
		if err := c.index(group, chunk); err != nil {
			return err
		}
		c.pages = chunk.Pages()
		c.group, c.next = group, first
	}
	if row == c.next {
		return nil
	}
	if err := c.pages.SeekToRow(row - first); err != nil {
		return err
	}
	c.next = row
	return nil
}

// index reads where the pages of a chunk begin, if the file says it. Otherwise all pages up to
// the wanted one are read.
func (c *columnReader) index(group int, chunk parquet.ColumnChunk) error {
	at := c.file.f.Metadata().RowGroups[group].Columns[c.column.Index()]
	size := int64(at.OffsetIndexLength)
	if at.OffsetIndexOffset <= 0 || size <= 0 {
		return nil
	}
	if size > maxFooter || at.OffsetIndexOffset > c.file.f.Size()-size {
		return errors.New("the file is damaged: its page index isn't in it")
	}
	data := make([]byte, size)
	if n, err := c.file.f.ReadAt(data, at.OffsetIndexOffset); n < len(data) {
		return err
	}
	if err := checkThrift(data); err != nil {
		return fmt.Errorf("the file's page index is damaged: %w", err)
	}
	_, err := chunk.OffsetIndex() // keeps it
	return err
}

// near is the number of rows that are read over rather than sought.
const near = 16

// readPage reads the next page and forgets the oldest.
func (c *columnReader) readPage() (*page, error) {
	read, err := c.pages.ReadPage()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is damaged: the column has fewer rows than its row group")
	}
	if err != nil {
		return nil, fmt.Errorf("the file is damaged, or wasn't read whole: %w", err)
	}
	p := &page{Page: read, first: c.next, values: make([]parquet.Value, read.NumValues())}
	n, err := read.Values().ReadValues(p.values)
	if err != nil && !errors.Is(err, io.EOF) || n < len(p.values) {
		parquet.Release(read)
		return nil, fmt.Errorf("the file is damaged: a page has %d of %d values", n, len(p.values))
	}
	c.next += int64(n)
	for len(c.kept) >= keptPages {
		parquet.Release(c.kept[0].Page)
		c.kept = slices.Delete(c.kept, 0, 1)
	}
	c.kept = append(c.kept, p)
	return p, nil
}

// rewind forgets everything that was read.
func (c *columnReader) rewind() {
	for _, p := range c.kept {
		parquet.Release(p.Page)
	}
	c.kept = nil
	if c.pages != nil {
		c.pages.Close()
	}
	c.pages, c.group = nil, -1
}
