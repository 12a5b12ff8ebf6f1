package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/damagedfile"
)

// rightChecksums corrects all checksums of a PNG file: the word "crc" of a recipe.
func rightChecksums(word string, data []byte) ([]byte, error) {
	if word != "crc" {
		return nil, errors.New(word)
	}
	for at := 8; at+12 <= len(data); {
		end := at + 12 + int(binary.BigEndian.Uint32(data[at:]))
		if end > len(data) {
			break
		}
		binary.BigEndian.PutUint32(data[end-4:], crc32.ChecksumIEEE(data[at+4:end-4]))
		at = end
	}
	return data, nil
}

// A damaged PNG, GIF, BMP, WebP or TIFF file gives Pillow's pixels, or is refused if
// Pillow refuses it (tools/golden/decode_damaged.py). There is one intended difference:
// Pillow refuses a PNG file with a wrong checksum in an ancillary chunk before the pixels.
func TestDamagedAsPillow(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("testdata", "damaged.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cases, err := damagedfile.Cases(table)
	if err != nil || len(cases) < 3000 {
		t.Fatal(len(cases), err)
	}
	var d Decoder
	checksums := 0
	for _, c := range cases {
		data, err := damagedfile.Apply(picture(t, c.Name), c.Recipe, rightChecksums)
		if err != nil {
			t.Fatal(err)
		}
		im, err := d.DecodeReader(bytes.NewReader(data), c.Name)
		got := "refused"
		if err == nil {
			sum := sha256.Sum256(im.Pix)
			got = fmt.Sprintf("%d %d %x", im.Width, im.Height, sum[:8])
		}
		if c.Rest[0] == "refused" && strings.Contains(d.Damage(), "the checksum of chunk") {
			checksums++
			continue
		}
		if got != c.Rest[0] {
			t.Errorf("%s %s: %s (%v), Pillow: %s", c.Name, c.Recipe, got, err, c.Rest[0])
		}
		if err != nil && d.Damage() != "" {
			t.Errorf("%s %s: refused, and a warning: %s", c.Name, c.Recipe, d.Damage())
		}
	}
	if checksums == 0 || checksums > 80 {
		t.Errorf("%d files with wrong checksums that Pillow refuses", checksums)
	}
}
