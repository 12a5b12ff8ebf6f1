package execcache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var (
	key    = Sum([]byte("program"))
	plugin = Sum([]byte("plugin"))
)

func newStore(t *testing.T, limit int64) *Store {
	t.Helper()
	return &Store{Dir: filepath.Join(t.TempDir(), "compiled"), Limit: limit}
}

func put(t *testing.T, s *Store, key Digest, payload []byte) {
	t.Helper()
	if err := s.Put(key, plugin, payload); err != nil {
		t.Fatal(err)
	}
}

func TestSumKeepsPiecesApart(t *testing.T) {
	if Sum([]byte("ab"), []byte("c")) == Sum([]byte("a"), []byte("bc")) {
		t.Error("different lists of pieces have the same digest")
	}
}

func TestStoredIsFound(t *testing.T) {
	s := newStore(t, 1<<20)
	if _, ok := s.Get(key, plugin); ok {
		t.Error("found in an empty folder")
	}
	put(t, s, key, []byte("code"))
	if got, ok := s.Get(key, plugin); !ok || string(got) != "code" {
		t.Errorf("got %q, %v", got, ok)
	}
	if info, err := os.Stat(s.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a folder of machine code with the mode %v, %v", info.Mode(), err)
	}
}

// TestDamage flips a bit in every byte of an entry, and cuts it there: neither may be accepted.
func TestDamage(t *testing.T) {
	s := newStore(t, 1<<20)
	put(t, s, key, []byte("some code"))
	whole, err := os.ReadFile(s.path(key))
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, entry []byte) {
		t.Helper()
		if err := os.WriteFile(s.path(key), entry, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Get(key, plugin); ok {
			t.Errorf("%s was accepted as %q", what, got)
		}
	}
	for i := range whole {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x10
		try(fmt.Sprintf("a flipped bit in byte %d", i), flipped)
		try(fmt.Sprintf("an entry cut to %d bytes", i), whole[:i])
	}
	try("an entry with a byte appended", append(bytes.Clone(whole), 0))
	put(t, s, key, []byte("some code"))
	if _, ok := s.Get(key, plugin); !ok {
		t.Error("a damaged entry wasn't replaced")
	}
}

func TestOtherKeyOrPlugin(t *testing.T) {
	s := newStore(t, 1<<20)
	put(t, s, key, []byte("code"))
	if _, ok := s.Get(key, Sum([]byte("another plugin"))); ok {
		t.Error("another plugin's program was given")
	}
	other := Sum([]byte("another program"))
	if err := os.Rename(s.path(key), s.path(other)); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Get(other, plugin); ok {
		t.Error("a program was given under another's name")
	}
	if err := os.Mkdir(s.path(key), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Get(key, plugin); ok {
		t.Error("a folder was given as a program")
	}
}

// TestAnotherUsersFile can only run as root.
func TestAnotherUsersFile(t *testing.T) {
	s := newStore(t, 1<<20)
	put(t, s, key, []byte("code"))
	if err := os.Chown(s.path(key), 12345, -1); err != nil {
		t.Skip(err)
	}
	if _, ok := s.Get(key, plugin); ok {
		t.Error("another user's code was given")
	}
}

// TestBound checks that the least recently used entries are removed, and no more than necessary.
func TestBound(t *testing.T) {
	payload := make([]byte, 1000)
	size := int64(headerSize + len(payload))
	s := newStore(t, 3*size)
	var keys []Digest
	for i := range 3 {
		k := Sum([]byte{byte(i)})
		keys = append(keys, k)
		put(t, s, k, payload)
		at := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(s.path(k), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := s.Get(keys[0], plugin); !ok { // the oldest is used again
		t.Fatal("lost")
	}
	put(t, s, key, payload)
	for i, want := range []bool{true, false, true} {
		if _, ok := s.Get(keys[i], plugin); ok != want {
			t.Errorf("entry %d: there %v, want %v", i, ok, want)
		}
	}
	if n, b := s.Usage(); n != 3 || b != 3*size {
		t.Errorf("%d entries of %d bytes", n, b)
	}
	big := Sum([]byte("big"))
	put(t, s, big, make([]byte, 3*size))
	if n, _ := s.Usage(); n != 3 {
		t.Errorf("%d entries after one that is too large", n)
	}
}

func TestTemporaryFilesAreRemoved(t *testing.T) {
	s := newStore(t, 1<<20)
	put(t, s, key, []byte("code"))
	old, fresh := filepath.Join(s.Dir, ".gaze-1.tmp"), filepath.Join(s.Dir, ".gaze-2.tmp")
	for _, path := range []string{old, fresh} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, at, at); err != nil {
		t.Fatal(err)
	}
	put(t, s, key, []byte("code"))
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("an old temporary file is still there: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("a recent temporary file is gone: %v", err)
	}
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := &Store{Dir: filepath.Join(file, "compiled"), Limit: 1 << 20}
	if err := s.Put(key, plugin, []byte("code")); err == nil {
		t.Error("stored below a file")
	}
	if _, ok := s.Get(key, plugin); ok {
		t.Error("found below a file")
	}
	if n, b := s.Usage(); n != 0 || b != 0 {
		t.Errorf("%d entries of %d bytes below a file", n, b)
	}
}

// TestConcurrency has several writers and readers of one key, and more entries than fit the limit.
func TestConcurrency(t *testing.T) {
	payload := bytes.Repeat([]byte("code"), 5000)
	s := newStore(t, int64(4*len(payload)))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 10 {
				if err := s.Put(key, plugin, payload); err != nil {
					t.Error(err)
				}
				if err := s.Put(Sum([]byte{byte(i), byte(j)}), plugin, payload); err != nil {
					t.Error(err)
				}
				if got, ok := s.Get(key, plugin); ok && !bytes.Equal(got, payload) {
					t.Error("read other bytes than were written")
				}
			}
		})
	}
	all.Wait()
	if _, b := s.Usage(); b > s.Limit {
		t.Errorf("%d bytes, at most %d wanted", b, s.Limit)
	}
}

func FuzzDecode(f *testing.F) {
	whole := append(encode(key, plugin, []byte("code")), "code"...)
	f.Add(whole)
	f.Add(whole[:headerSize])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, entry []byte) {
		payload, err := decode(entry, key, plugin)
		if err == nil && !bytes.Equal(entry, append(encode(key, plugin, payload), payload...)) {
			t.Error("an entry that encode wouldn't write was accepted")
		}
	})
}
