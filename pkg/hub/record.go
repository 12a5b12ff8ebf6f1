package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gaze/internal/atomicfile"
)

// RecordName is the file that records, in each cache folder, what was fetched into it.
const RecordName = "gaze.lock.json"

// Record describes the files of a checkpoint and their source. It is written beside
// them once all are complete. For files without a checksum in the catalogue it holds
// the checksum of the first download.
type Record struct {
	Name    string       `json:"name"`
	Source  string       `json:"source"`  // description of the source
	License string       `json:"license"` // licence of the fetched files
	Page    string       `json:"page"`
	Notes   string       `json:"notes,omitempty"`
	Files   []RecordFile `json:"files"`
}

// RecordFile describes a file at the time it was fetched or made.
type RecordFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	URL    string `json:"url,omitempty"` // without login
}

// parseRecord parses a record and refuses one that names files outside its folder.
func parseRecord(data []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, err
	}
	if r.Name == "" || len(r.Files) == 0 {
		return Record{}, errors.New("not a record of a download")
	}
	for _, f := range r.Files {
		if !filepath.IsLocal(f.Name) || f.Name != filepath.Base(f.Name) || f.Size < 0 || !isHex(f.SHA256, 64) {
			return Record{}, fmt.Errorf("the entry for %q is invalid", f.Name)
		}
	}
	return r, nil
}

func readRecord(dir string) (Record, error) {
	data, err := os.ReadFile(filepath.Join(dir, RecordName))
	if err != nil {
		return Record{}, err
	}
	r, err := parseRecord(data)
	if err != nil {
		return Record{}, fmt.Errorf("hub: %s: %w", filepath.Join(dir, RecordName), err)
	}
	return r, nil
}

func (r Record) write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, RecordName), append(data, '\n'))
}

func (r Record) has(name string) bool {
	for _, f := range r.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// check compares the files in dir with the record: their sizes and, if full, also their
// SHA-256.
func (r Record) check(dir string, full bool) error {
	for _, f := range r.Files {
		path := filepath.Join(dir, f.Name)
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() != f.Size {
			return fmt.Errorf("hub: %s has %d bytes, but had %d when it was fetched", path, info.Size(), f.Size)
		}
		if !full {
			continue
		}
		got, err := fileSHA256(path)
		if err != nil {
			return err
		}
		if got != f.SHA256 {
			return fmt.Errorf("hub: %s has changed since it was fetched: SHA-256 %s, was %s", path, got, f.SHA256)
		}
	}
	return nil
}

// CheckFetched compares a checkpoint in the cache with the SHA-256 recorded when it was
// fetched; path is the file returned by [Pull] or [Resolve]. For a file without a
// record of a download it returns false and no error.
func CheckFetched(path string) (bool, error) {
	dir := filepath.Dir(path)
	r, err := readRecord(dir)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !r.has(filepath.Base(path)) {
		return false, nil
	}
	return true, r.check(dir, true)
}
