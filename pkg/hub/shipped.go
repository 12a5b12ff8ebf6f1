package hub

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"gaze/internal/atomicfile"
)

// shippedFiles holds the checkpoints shipped with the program, one folder each.
//
//go:embed shipped
var shippedFiles embed.FS

// shipped returns the catalogue entry of such a checkpoint.
func shipped(name, title, page string, files ...string) Checkpoint {
	c := Checkpoint{Name: name, Title: title, Host: Shipped, License: "Apache-2.0", Page: page}
	for _, file := range files {
		info, err := fs.Stat(shippedFiles, path.Join("shipped", name, file))
		if err != nil {
			panic(err) // the catalogue names a file that isn't embedded
		}
		c.Files = append(c.Files, File{Name: file, Size: info.Size()})
	}
	return c
}

// shippedRecord is the expected record of a shipped checkpoint, computed once.
var shippedRecord = func() func(c Checkpoint) Record {
	var mutex sync.Mutex
	done := map[string]Record{}
	return func(c Checkpoint) Record {
		mutex.Lock()
		defer mutex.Unlock()
		r, ok := done[c.Name]
		if !ok {
			r = Record{Name: c.Name, Source: Shipped.String(), License: c.License, Page: c.Page}
			for _, f := range c.Files {
				sum := sha256.Sum256(c.shippedFile(f))
				r.Files = append(r.Files, RecordFile{Name: f.Name, Size: f.Size, SHA256: hex.EncodeToString(sum[:])})
			}
			done[c.Name] = r
		}
		return r
	}
}()

func (c Checkpoint) shippedFile(f File) []byte {
	data, err := shippedFiles.ReadFile(path.Join("shipped", c.Name, f.Name))
	if err != nil {
		panic(err) // can't happen: shipped has found the file
	}
	return data
}

// unpack writes a shipped checkpoint into its cache folder, unless the same version is
// already there.
func (c Checkpoint) unpack(dir string) (Result, error) {
	want := shippedRecord(c)
	result := Result{Record: want, Dir: dir, Path: filepath.Join(dir, c.Files[0].Name)}
	if have, err := readRecord(dir); err == nil && slices.Equal(have.Files, want.Files) && have.check(dir, false) == nil {
		result.Cached = true
		return result, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Result{}, fmt.Errorf("hub: making the cache folder (GAZE_CACHE sets another): %w", err)
	}
	for _, f := range c.Files {
		if err := atomicfile.WriteBytes(filepath.Join(dir, f.Name), c.shippedFile(f)); err != nil {
			return Result{}, err
		}
	}
	return result, want.write(dir)
}
