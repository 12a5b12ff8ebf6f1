package data

import (
	"encoding/binary"
	"errors"
	"fmt"

	"gaze/pkg/transform"
)

// TIFF files (revision 6.0); only the first picture is read. golang.org/x/image/tiff isn't
// used: it supports neither CMYK, planes nor JPEG, and decodes tiles that extend beyond
// the picture's edge wrongly.

// tiffFile describes the first picture of a TIFF file.
type tiffFile struct {
	data  []byte
	order binary.ByteOrder
	tags  map[uint16][]int
	lost  map[uint16]bool // tags whose values are beyond the file's end

	width, height int
	compression   int
	photometric   int
	bits          int // bits per sample
	samples       int // samples per pixel, including extra ones
	extra         []int
	planar        bool // each sample is in a separate plane
	predictor     bool
	reversed      bool // the bits of every byte are reversed

	// The picture is stored in pieces: tiles, or strips, which are tiles as wide as
	// the picture. The last strip may be lower.
	tileWidth, tileHeight int
	tiled                 bool
	offsets, counts       []int
}

// Tags and values of TIFF files; orientation.go has others, shared with EXIF.
const (
	tagWidth         = 256
	tagHeight        = 257
	tagBits          = 258
	tagFillOrder     = 266
	tagStripOffsets  = 273
	tagRowsPerStrip  = 278
	tagStripCounts   = 279
	tagPlanar        = 284
	tagFaxOptions    = 292
	tagPredictor     = 317
	tagColorMap      = 320
	tagTileWidth     = 322
	tagTileHeight    = 323
	tagTileOffsets   = 324
	tagTileCounts    = 325
	tagSampleFormat  = 339
	tagJPEGTables    = 347
	photoWhiteIsZero = 0
	photoBlackIsZero = 1
	photoRGB         = 2
	photoPalette     = 3
	photoInks        = 5
	photoYCbCr       = 6
)

func (d *Decoder) decodeTIFF(data []byte) (*transform.Image, int, error) {
	f, err := parseTIFF(data)
	if err == nil {
		err = checkSize(f.width, f.height)
	}
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return nil, 0, err
	}
	out, err := d.tiffPieces(f)
	return out, orientation(data, nil), err
}

// tiffValues are the sizes of the number types: byte, short, long, signed byte,
// undefined.
var tiffValues = map[uint16]int{1: 1, 3: 2, 4: 4, 6: 1, 7: 1}

// parseTIFF reads the first directory.
func parseTIFF(data []byte) (*tiffFile, error) {
	if len(data) < 8 {
		return nil, ErrTruncated
	}
	f := &tiffFile{data: data, order: binary.LittleEndian, tags: map[uint16][]int{}, lost: map[uint16]bool{}}
	if data[0] == 'M' {
		f.order = binary.BigEndian
	}
	at := int64(f.order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return nil, ErrTruncated
	}
	n := int64(f.order.Uint16(data[at:]))
	if at+2+12*n > int64(len(data)) {
		return nil, ErrTruncated
	}
	for i := range n {
		if err := f.entry(data[at+2+12*i:][:12]); err != nil {
			return nil, err
		}
	}
	f.setup()
	return f, nil
}

// entry reads a directory entry with one of the number types.
func (f *tiffFile) entry(e []byte) error {
	tag, kind, count := f.order.Uint16(e), f.order.Uint16(e[2:]), int64(f.order.Uint32(e[4:]))
	size := int64(tiffValues[kind])
	if size == 0 || count == 0 {
		return nil
	}
	values := e[8:12]
	if size*count > 4 {
		at := int64(f.order.Uint32(values))
		if at+size*count > int64(len(f.data)) {
			if f.needed(tag) {
				return ErrTruncated
			}
			f.lost[tag] = true
			return nil
		}
		values = f.data[at : at+size*count]
	}
	list := make([]int, count)
	for i := range list {
		switch size {
		case 1:
			list[i] = int(values[i])
		case 2:
			list[i] = int(f.order.Uint16(values[2*i:]))
		case 4:
			list[i] = int(f.order.Uint32(values[4*i:]))
		}
	}
	f.tags[tag] = list
	return nil
}

// needed reports whether a tag with many values is needed to decode the pixels.
func (f *tiffFile) needed(tag uint16) bool {
	switch tag {
	case tagBits, tagStripOffsets, tagTileOffsets, tagColorMap, tagJPEGTables:
		return true
	}
	return false
}

// one is a tag's first value.
func (f *tiffFile) one(tag uint16, missing int) int {
	if v := f.tags[tag]; len(v) > 0 {
		return v[0]
	}
	return missing
}

// setup sets the fields from the tags.
func (f *tiffFile) setup() {
	f.width, f.height = f.one(tagWidth, 0), f.one(tagHeight, 0)
	f.compression = f.one(tagCompression, 1)
	f.photometric = f.one(tagPhotometric, photoWhiteIsZero)
	f.bits = f.one(tagBits, 1)
	f.samples = f.one(tagSamples, 1)
	f.extra = f.tags[tagExtraSamples]
	f.planar = f.one(tagPlanar, 1) == 2 && f.samples > 1
	f.predictor = f.one(tagPredictor, 1) == 2
	f.reversed = f.one(tagFillOrder, 1) == 2
	f.tileWidth, f.tileHeight = f.width, min(f.one(tagRowsPerStrip, f.height), f.height)
	f.offsets, f.counts = f.tags[tagStripOffsets], f.tags[tagStripCounts]
	if len(f.offsets) == 0 {
		f.tiled = true
		f.tileWidth, f.tileHeight = f.one(tagTileWidth, 0), f.one(tagTileHeight, 0)
		f.offsets, f.counts = f.tags[tagTileOffsets], f.tags[tagTileCounts]
	}
}

