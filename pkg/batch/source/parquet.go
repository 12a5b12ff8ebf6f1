package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"gaze/pkg/batch/store"
)

// parquet lists the rows of a Parquet file from its footer.
func (l *lister) parquet(s named) error {
	f, err := openParquet(l.ctx, s.at)
	if err != nil {
		return err
	}
	defer f.Close()
	want := s.choice
	if want == "" {
		want = l.Column
	}
	column, err := chooseColumn(f.Root(), want)
	if err != nil {
		return fmt.Errorf("%s: %w", l.from, err)
	}
	name := label(s.at)
	for row := range f.NumRows() {
		in := Input{Key: fmt.Sprintf("%s/%d", name, row), File: s.at, Size: -1, Row: row, Column: column.name()}
		if l.Qualify {
			in.Key = fmt.Sprint(row) // the name is there already
		}
		if err := l.add(in); err != nil {
			return err
		}
	}
	return nil
}

// parquetFile is an open Parquet file.
type parquetFile struct {
	*parquet.File
	file store.File
}

func (f *parquetFile) Close() error { return f.file.Close() }

// openParquet opens a Parquet file. Its errors name it.
func openParquet(ctx context.Context, at string) (*parquetFile, error) {
	file, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	opened := &parquetFile{file: file}
	err = guard(func() (err error) {
		opened.File, err = parseParquet(file, windowOf(at))
		return err
	})
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: this isn't a whole Parquet file: %w", store.Redact(at), err)
	}
	return opened, nil
}

// parseParquet reads the footer of a Parquet file. window is how many bytes of pages are read
// at once. The page index is left until it is needed ([columnReader.index]).
func parseParquet(file store.File, window int) (*parquet.File, error) {
	f, err := readFooter(file)
	if err != nil {
		return nil, err
	}
	return parquet.OpenFile(f, f.Size(), parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true), parquet.ReadBufferSize(window))
}

// guard turns panics of the Parquet package, which doesn't expect damaged files everywhere,
// into errors.
func guard(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the file is damaged (%v)", r)
		}
	}()
	return do()
}

// pictureColumn is a column of pictures' bytes.
type pictureColumn struct {
	*parquet.Column
	path *parquet.Column // beside it, in a struct as Hugging Face writes it; or nil
}

// name is the column's name with dots between that of the struct and its own.
func (c pictureColumn) name() string { return strings.Join(c.Path(), ".") }

// usualColumns are the names of plain columns with pictures.
var usualColumns = []string{"image", "img", "picture", "photo", "jpg", "jpeg", "png", "webp", "bytes", "image_bytes", "content", "data"}

// chooseColumn finds the column with pictures: the wanted one; or the only struct with bytes
// and path as Hugging Face writes pictures, or the one of them that is called image; or the
// only column of bytes that isn't text, or the first of them with a usual name.
func chooseColumn(root *parquet.Column, want string) (pictureColumn, error) {
	if want != "" {
		return wantedColumn(root, want)
	}
	var structs, plain []pictureColumn
	for _, c := range root.Columns() {
		if p, ok := pictureStruct(c); ok {
			structs = append(structs, p)
		} else if isBytes(c) && !isText(c) {
			plain = append(plain, pictureColumn{Column: c})
		}
	}
	for _, found := range [][]pictureColumn{structs, plain} {
		if len(found) == 1 {
			return found[0], nil
		}
		for _, name := range usualColumns {
			if i := slices.IndexFunc(found, func(c pictureColumn) bool { return strings.EqualFold(c.Path()[0], name) }); i >= 0 {
				return found[i], nil
			}
		}
		if len(found) > 1 {
			return pictureColumn{}, fmt.Errorf("several columns can hold pictures: say which, as in photos.parquet#%s; %s", found[0].Path()[0], describe(root))
		}
	}
	return pictureColumn{}, fmt.Errorf("no column holds pictures' bytes (a struct of bytes and path, or bytes); %s", describe(root))
}

// wantedColumn finds a column by its name.
func wantedColumn(root *parquet.Column, want string) (pictureColumn, error) {
	c := root.Column(want)
	if c == nil { // a name in a struct, with a dot
		if outer, inner, ok := strings.Cut(want, "."); ok && root.Column(outer) != nil {
			c = root.Column(outer).Column(inner)
		}
	}
	if c == nil {
		return pictureColumn{}, fmt.Errorf("there is no column %q; %s", want, describe(root))
	}
	if p, ok := pictureStruct(c); ok {
		return p, nil
	}
	if !isBytes(c) {
		return pictureColumn{}, fmt.Errorf("the column %q doesn't hold bytes, nor a struct with bytes; %s", want, describe(root))
	}
	if c.MaxRepetitionLevel() > 0 {
		return pictureColumn{}, fmt.Errorf("the column %q holds lists of pictures: write one picture in a row", want)
	}
	return pictureColumn{Column: c, path: sibling(root, c)}, nil
}

// sibling is the column path beside a column bytes in a struct, nil if there is none.
func sibling(root, c *parquet.Column) *parquet.Column {
	if path := c.Path(); len(path) == 2 && path[1] == bytesName {
		return root.Column(path[0]).Column(pathName)
	}
	return nil
}

// Names in the structs in which Hugging Face's datasets keep pictures.
const (
	bytesName = "bytes"
	pathName  = "path"
)

// pictureStruct recognises a struct of bytes and perhaps path.
func pictureStruct(c *parquet.Column) (pictureColumn, bool) {
	if c.Leaf() || c.MaxRepetitionLevel() > 0 {
		return pictureColumn{}, false
	}
	inside := c.Column(bytesName)
	if inside == nil || !isBytes(inside) || inside.MaxRepetitionLevel() > 0 {
		return pictureColumn{}, false
	}
	p := pictureColumn{Column: inside}
	if path := c.Column(pathName); path != nil && path.Leaf() && isBytes(path) {
		p.path = path
	}
	return p, true
}

func isBytes(c *parquet.Column) bool {
	return c.Leaf() && (c.Type().Kind() == parquet.ByteArray || c.Type().Kind() == parquet.FixedLenByteArray)
}

// isText reports whether a column of bytes is declared to be something else than bytes.
func isText(c *parquet.Column) bool {
	return c.Type().LogicalType() != nil || c.Type().ConvertedType() != nil
}

// describe lists the columns for a message.
func describe(root *parquet.Column) string {
	var names []string
	for _, c := range root.Columns() {
		names = append(names, c.Name())
	}
	if len(names) == 0 {
		return "it has no columns"
	}
	return "its columns are " + quoted(names)
}
