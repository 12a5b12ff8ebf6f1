package data

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"golang.org/x/image/ccitt"
	"golang.org/x/image/tiff/lzw"

	"gaze/pkg/transform"
)

// Compressions of TIFF files.
const (
	tiffNone       = 1
	tiffFax3       = 3
	tiffFax4       = 4
	tiffLZW        = 5
	tiffJPEG       = 7
	tiffDeflate    = 8
	tiffDeflateOld = 32946
	tiffPackBits   = 32773
)

// tiffPieces decodes the pieces into the picture, one after another.
func (d *Decoder) tiffPieces(f *tiffFile) (*transform.Image, error) {
	var out *transform.Image
	across := ceilDiv(f.width, f.tileWidth)
	down := ceilDiv(f.height, f.tileHeight)
	planes, samples := 1, f.samples
	if f.planar {
		planes, samples = f.samples, 1
	}
	paint := f.painter(d.Background)
	row := make([]uint8, f.tileWidth*f.samples*max(f.bits/8, 1))
	pieces := make([][]byte, planes)
	for i := range across * down {
		if i >= len(f.offsets) {
			d.damage = fmt.Sprintf("%d of %d pieces are missing; they are black", across*down-i, across*down)
			break
		}
		x, y := i%across*f.tileWidth, i/across*f.tileHeight
		height := f.tileHeight
		if !f.tiled {
			height = min(height, f.height-y)
		}
		for p := range pieces {
			var err error
			if pieces[p], err = d.tiffPiece(f, p*across*down+i, f.tileWidth, height, samples); err != nil {
				return nil, err
			}
		}
		if out == nil { // allocated only when a piece could be decoded
			out = transform.NewImage(f.width, f.height, 3)
			if under := d.Background; under != nil && f.hasAlpha() { // missing pieces are transparent
				for i := 0; i < len(out.Pix); i += 3 {
					copy(out.Pix[i:], under[:])
				}
			}
		}
		width := min(f.tileWidth, f.width-x)
		for r := range min(height, f.height-y) {
			pixels := f.row(row, pieces, r, samples)
			paint(out.Pix[((y+r)*out.Width+x)*3:][:3*width], pixels)
		}
	}
	return out, nil
}

// row interleaves row r of the planes' pieces; samples have one byte or two.
func (f *tiffFile) row(row []uint8, pieces [][]byte, r, samples int) []uint8 {
	size := (f.tileWidth*samples*f.bits + 7) / 8
	if f.bits < 8 {
		packed := pieces[0][r*size:]
		for x := range row {
			row[x] = packed[x*f.bits/8] >> (8 - f.bits - x*f.bits%8) & (1<<f.bits - 1)
		}
		return row
	}
	if len(pieces) == 1 {
		return pieces[0][r*size : (r+1)*size]
	}
	n := f.bits / 8
	for p, piece := range pieces {
		plane := piece[r*size : (r+1)*size]
		for x := 0; x < size; x += n {
			copy(row[x*len(pieces)+p*n:], plane[x:x+n])
		}
	}
	return row
}

// tiffPiece returns the rows of a piece, each starting at a byte boundary.
func (d *Decoder) tiffPiece(f *tiffFile, i, width, height, samples int) ([]byte, error) {
	rowSize := (width*samples*f.bits + 7) / 8
	size := rowSize * height
	packed, err := f.packed(i, size)
	if err != nil {
		return nil, err
	}
	var piece []byte
	switch f.compression {
	case tiffNone:
		piece = packed
	case tiffJPEG:
		return d.tiffJPEG(f, packed, width, height, samples)
	case tiffPackBits:
		piece, err = unpackBits(packed, size)
	default:
		piece, err = f.unpack(packed, width, height, size)
	}
	if err != nil {
		return nil, err
	}
	if len(piece) < size {
		return nil, ErrTruncated
	}
	if f.predictor {
		if f.compression == tiffNone {
			piece = bytes.Clone(piece)
		}
		f.undoPredictor(piece[:size], rowSize, samples)
	}
	return piece, nil
}