// colours is the number of colour samples per pixel.
func (f *tiffFile) colours() int {
	switch f.photometric {
	case photoRGB, photoYCbCr:
		return 3
	case photoInks:
		return 4
	}
	return 1
}

// tiffCompressions are the names of unsupported compressions.
var tiffCompressions = map[int]string{
	2: "CCITT without ends of lines", 6: "JPEG of the old kind", 9: "JBIG", 10: "JBIG", 32766: "NeXT", 32771: "CCITT in words",
	32809: "ThunderScan", 34661: "JBIG", 34676: "SGI Log", 34677: "SGI Log", 34712: "JPEG 2000", 34887: "LERC",
	34925: "LZMA", 50000: "ZSTD", 50001: "WebP", 52546: "JPEG XL",
}

// check refuses unsupported and invalid files.
func (f *tiffFile) check() error {
	switch f.compression {
	case tiffNone, tiffFax3, tiffFax4, tiffLZW, tiffJPEG, tiffDeflate, tiffDeflateOld, tiffPackBits:
	default:
		name := tiffCompressions[f.compression]
		if name == "" {
			name = "an unknown kind of"
		}
		return unsupported("%s compression (%d)", name, f.compression)
	}
	// For files that libtiff decodes, this value must be valid too; PIL itself
	// ignores it.
	if f.compression != tiffNone {
		if p := f.one(tagPlanar, 1); p != 1 && p != 2 {
			return fmt.Errorf("the data is damaged: invalid planar configuration %d", p)
		}
		if f.lost[tagStripCounts] || f.lost[tagTileCounts] {
			return ErrTruncated
		}
	}
	for _, v := range f.tags[tagSampleFormat] {
		if v != 1 && v != 4 {
			return unsupported("signed or floating-point samples (sample format %d)", v)
		}
	}
	for _, v := range f.tags[tagBits] {
		if v != f.bits {
			return unsupported("a mix of samples of %d and %d bits", f.bits, v)
		}
	}
	if p := f.one(tagPredictor, 1); p != 1 && p != 2 {
		return unsupported("predictor %d", p)
	}
	if err := f.checkPixels(); err != nil {
		return err
	}
	return f.checkPieces()
}

// unsupported is the error for kinds of files that other programs may read.
func unsupported(what string, args ...any) error {
	return advise(fmt.Errorf("%s isn't supported", fmt.Sprintf(what, args...)))
}

// checkPixels refuses kinds of pixels that can't be converted to colours.
func (f *tiffFile) checkPixels() error {
	small := f.bits == 1 || f.bits == 2 || f.bits == 4
	fax := f.compression == tiffFax3 || f.compression == tiffFax4
	switch {
	case f.photometric > photoYCbCr || f.photometric == 4:
		return unsupported("the colour model (photometric interpretation %d)", f.photometric)
	case f.photometric == photoYCbCr && f.compression != tiffJPEG:
		return unsupported("YCbCr without JPEG compression")
	case !small && f.bits != 8 && f.bits != 16:
		return unsupported("%d bits per sample", f.bits)
	case small && (f.samples > 1 || f.colours() > 1), f.bits == 16 && f.photometric == photoPalette, f.bits != 8 && f.compression == tiffJPEG:
		return unsupported("%d bits per sample in pixels of this kind", f.bits)
	case fax && (f.bits != 1 || f.samples != 1):
		return errors.New("the data is damaged: fax compression of a picture that isn't black and white")
	case f.samples < f.colours() || f.samples > f.colours()+3:
		return fmt.Errorf("the data is damaged: %d samples per pixel for %d colours", f.samples, f.colours())
	case f.photometric == photoPalette && len(f.tags[tagColorMap]) < 3:
		return errors.New("the data is damaged: the palette is missing")
	case f.predictor && f.bits < 8:
		return unsupported("a predictor with %d bits per sample", f.bits)
	}
	return nil
}

// checkPieces checks the size and the number of pieces.
func (f *tiffFile) checkPieces() error {
	if f.tileWidth < 1 || f.tileHeight < 1 {
		return errors.New("the data is damaged: pieces without a size")
	}
	if f.tileWidth > 2*f.width+4096 || f.tileHeight > 2*f.height+4096 {
		return fmt.Errorf("the data is damaged: pieces of %dx%d pixels", f.tileWidth, f.tileHeight)
	}
	if f.compression == tiffNone && !f.tiled && !f.planar && f.tileHeight == f.height && len(f.offsets) > 1 {
		f.offsets, f.counts = f.offsets[len(f.offsets)-1:], nil // Pillow uses the last
	}
	across, down := ceilDiv(f.width, f.tileWidth), ceilDiv(f.height, f.tileHeight)
	planes := 1
	if f.planar {
		planes = f.samples
	}
	if n := len(f.offsets); n < across*down*planes {
		if f.compression == tiffNone && !f.planar && n > 0 {
			return nil // Pillow leaves missing pieces black
		}
		return fmt.Errorf("%w: it has %d of %d pieces", ErrTruncated, len(f.offsets), across*down*planes)
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
