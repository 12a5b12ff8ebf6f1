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

// Cached returns what compute gives for the inputs named by key, from the disk
// when an earlier cell (or an earlier run) computed it already: GoNB runs every
// cell as a process of its own, so nothing slow should be done twice. The result
// must be something encoding/gob can store. key holds all that the result
// depends on, printed with %v; use [FileKey] for a file's content.
//
// Results live in folder, one file each, written whole or not at all; a damaged
// or foreign file is computed again. An empty folder means no cache. A cache
// that can't be written (a full disk) doesn't lose the result.
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
		fmt.Fprintf(os.Stderr, "warning: result not kept for the next cell: %v\n", err)
	}
	return result, nil
}

// hashKey turns the inputs and the result's type into a file name's part.
func hashKey[T any](key []any) string {
	h := sha256.New()
	fmt.Fprintf(h, "%T\n", *new(T))
	for _, k := range key {
		fmt.Fprintf(h, "%T %v\n", k, k)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// readCached fills result from a file that starts with the SHA-256 of the rest.
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

// FileKey names a file's present content for [Cached]: its path, size and time
// of change; of a folder, those of the files in it. It doesn't read them.
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
		// A link's target counts; what vanished meanwhile doesn't.
		if info, err := os.Stat(filepath.Join(path, e.Name())); err == nil {
			key += fmt.Sprintf("; %s %d %d", e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return key, nil
}