// packed returns the stored bytes of a piece.
func (f *tiffFile) packed(i, size int) ([]byte, error) {
	at := f.offsets[i]
	end := len(f.data)
	if f.compression == tiffNone {
		end = at + size
	} else if i < len(f.counts) {
		end = at + f.counts[i]
	}
	if at >= len(f.data) || f.compression == tiffNone && end > len(f.data) {
		return nil, ErrTruncated
	}
	packed := f.data[at:min(end, len(f.data))]
	if f.reversed && f.compression != tiffJPEG && f.compression != tiffFax3 && f.compression != tiffFax4 {
		packed = bytes.Clone(packed)
		for i, b := range packed {
			packed[i] = bits.Reverse8(b)
		}
	}
	return packed, nil
}

// unpack decompresses a piece to at most size bytes.
func (f *tiffFile) unpack(packed []byte, width, height, size int) ([]byte, error) {
	in := bytes.NewReader(packed)
	var r io.Reader
	switch f.compression {
	case tiffLZW:
		r = lzw.NewReader(in, lzw.MSB, 8)
	case tiffDeflate, tiffDeflateOld:
		z, err := zlib.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("the data is damaged: %w", err)
		}
		r = z
	default:
		if f.compression == tiffFax3 && f.one(tagFaxOptions, 0)&1 != 0 {
			return nil, unsupported("two-dimensional fax compression of group 3")
		}
		kind, order := ccitt.Group3, ccitt.MSB
		if f.compression == tiffFax4 {
			kind = ccitt.Group4
		}
		if f.reversed {
			order = ccitt.LSB
		}
		r = ccitt.NewReader(in, order, kind, width, height, &ccitt.Options{Invert: true}) // white is 0
	}
	var out bytes.Buffer
	if _, err := io.CopyN(&out, r, int64(size)); err != nil {
		if endsEarly(err) {
			return nil, ErrTruncated
		}
		return nil, fmt.Errorf("the data is damaged: %w", err)
	}
	// If there is more data, zlib doesn't reach the checksum.
	if n, err := r.Read([]byte{0}); n == 0 && errors.Is(err, zlib.ErrChecksum) {
		return nil, fmt.Errorf("the data is damaged: %w", err)
	}
	return out.Bytes(), nil
}

// unpackBits decompresses PackBits: runs of equal bytes and literal runs.
func unpackBits(packed []byte, size int) ([]byte, error) {
	var out []byte
	for len(out) < size {
		if len(packed) < 2 {
			return nil, ErrTruncated
		}
		n := int(int8(packed[0]))
		switch {
		case n >= 0:
			if len(packed) < n+2 {
				return nil, ErrTruncated
			}
			out = append(out, packed[1:n+2]...)
			packed = packed[n+2:]
		case n == -128: // no operation
			packed = packed[1:]
		default:
			out = append(out, bytes.Repeat(packed[1:2], 1-n)...)
			packed = packed[2:]
		}
	}
	return out, nil
}

// undoPredictor sums up samples that are stored as differences from the pixel to the left.
func (f *tiffFile) undoPredictor(piece []byte, rowSize, samples int) {
	for ; len(piece) > 0; piece = piece[rowSize:] {
		row := piece[:rowSize]
		if f.bits == 8 {
			for i := samples; i < len(row); i++ {
				row[i] += row[i-samples]
			}
			continue
		}
		for i := 2 * samples; i+1 < len(row); i += 2 {
			f.order.PutUint16(row[i:], f.order.Uint16(row[i:])+f.order.Uint16(row[i-2*samples:]))
		}
	}
}

