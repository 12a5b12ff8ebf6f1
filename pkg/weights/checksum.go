package weights

import (
	"archive/zip"
	"fmt"
	"hash/crc32"
	"sync"
)

// checksum returns a function that verifies the bytes of an uncompressed member of a zip
// archive. Call it when the bytes are used: reading all of them earlier would lose the
// advantage of mapping the file. The function computes the checksum only once. It is nil
// if the archive has no checksum for the member: torch.save can be told to omit checksums
// and then writes 0.
func checksum(f *zip.File, data []byte) func() error {
	if f.CRC32 == 0 {
		return nil
	}
	return sync.OnceValue(func() error {
		if crc32.ChecksumIEEE(data) != f.CRC32 {
			return fmt.Errorf("the bytes of %.100q don't match their checksum in the archive: they are damaged; copy or download the file again", f.Name)
		}
		return nil
	})
}
