package notebook

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gaze/internal/atomicfile"
)

// Cached returns the result of compute, read from disk if an earlier cell or run
// has computed it for the same key. GoNB runs every cell as a separate process,
// so slow work would otherwise be repeated. The result must be of a type that
// encoding/gob can store. key must have everything that the result depends on,
// printed with %v; use [FileKey] for a file's content.
//
// Each result is one file in folder. Files are never partial; a damaged or
// foreign file is ignored and the result computed again. An empty folder means
// no cache. If the cache can't be written (a full disk), the result is still
// returned.
func Cached[T any](folder, name string, key []any, compute func() (T, error)) (T, error) {
	if folder == "" {
		return compute()
	}
	path := filepath.Join(folder, name+"-"+hashKey[T](key)+".gob")
	var result T
	if readCached(path, &result) == nil {
		return result, nil
	}
	result, err := compute()
	if err != nil {
		return result, err
	}
	if err := writeCached(path, &result); err != nil {
		fmt.Fprintf(os.Stderr, "warning: the result isn't cached for the next cell: %v\n", err)
	}
	return result, nil
}

// hashKey hashes the inputs and the result's type for the file name.
func hashKey[T any](key []any) string {
	h := sha256.New()
	fmt.Fprintf(h, "%T\n", *new(T))
	for _, k := range key {
		fmt.Fprintf(h, "%T %v\n", k, k)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// readCached decodes result from a file that starts with the SHA-256 of the rest.
func readCached(path string, result any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(data) < sha256.Size {
		return io.ErrUnexpectedEOF
	}
	if sha256.Sum256(data[sha256.Size:]) != [sha256.Size]byte(data[:sha256.Size]) {
		return errors.New("checksum mismatch")
	}
	return gob.NewDecoder(bytes.NewReader(data[sha256.Size:])).Decode(result)
}

func writeCached(path string, result any) error {
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(result); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	sum := sha256.Sum256(body.Bytes())
	return atomicfile.WriteBytes(path, append(sum[:], body.Bytes()...))
}

// FileKey returns a key for [Cached] that identifies a file's current content: its path,
// size and modification time. For a folder, it includes the files in it. It doesn't read
// the files.
func FileKey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	key := fmt.Sprintf("%s %d %d", abs, info.Size(), info.ModTime().UnixNano())
	if !info.IsDir() {
		return key, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		// Stat follows links. Files that have disappeared meanwhile are ignored.
		if info, err := os.Stat(filepath.Join(path, e.Name())); err == nil {
			key += fmt.Sprintf("; %s %d %d", e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return key, nil
}
