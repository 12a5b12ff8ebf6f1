package source

import (
	"bytes"
	"os"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// memoryFile is a file in memory.
type memoryFile struct{ *bytes.Reader }

func (memoryFile) Close() error { return nil }

func FuzzTar(f *testing.F) {
	whole, err := os.ReadFile("testdata/photos-000000.tar")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:3000])
	f.Add([]byte("\x1f\x8b no tar"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := memoryFile{bytes.NewReader(content)}
		for m, err := range members(file, 600) {
			if err == nil && (m.offset < block || m.size < 0 || m.offset+m.size > file.Size()) {
				t.Errorf("%+v isn't in a file of %d bytes", m, file.Size())
			}
		}
	})
}

// FuzzColumn chooses columns of damaged files.
func FuzzColumn(f *testing.F) {
	for _, name := range []string{"hf.parquet", "plain.parquet", "old.parquet"} {
		whole, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(whole, "")
		f.Add(whole, "image")
		f.Add(whole, "image.path")
	}
	f.Fuzz(func(t *testing.T, content []byte, want string) {
		guard(func() error {
			file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)), parquet.SkipBloomFilters(true))
			if err != nil {
				return err
			}
			column, err := chooseColumn(file.Root(), want)
			if err == nil && (!isBytes(column.Column) || column.MaxRepetitionLevel() > 0) {
				t.Errorf("chose %s", column.name())
			}
			return nil
		})
	})
}
