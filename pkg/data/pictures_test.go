package data

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// documented is a row of docs/pictures.md: how a kind of file is handled.
type documented struct {
	row  string   // its first column
	data []byte   // a file of the kind
	like string   // name of a picture that it must equal, "" for any
	says []string // of the error; nil: it is read
	warn bool     // with a warning
}

// doc maps the first column of docs/pictures.md's tables to the second.
func doc(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "pictures.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| ") || len(cells) != 2 {
			continue
		}
		rows[strings.TrimSpace(cells[0])] = strings.TrimSpace(cells[1])
	}
	for _, head := range []string{"format", "file", "damage"} {
		if rows[head] == "" {
			t.Fatalf("no table of %ss", head)
		}
		delete(rows, head)
	}
	return rows
}

// tiffWith makes a picture with a different value for a tag of one short.
func tiffWith(t *testing.T, name string, tag, value uint16) []byte {
	t.Helper()
	data := bytes.Clone(picture(t, name))
	at := int(binary.LittleEndian.Uint32(data[4:]))
	for i := range int(binary.LittleEndian.Uint16(data[at:])) {
		e := data[at+2+12*i:]
		if binary.LittleEndian.Uint16(e) == tag {
			binary.LittleEndian.PutUint16(e[8:], value)
			return data
		}
	}
	t.Fatalf("%s has no tag %d", name, tag)
	return nil
}

func photoFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func replaced(t *testing.T, data []byte, old, by string) []byte {
	t.Helper()
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("no %q", old)
	}
	return bytes.Replace(data, []byte(old), []byte(by), 1)
}

// refusedKinds are the rows of the second table: kinds of files that are refused.
func refusedKinds(t *testing.T) []documented {
	box := func(brand string) []byte { return []byte("\x00\x00\x00\x18ftyp" + brand + strings.Repeat("\x00", 40)) }
	photo := picture(t, "orientation_1.jpg")
	bits12 := replaced(t, photo, "\xff\xc0\x00\x11\x08", "\xff\xc1\x00\x11\x0c")
	rle := bytes.Clone(picture(t, "palette.bmp"))
	rle[30] = 1
	return []documented{
		{row: "JPEG with arithmetic coding", data: replaced(t, photo, "\xff\xc0\x00\x11", "\xff\xc9\x00\x11")},
		{row: "JPEG, lossless or hierarchical", data: replaced(t, photo, "\xff\xc0\x00\x11", "\xff\xc3\x00\x11")},
		{row: "JPEG of 12 bits", data: bits12},
		{row: "TIFF with ZSTD compression", data: tiffWith(t, "rgb.tiff", tagCompression, 50000)},
		{row: "TIFF with LZMA compression", data: tiffWith(t, "rgb.tiff", tagCompression, 34925)},
		{row: "TIFF with old JPEG compression", data: tiffWith(t, "rgb.tiff", tagCompression, 6)},
		{row: "TIFF with floating-point samples", data: tiffFloat(t)},
		{row: "TIFF of YCbCr without JPEG", data: tiffWith(t, "rgb.tiff", tagPhotometric, 6)},
		{row: "BigTIFF", data: []byte("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00")},
		{row: "BMP with run-length compression", data: rle},
		{row: "HEIC", data: box("heic")},
		{row: "AVIF", data: box("avif")},
		{row: "JPEG 2000", data: []byte("\x00\x00\x00\x0cjP  \r\n\x87\n")},
		{row: "JPEG XL", data: []byte("\xff\x0a\x00\x00")},
		{row: "SVG", data: []byte("<svg></svg>")},
		{row: "PDF", data: []byte("%PDF-1.7")},
	}
}

// tiffFloat makes a picture with a sample format tag in place of one that doesn't affect
// the pixels.
func tiffFloat(t *testing.T) []byte {
	data := tiffWith(t, "rgb.tiff", tagPlanar, 3)
	at := int(binary.LittleEndian.Uint32(data[4:]))
	for i := range int(binary.LittleEndian.Uint16(data[at:])) {
		if e := data[at+2+12*i:]; binary.LittleEndian.Uint16(e) == tagPlanar {
			binary.LittleEndian.PutUint16(e, tagSampleFormat)
		}
	}
	return data
}

