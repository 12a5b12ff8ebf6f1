package execcache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/internal/ownfile"
)

// Identity is the digest of a library's file. Reading hundreds of megabytes at each start would
// take longer than compiling most programs, so the digest is noted in dir together with the
// file's size, times and inode, and computed again when one of those has changed. If dir can't be
// written, the file is read each time.
func Identity(dir, library string) (Digest, error) {
	mark, err := fileMark(library)
	if err != nil {
		return Digest{}, err
	}
	name := Sum([]byte(library))
	note := filepath.Join(dir, hex.EncodeToString(name[:8])+".id")
	if text, err := ownfile.Read(note); err == nil {
		if d, ok := parseNote(string(text), mark); ok {
			return d, nil
		}
	}
	d, err := digestFile(library)
	if err != nil {
		return Digest{}, err
	}
	if again, err := fileMark(library); err != nil || again != mark {
		return Digest{}, fmt.Errorf("%s changed while it was read", library)
	}
	if os.MkdirAll(dir, 0o700) == nil {
		_ = atomicfile.WriteBytes(note, fmt.Appendf(nil, "%s\n%s\n", mark, hex.EncodeToString(d[:])))
	}
	return d, nil
}

// parseNote reads a digest that was noted for a file with this mark.
func parseNote(text, mark string) (d Digest, ok bool) {
	lines := strings.Split(text, "\n")
	if len(lines) != 3 || lines[0] != mark || lines[2] != "" {
		return d, false
	}
	b, err := hex.DecodeString(lines[1])
	if err != nil || len(b) != len(d) {
		return d, false
	}
	return Digest(b), true
}

func digestFile(path string) (d Digest, err error) {
	f, err := os.Open(path)
	if err != nil {
		return d, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return d, err
	}
	h.Sum(d[:0])
	return d, nil
}
