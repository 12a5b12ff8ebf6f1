package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"image"
	"image/png"
	"io"
	"slices"

	"gaze/pkg/transform"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// decodePNG decodes a file without faults with the standard library, and otherwise the
// parts that PIL can use.
func (d *Decoder) decodePNG(data []byte) (*transform.Image, int, error) {
	exif, xmp := pngMetadata(data)
	src, err := wholePNG(data)
	if errors.Is(err, ErrTooLarge) {
		return nil, 0, err
	}
	if err == nil {
		if err := checkPNG(data); err != nil {
			return nil, 0, err
		}
	} else {
		whole, damage, err := mendPNG(data)
		if err != nil {
			return nil, 0, err
		}
		if src, err = wholePNG(whole); err != nil {
			return nil, 0, err
		}
		d.damage = damage
	}
	im, err := toRGB(src, d.Background)
	return im, orientation(exif, xmp), err
}

// wholePNG decodes a file without faults.
func wholePNG(data []byte) (image.Image, error) {
	h, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if err := checkPNGSize(h.Width, h.Height, len(data)); err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(data))
}

// checkPNGSize refuses a header that declares more pixels than a file of size bytes can
// hold, before memory is allocated. A byte of deflate data gives at most 1,032 bytes, and
// a pixel takes at least a bit.
func checkPNGSize(width, height, size int) error {
	if err := checkSize(width, height); err != nil {
		return err
	}
	if int64(width)*int64(height)/8 > int64(size)*1032 {
		return ErrTruncated
	}
	return nil
}

// pngMetadata finds the EXIF chunk and uncompressed XMP text.
func pngMetadata(data []byte) (exif, xmp []byte) {
	const xmpName = "XML:com.adobe.xmp\x00\x00"
	for b := data[len(pngMagic):]; len(b) >= 12; {
		n := uint64(binary.BigEndian.Uint32(b))
		if n+12 > uint64(len(b)) {
			break
		}
		name, chunk := string(b[4:8]), b[8:8+n]
		b = b[12+n:]
		switch {
		case name == "eXIf":
			exif = chunk
		case name == "iTXt" && bytes.HasPrefix(chunk, []byte(xmpName)):
			xmp = chunk[len(xmpName):]
		}
	}
	return exif, xmp
}

// rows decompresses the pixels, as rows of filtered bytes. If the data ends after a whole
// row, Pillow accepts it and leaves the rest of the picture black.
func (m *pngMender) rows(k pngKind, width, height int) ([]byte, error) {
	sizes := k.rowSizes(width, height)
	size := 0
	for _, n := range sizes {
		size += n
	}
	in := &pngPixels{m: m}
	var head [2]byte
	for i := range head {
		var err error
		if head[i], err = in.next(); err != nil {
			return nil, in.reason(err)
		}
	}
	if head[0]&15 != 8 || head[0]>>4 > 7 || head[1]&0x20 != 0 || (int(head[0])<<8|int(head[1]))%31 != 0 {
		return nil, errDeflate
	}
	// zlib stops when the last row is full, at the end of the chunk at the latest.
	f := &inflater{next: in.next, size: size, full: func() { in.last = true }}
	err := f.run()
	if errors.Is(err, errDeflate) {
		return nil, err
	}
	early := len(f.out) < size
	if early && err != nil {
		return nil, in.reason(err)
	}
	if err == nil {
		if err := in.checkSum(f.out, early); err != nil {
			return nil, err
		}
	}
	if early {
		done := 0
		for i := 0; done < len(f.out); i++ {
			done += sizes[i]
		}
		if done != len(f.out) || done == 0 {
			return nil, ErrTruncated
		}
		m.note("the pixels end early; the rest of the picture is black")
	}
	return append(f.out, make([]byte, size-len(f.out))...), nil
}

// rowSizes returns the number of bytes of each row, including the filter byte, in the
// order in which the rows are stored.
func (k pngKind) rowSizes(width, height int) (sizes []int) {
	add := func(width, height int) {
		if width == 0 {
			return
		}
		for range height {
			sizes = append(sizes, 1+(width*k.bits+7)/8)
		}
	}
	if !k.interlaced {
		add(width, height)
		return sizes
	}
	for _, p := range [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		x, y, stepX, stepY := p[0], p[1], p[2], p[3]
		add((width-x+stepX-1)/stepX, (height-y+stepY-1)/stepY)
	}
	return sizes
}

// pngPixels reads the data of consecutive pixel chunks.
type pngPixels struct {
	m     *pngMender
	chunk []byte // the rest of the chunk
	cut   bool   // the chunk is incomplete
	last  bool   // no further chunk is read
	err   error
}

// next returns the next byte.
func (p *pngPixels) next() (byte, error) {
	for len(p.chunk) == 0 {
		if p.err == nil && !p.last {
			p.err = p.open()
		}
		if p.err != nil || p.last {
			return 0, io.ErrUnexpectedEOF
		}
	}
	b := p.chunk[0]
	p.chunk = p.chunk[1:]
	return b, nil
}

// open moves to the next chunk.
func (p *pngPixels) open() error {
	if p.cut {
		return ErrTruncated
	}
	at := p.m.at
	c, err := p.m.next()
	if err != nil {
		p.m.at = at
		return err
	}
	if c.name != "IDAT" && c.name != "DDAT" {
		p.m.at = at
		return ErrTruncated
	}
	p.chunk, p.cut = c.data, !c.whole
	if c.wrong {
		p.m.noteOnce("the checksum of the pixels is wrong")
	}
	return nil
}

func (m *pngMender) noteOnce(text string) {
	if !slices.Contains(m.found, text) {
		m.found = append(m.found, text)
	}
}

// reason returns the cause of the decompressor's failure.
func (p *pngPixels) reason(err error) error {
	if p.err != nil {
		return p.err
	}
	return fmt.Errorf("the data is damaged: %w", err)
}

// checkSum checks the checksum after the compressed rows, if it is in the same chunk as
// their end; otherwise zlib doesn't check it. It must be present if the rows end early.
func (p *pngPixels) checkSum(rows []byte, early bool) error {
	switch {
	case len(p.chunk) < 4 && early:
		return ErrTruncated
	case len(p.chunk) >= 4 && binary.BigEndian.Uint32(p.chunk) != adler32.Checksum(rows):
		return errors.New("the data is damaged: the checksum of the compressed pixels is wrong")
	}
	return nil
}
