package weights

import (
	"archive/zip"
	"fmt"
	"hash/crc32"
	"sync"
)

// checksum returns a check that the bytes of an uncompressed member of a zip archive
// are those that were written, to be made when they are used: looking at all of
// them would undo what mapping the file gains. It looks once, however often it's
// called. It is nil if the archive notes no checksum: torch.save can be told to
// leave them out and writes 0 then.
func checksum(f *zip.File, data []byte) func() error {
	if f.CRC32 == 0 {
		return nil
	}
	return sync.OnceValue(func() error {
		if crc32.ChecksumIEEE(data) != f.CRC32 {
			return fmt.Errorf("the bytes of %.100q don't have the checksum that the archive notes: they are damaged; copy or download the file again", f.Name)
		}
		return nil
	})
}
