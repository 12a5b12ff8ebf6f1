package batch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// groupRows is how many rows are in a row group.
const groupRows = 4096

// Metadata of a part, beside its rows.
const (
	jobKey   = "gaze.job"   // the job's ID
	shardKey = "gaze.shard" // the shard's number
)

// partWriter makes a part in memory. Its bytes depend on nothing but the rows, the job and
// the shard: no time, no version.
type partWriter struct {
	columns []column
	buf     bytes.Buffer
	w       *parquet.GenericWriter[any]
	row     parquet.Row
	rows    int
	bad     int
}

func newPartWriter(j *Job, shard int) *partWriter {
	p := &partWriter{columns: columnsOf(j.Spec)}
	p.w = parquet.NewGenericWriter[any](&p.buf, schema(p.columns),
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault, Concurrency: 1}),
		parquet.MaxRowsPerRowGroup(groupRows),
		parquet.CreatedBy("gaze", strconv.Itoa(format), "0"),
		parquet.KeyValueMetadata(jobKey, j.ID),
		parquet.KeyValueMetadata(shardKey, strconv.Itoa(shard)),
	)
	return p
}

// add adds the next row.
func (p *partWriter) add(r *Row) error {
	p.row = appendRow(p.row[:0], p.columns, r)
	if _, err := p.w.WriteRows([]parquet.Row{p.row}); err != nil {
		return fmt.Errorf("making a row of %s: %w", r.Key, err)
	}
	p.rows++
	if r.Err != "" {
		p.bad++
	}
	return nil
}

// finish returns the part's bytes.
func (p *partWriter) finish() ([]byte, error) {
	if err := p.w.Close(); err != nil {
		return nil, err
	}
	return p.buf.Bytes(), nil
}

// scanned is what a part says of itself and of its rows.
type scanned struct {
	job, shard string
	keys       []string
	bad        int
}

// scanPart reads the keys and errors of a part.
func scanPart(data []byte) (s scanned, err error) {
	defer func() {
		if r := recover(); r != nil { // damaged files can make the reader panic
			err = fmt.Errorf("it is damaged (%v)", r)
		}
	}()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return s, fmt.Errorf("it can't be read as Parquet: %w", err)
	}
	s.job, _ = f.Lookup(jobKey)
	s.shard, _ = f.Lookup(shardKey)
	err = eachValue(f, "key", func(v parquet.Value) { s.keys = append(s.keys, string(v.ByteArray())) })
	if err != nil {
		return s, err
	}
	return s, eachValue(f, "error", func(v parquet.Value) {
		if !v.IsNull() {
			s.bad++
		}
	})
}

// eachValue calls use with each value of a column.
func eachValue(f *parquet.File, name string, use func(parquet.Value)) error {
	leaf, ok := f.Schema().Lookup(name)
	if !ok {
		return fmt.Errorf("it has no column %s", name)
	}
	values := make([]parquet.Value, 256)
	for _, group := range f.RowGroups() {
		pages := group.ColumnChunks()[leaf.ColumnIndex].Pages()
		for {
			page, err := pages.ReadPage()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return errors.Join(err, pages.Close())
			}
			r := page.Values()
			for {
				n, err := r.ReadValues(values)
				for _, v := range values[:n] {
					use(v)
				}
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					return errors.Join(err, pages.Close())
				}
			}
			parquet.Release(page)
		}
		if err := pages.Close(); err != nil {
			return err
		}
	}
	return nil
}
