package source

import (
	"bytes"
	"os"
	"testing"
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
			file, err := parseParquet(memoryFile{bytes.NewReader(content)}, localWindow)
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

func TestFooterClaims(t *testing.T) {
	whole, err := os.ReadFile("testdata/hf.parquet")
	if err != nil {
		t.Fatal(err)
	}
	footer := whole[len(whole)-parquetTail-int(whole[len(whole)-8])-int(whole[len(whole)-7])<<8 : len(whole)-parquetTail]
	if err := checkThrift(footer); err != nil {
		t.Fatal(err)
	}
	for cut := range len(footer) {
		if checkThrift(footer[:cut]) == nil {
			t.Fatalf("a footer cut at %d of %d is whole", cut, len(footer))
		}
	}
	for name, claim := range map[string]string{
		"list":   "\x19\xfc\xff\xff\xff\xff\x07\x00\x00",
		"binary": "\x18\xff\xff\xff\xff\x07\x00",
		"map":    "\x1b\xff\xff\xff\xff\x07\x88\x00",
		"deep":   string(bytes.Repeat([]byte{0x1c}, 100)) + string(make([]byte, 100)),
		"type":   "\x1f\x00",
		"number": "\x16\xff",
	} {
		if err := checkThrift([]byte(claim)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
