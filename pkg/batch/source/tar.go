package source

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"gaze/pkg/batch/store"
	"gaze/pkg/data"
)

// tar lists the pictures in a tar from its headers.
func (l *lister) tar(s named) error {
	f, err := open(l.ctx, s.at)
	if err != nil {
		return err
	}
	defer f.Close()
	want := s.choice
	if want == "" {
		want = l.Member
	}
	for m, err := range members(f, windowOf(s.at)) {
		if err != nil {
			return fmt.Errorf("%s: %w", l.from, err)
		}
		key, ok := memberKey(m.name, want)
		if !ok {
			continue
		}
		if err := l.add(Input{Key: key, File: s.at, Offset: m.offset, Size: m.size, Row: -1}); err != nil {
			return err
		}
	}
	return nil
}

// memberKey is the key of a tar's member, by WebDataset's rule: its path up to the first dot
// in its base name. ok tells whether the rest, the ending, is the wanted one, or that of a
// picture if none is wanted.
func memberKey(name, want string) (key string, ok bool) {
	name = strings.TrimPrefix(path.Clean(name), "/")
	dir, base := path.Split(name)
	stem, ending, found := strings.Cut(base, ".")
	if !found || stem == "" { // hidden files, as those that macOS adds
		return "", false
	}
	if want == "" {
		ok = !strings.Contains(ending, ".") && data.IsPictureName(base)
	} else {
		ok = strings.EqualFold(ending, strings.TrimPrefix(want, "."))
	}
	return dir + stem, ok
}

// member is a regular file in a tar.
type member struct {
	name         string
	offset, size int64
}

// members yields the regular files in a tar. It reads the headers and passes over the rest;
// window is how many bytes are read at once.
func members(f store.File, window int) func(yield func(member, error) bool) {
	return func(yield func(member, error) bool) {
		at := &position{f: f, window: make([]byte, 0, window)}
		in := tar.NewReader(at)
		last, end := "its beginning", int64(0)
		for {
			h, err := in.Next()
			if errors.Is(err, io.EOF) {
				err = at.checkEnd(end, last)
			} else if err != nil {
				err = at.explain(err, last)
			}
			if err != nil {
				yield(member{}, err)
			}
			if err != nil || h == nil {
				return
			}
			last, end = fmt.Sprintf("%q", h.Name), at.at
			if h.Typeflag != tar.TypeReg || sparse(h) {
				continue
			}
			end += h.Size
			if end > f.Size() {
				yield(member{}, fmt.Errorf("the tar is cut: %q ends at byte %d, and the file at %d: fetch it again", h.Name, end, f.Size()))
				return
			}
			if !yield(member{h.Name, at.at, h.Size}, nil) {
				return
			}
		}
	}
}

// block is the unit of tars, in bytes.
const block = 512

// checkEnd checks that a block of zeros ends the tar after its last member, which ends at
// end. Without it, a tar that is cut between two members would look like a whole one.
func (p *position) checkEnd(end int64, last string) error {
	if end = (end + block - 1) / block * block; p.f.Size() >= end+block {
		return nil
	}
	return fmt.Errorf("the tar has no end after %s, so it is cut: fetch it again; if nothing is missing, add 1024 zero bytes", last)
}

// sparse reports whether a member isn't stored as it is.
func sparse(h *tar.Header) bool {
	for name := range h.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// position reads a file in order, a window at a time, and knows where it is.
type position struct {
	f      store.File
	at     int64
	window []byte // bytes of the file from start on
	start  int64
}

func (p *position) Read(to []byte) (int, error) {
	if p.at >= p.f.Size() {
		return 0, io.EOF
	}
	if p.at < p.start || p.at >= p.start+int64(len(p.window)) {
		want := min(int64(cap(p.window)), p.f.Size()-p.at)
		n, err := p.f.ReadAt(p.window[:want], p.at)
		p.window, p.start = p.window[:n], p.at
		if n == 0 && err != nil {
			return 0, err
		}
	}
	n := copy(to, p.window[p.at-p.start:])
	p.at += int64(n)
	return n, nil
}

func (p *position) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.f.Size()
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	p.at = offset
	return offset, nil
}

// explain says what an error of the tar's reader means. last is the last whole header.
func (p *position) explain(err error, last string) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the tar is cut at byte %d, after %s: fetch it again", p.f.Size(), last)
	case errors.Is(err, tar.ErrHeader):
		if compressed(p.f) {
			return errors.New("the tar is compressed, so it can't be read in parts: unpack it, or pack it again as plain .tar")
		}
		return fmt.Errorf("at byte %d, after %s, there is no tar header: the file is damaged, or not a tar", p.at, last)
	}
	return fmt.Errorf("at byte %d, after %s: %w", p.at, last, err)
}

// compressed reports whether a file begins as gzip, zstd, bzip2 or xz do.
func compressed(f io.ReaderAt) bool {
	head := make([]byte, 6)
	f.ReadAt(head, 0)
	for _, mark := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ\x00"} {
		if bytes.HasPrefix(head, []byte(mark)) {
			return true
		}
	}
	return false
}

// Windows in which tars are read, in bytes. A request to a server takes as long as reading
// some hundred kB, a read from a disk doesn't.
const (
	localWindow  = 4 << 10
	remoteWindow = 256 << 10
)

func windowOf(at string) int {
	if store.IsURL(at) {
		return remoteWindow
	}
	return localWindow
}