// tiffJPEG decodes a piece that is a JPEG file whose tables are in a tag of the TIFF
// file. Colours are returned as stored, except YCbCr, which is converted to RGB.
func (d *Decoder) tiffJPEG(f *tiffFile, packed []byte, width, height, samples int) ([]byte, error) {
	if len(packed) < 4 || packed[0] != 0xFF || packed[1] != 0xD8 {
		return nil, fmt.Errorf("the data is damaged: a piece that isn't JPEG")
	}
	transform := byte(0)
	if f.photometric == photoYCbCr {
		transform = 1
	}
	// The Adobe marker decides, because TIFF has no JFIF markers.
	file := append([]byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"), transform)
	if tables := f.tags[tagJPEGTables]; len(tables) > 4 {
		for _, b := range tables[2 : len(tables)-2] { // without its start and end markers
			file = append(file, byte(b))
		}
	}
	p, err := d.jpeg.Decode(append(file, packed[2:]...), d.pixels)
	if err != nil {
		return nil, err
	}
	d.pixels = p.Pix
	if p.Channels != samples || p.Width != width || p.Height < height {
		return nil, fmt.Errorf("the data is damaged: a JPEG picture of %dx%d in %d colours instead of %dx%d in %d",
			p.Width, p.Height, p.Channels, width, height, samples)
	}
	if p.Damage != "" && d.damage == "" {
		d.damage = p.Damage
	}
	// Planes are decoded one after another.
	return bytes.Clone(p.Pix), nil
}

// painter returns a function that converts a row of samples to RGB.
func (f *tiffFile) painter(under backdrop) func(dst, row []byte) {
	if !f.hasAlpha() {
		under = nil
	}
	n := f.samples
	if f.bits == 16 {
		n *= 2
		return f.painterOf(n, f.highByte(), under)
	}
	return f.painterOf(n, func(s []byte, i int) byte { return s[i] }, under)
}

// hasAlpha reports whether the first extra sample is alpha: if the file says so, or if it
// doesn't describe a fourth sample beside three colours, which PIL treats as alpha.
func (f *tiffFile) hasAlpha() bool {
	const multiplied, alone, corel = 1, 2, 999
	switch {
	case f.photometric == photoInks || f.samples == f.colours():
		return false
	case len(f.extra) == 0:
		return f.colours() == 3 && f.samples == 4
	}
	return f.extra[0] == alone || f.colours() == 3 && (f.extra[0] == multiplied || f.extra[0] == corel)
}

// highByte returns a function that reads the high byte of a two-byte sample.
func (f *tiffFile) highByte() func(s []byte, i int) byte {
	high := 1
	if f.data[0] == 'M' {
		high = 0
	}
	return func(s []byte, i int) byte { return s[2*i+high] }
}

// painterOf is painter for pixels of size bytes; at reads their sample i.
func (f *tiffFile) painterOf(size int, at func(s []byte, i int) byte, under backdrop) func(dst, row []byte) {
	each := func(paint func(d, s []byte)) func(dst, row []byte) {
		return func(dst, row []byte) {
			for ; len(dst) > 0; dst, row = dst[3:], row[size:] {
				paint(dst[:3:3], row[:size:size])
			}
		}
	}
	switch f.photometric {
	case photoPalette:
		colours := f.palette()
		if under != nil {
			return each(func(d, s []byte) { c := colours[s[0]]; put(d, c[0], c[1], c[2], s[1], under) })
		}
		return each(func(d, s []byte) { copy(d, colours[s[0]][:]) })
	case photoInks:
		return each(func(d, s []byte) { cmykRGB(d, at(s, 0), at(s, 1), at(s, 2), at(s, 3)) })
	case photoRGB, photoYCbCr:
		if len(f.extra) > 0 && f.extra[0] == 1 { // premultiplied alpha
			return each(func(d, s []byte) { divideAlpha(d, at(s, 0), at(s, 1), at(s, 2), at(s, 3), under) })
		}
		if under != nil {
			return each(func(d, s []byte) { put(d, at(s, 0), at(s, 1), at(s, 2), at(s, 3), under) })
		}
		return each(func(d, s []byte) { d[0], d[1], d[2] = at(s, 0), at(s, 1), at(s, 2) })
	}
	most := 1<<min(f.bits, 8) - 1
	return each(func(d, s []byte) {
		v := byte(int(at(s, 0)) * 255 / most)
		if f.photometric == photoWhiteIsZero {
			v = ^v
		}
		d[0], d[1], d[2] = v, v, v
		if under != nil {
			put(d, v, v, v, at(s, 1), under)
		}
	})
}

// palette returns the high bytes of the colour map; missing colours are black.
func (f *tiffFile) palette() (colours [256][3]byte) {
	m := f.tags[tagColorMap]
	n := len(m) / 3
	for i := range min(n, len(colours)) {
		colours[i] = [3]byte{byte(m[i] >> 8), byte(m[n+i] >> 8), byte(m[2*n+i] >> 8)}
	}
	return colours
}
