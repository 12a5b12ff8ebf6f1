package execcache

import (
	"cmp"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gaze/internal/atomicfile"
	"gaze/internal/ownfile"
)

const (
	suffix     = ".xla"
	maxEntries = 4096             // of any size: the folder is listed at each write
	minAge     = 10 * time.Minute // of temporary files that are removed; younger ones may still be written
)

// Store is a folder of entries of bounded size; the least recently used are removed first.
// Several processes may use it at once: an entry is complete or absent, and processes that
// write the same entry write the same bytes.
type Store struct {
	Dir   string // created with the first entry
	Limit int64  // bytes of all entries together
}

func (s *Store) path(key Digest) string {
	return filepath.Join(s.Dir, hex.EncodeToString(key[:])+suffix)
}

// Get returns what was stored under the key for this plugin, and marks it as used. An entry that
// is damaged, belongs to another user or is for another plugin counts as absent; the next
// [Store.Put] replaces it.
func (s *Store) Get(key, plugin Digest) ([]byte, bool) {
	path := s.path(key)
	entry, err := ownfile.Read(path)
	if err != nil {
		return nil, false
	}
	payload, err := decode(entry, key, plugin)
	if err != nil {
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // if that fails, the entry is removed earlier
	return payload, true
}

// Put stores a payload and makes room for it. A payload larger than the limit isn't stored.
func (s *Store) Put(key, plugin Digest, payload []byte) error {
	if int64(headerSize)+int64(len(payload)) > s.Limit {
		return nil
	}
	// The folder holds machine code: no other user may write to it.
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	err := atomicfile.Write(s.path(key), func(w io.Writer) error {
		if _, err := w.Write(encode(key, plugin, payload)); err != nil {
			return err
		}
		_, err := w.Write(payload)
		return err
	})
	if err == nil {
		s.trim()
	}
	return err
}

// Usage counts the entries and their bytes.
func (s *Store) Usage() (entries int, bytes int64) {
	all := s.entries()
	for _, e := range all {
		bytes += e.size
	}
	return len(all), bytes
}

type entryFile struct {
	path string
	size int64
	used time.Time
}

// entries lists what is stored, least recently used first.
func (s *Store) entries() []entryFile {
	list, _ := os.ReadDir(s.Dir) // a missing folder has no entries
	var all []entryFile
	for _, e := range list {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || filepath.Ext(e.Name()) != suffix {
			continue
		}
		all = append(all, entryFile{filepath.Join(s.Dir, e.Name()), info.Size(), info.ModTime()})
	}
	slices.SortFunc(all, func(a, b entryFile) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path))
	})
	return all
}

// trim removes the least recently used entries until the rest fit the limit, and temporary files
// of processes that were killed.
func (s *Store) trim() {
	all := s.entries()
	var bytes int64
	for _, e := range all {
		bytes += e.size
	}
	for n := len(all); len(all) > 0 && (bytes > s.Limit || n > maxEntries); n-- {
		_ = os.Remove(all[0].path) // another process may have removed it already
		bytes -= all[0].size
		all = all[1:]
	}
	_ = atomicfile.SweepOlder(s.Dir, minAge) // one that can't be removed does no harm
}