// damagedKinds are the rows of the third table.
func damagedKinds(t *testing.T) []documented {
	restart := photoFile(t, "../../internal/jpeg/testdata/damaged", "restart.jpg")
	progressive := photoFile(t, "../../internal/jpeg/testdata/damaged", "progressive.jpg")
	plain := photoFile(t, "../../internal/jpeg/testdata/damaged", "420.jpg")
	rgb, gif := picture(t, "rgb.png"), picture(t, "palette.gif")
	flipped := func(data []byte, at int) []byte {
		data = bytes.Clone(data)
		data[at] ^= 0x55
		return data
	}
	lastScan := bytes.LastIndex(progressive, []byte("\xff\xda"))
	lastTable := bytes.LastIndex(progressive[:lastScan], []byte("\xff\xc4"))
	header := bytes.Index(plain, []byte("\xff\xdb"))
	text := "\x00\x00\x00\x03tEXta\x00bwxyz"
	end := bytes.Index(rgb, []byte("\x00\x00\x00\x00IEND"))
	truncated := []string{"truncated"}
	return []documented{
		{row: "JPEG that was cut off", data: plain[:len(plain)*2/3], says: truncated},
		{row: "JPEG that was cut off and has an end marker", data: append(bytes.Clone(plain[:len(plain)*2/3]), 0xFF, 0xD9), warn: true},
		{row: "JPEG whose end marker is missing", data: append(bytes.Clone(plain[:len(plain)-2]), make([]byte, 20)...)},
		{row: "JPEG with bytes lost or changed in its data", data: append(bytes.Clone(plain[:900]), plain[960:]...), warn: true},
		{row: "JPEG with a restart marker lost, misplaced or misnumbered", data: replaced(t, restart, "\xff\xd2", "\xff\xd6"), warn: true},
		{row: "JPEG without its last scans", data: append(bytes.Clone(progressive[:lastTable]), 0xFF, 0xD9), warn: true},
		{row: "JPEG with bytes between its segments", data: append(append(bytes.Clone(plain[:header]), 1, 2, 3), plain[header:]...), warn: true},
		{row: "PNG with a wrong checksum of pixels or of an ancillary chunk", data: append(append(bytes.Clone(rgb[:33]), text...), rgb[33:]...), like: "rgb.png", warn: true},
		{row: "PNG with a wrong checksum of pixels or of an ancillary chunk", data: flipped(rgb, end-1), like: "rgb.png", warn: true},
		{row: "PNG with a wrong checksum of its header or palette", data: flipped(rgb, 30), says: []string{"checksum of chunk IHDR"}},
		{row: "PNG without its end", data: rgb[:end], like: "rgb.png", warn: true},
		{row: "PNG that was cut off in its pixels", data: rgb[:len(rgb)/2], says: truncated},
		{row: "GIF with bytes between its blocks", data: append(append(bytes.Clone(gif[:bytes.Index(gif, []byte(",\x00\x00"))]), 0), gif[bytes.Index(gif, []byte(",\x00\x00")):]...), like: "palette.gif", warn: true},
		{row: "GIF without its end", data: gif[:len(gif)-1], like: "palette.gif"},
		{row: "BMP, WebP or TIFF that was cut off", data: picture(t, "rgb.bmp")[:400], says: truncated},
		{row: "BMP, WebP or TIFF that was cut off", data: picture(t, "lossy.webp")[:100], says: truncated},
		{row: "BMP, WebP or TIFF that was cut off", data: picture(t, "rgb.tiff")[:400], says: truncated},
	}
}

// Each row of docs/pictures.md is true, and each has a test.
func TestPicturesDocumented(t *testing.T) {
	rows := doc(t)
	for _, f := range formats {
		if rows[f.name] == "" {
			t.Errorf("%s isn't documented", f.name)
		}
		delete(rows, f.name)
	}
	kinds := refusedKinds(t)
	for i := range kinds {
		kinds[i].says = []string{rows[kinds[i].row]}
	}
	done := map[string]bool{}
	var d Decoder
	for _, k := range append(kinds, damagedKinds(t)...) {
		if rows[k.row] == "" {
			t.Errorf("%q isn't documented", k.row)
		}
		done[k.row] = true
		im, err := d.DecodeReader(bytes.NewReader(k.data), "it")
		for _, words := range k.says {
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %v, want an error that says %q", k.row, err, words)
			}
		}
		if refused := strings.HasPrefix(rows[k.row], "refused"); refused && k.says == nil || k.says == nil && err != nil {
			t.Errorf("%s: %v, documented as %q", k.row, err, rows[k.row])
		}
		if err == nil && k.warn != (d.Damage() != "") {
			t.Errorf("%s: the warning is %q", k.row, d.Damage())
		}
		if err == nil && k.like != "" {
			pix := bytes.Clone(im.Pix)
			if want, err := d.DecodeReader(bytes.NewReader(picture(t, k.like)), k.like); err != nil || !bytes.Equal(want.Pix, pix) {
				t.Errorf("%s: other pixels than those of %s (%v)", k.row, k.like, err)
			}
		}
	}
	for row := range rows {
		if !done[row] {
			t.Errorf("%q is documented and not tested", row)
		}
	}
}
