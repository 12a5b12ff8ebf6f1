package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"slices"
	"strings"
)

// pngMender reads a PNG file that has a fault as Pillow 13 does, chunk by chunk. Where
// Pillow has its pixels in the end, it writes a file without fault that has the same.
//
// Pillow doesn't look at the checksums of the pixels' chunks and those after them, nor
// at whether the file has an end. In one thing Gaze goes further: a wrong checksum of
// an ancillary chunk before the pixels, which says nothing about them, makes Pillow
// refuse the file.
type pngMender struct {
	data []byte
	at   int // of the next chunk

	header  []byte // IHDR's 13 bytes
	palette []byte
	frames  int      // of an animation
	framed  bool     // the pixels are one of them
	found   []string // damage
}

// mendPNG returns a file without fault of the same pixels, and what is wrong.
func mendPNG(data []byte) (whole []byte, damage string, err error) {
	m := &pngMender{data: data, at: len(pngMagic)}
	if err := m.toPixels(); err != nil {
		return nil, "", err
	}
	kind, width, height, err := m.kind()
	if err != nil {
		return nil, "", err
	}
	if err := checkPNGSize(width, height, len(data)); err != nil {
		return nil, "", err
	}
	rows, err := m.rows(kind, width, height)
	if err != nil {
		return nil, "", err
	}
	if err := m.afterPixels(); err != nil {
		return nil, "", err
	}
	whole, err = m.write(kind, rows)
	return whole, strings.Join(m.found, "; "), err
}

// pngChunk is a piece of the file; its data may be cut off.
type pngChunk struct {
	name   string
	length int
	data   []byte
	whole  bool // the data is all there
	wrong  bool // so is the checksum, and it isn't right
}

var errNoChunk = errors.New("the data is damaged: there is no PNG chunk where one should begin")

// next reads the chunk at m.at and passes it.
func (m *pngMender) next() (pngChunk, error) {
	rest := m.data[min(m.at, len(m.data)):]
	if len(rest) < 8 {
		return pngChunk{}, ErrTruncated
	}
	c := pngChunk{name: string(rest[4:8]), length: int(binary.BigEndian.Uint32(rest))}
	for _, b := range []byte(c.name) {
		letter := b|0x20 >= 'a' && b|0x20 <= 'z'
		if !letter && b != '_' && (b < '0' || b > '9') {
			return pngChunk{}, errNoChunk
		}
	}
	m.at += c.length + 12
	c.data = rest[8:min(8+c.length, len(rest))]
	c.whole = len(c.data) == c.length
	if sum := rest[min(8+c.length, len(rest)):]; len(sum) >= 4 {
		c.wrong = binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(rest[4:8+c.length])
	}
	return c, nil
}

// ancillary tells whether a decoder may do without the chunk.
func (c pngChunk) ancillary() bool { return c.name[0]&0x20 != 0 }

func (m *pngMender) note(format string, args ...any) {
	m.found = append(m.found, fmt.Sprintf(format, args...))
}

// toPixels reads up to the first chunk of pixels.
func (m *pngMender) toPixels() error {
	for {
		start := m.at
		c, err := m.next()
		if err != nil {
			return err
		}
		switch {
		case c.name == "IDAT":
			m.at = start
			return nil
		case c.name == "IEND":
			return errors.New("the data is damaged: there are no pixels before the end")
		case !c.whole || m.at > len(m.data):
			return ErrTruncated
		case c.wrong && c.ancillary():
			m.note("the checksum of chunk %s is wrong", c.name)
			continue
		case c.wrong:
			return fmt.Errorf("the data is damaged: the checksum of chunk %s is wrong", c.name)
		}
		if err := m.check(c); err != nil {
			return err
		}
		switch c.name {
		case "IHDR":
			m.header = c.data[:13]
		case "PLTE":
			m.palette = c.data
		case "acTL":
			m.frames = int(binary.BigEndian.Uint32(c.data))
		case "fcTL":
			m.framed = true
		}
	}
}

// pngLeast are the lengths that Pillow asks of chunks before it looks into them.
var pngLeast = map[string]int{"IHDR": 13, "gAMA": 4, "cHRM": 32, "sRGB": 1, "pHYs": 9, "acTL": 8, "fcTL": 26}

// check refuses the chunks that Pillow refuses.
func (m *pngMender) check(c pngChunk) error {
	least := pngLeast[c.name]
	if c.name == "tRNS" && m.header != nil {
		least = map[byte]int{0: 2, 2: 6}[m.header[9]]
	}
	if c.length < least {
		return fmt.Errorf("the data is damaged: chunk %s is too short", c.name)
	}
	if c.name == "PLTE" && m.header != nil && m.header[9] == 3 && c.length > 3*256+2 {
		return errors.New("the data is damaged: the palette is too long")
	}
	return nil
}

// checkPNG refuses a file without fault on which Pillow fails all the same.
func checkPNG(data []byte) error {
	m := &pngMender{data: data, at: len(pngMagic)}
	pixels := false
	for {
		c, err := m.next()
		switch {
		case err != nil && pixels:
			return nil // Pillow stops looking
		case err != nil:
			return err
		case c.name == "IEND":
			return nil
		}
		pixels = pixels || c.name == "IDAT"
		if err := m.check(c); err != nil {
			return err
		}
		if c.name == "IHDR" {
			m.header = c.data[:13]
		}
	}
}

// pngKind is what a header says but the size.
type pngKind struct {
	depth, colour byte
	bits          int // of a pixel
	interlaced    bool
}

// pngChannels are those of a colour type.
var pngChannels = map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

func (m *pngMender) kind() (k pngKind, width, height int, err error) {
	if m.header == nil {
		return k, 0, 0, errors.New("the data is damaged: there is no header before the pixels")
	}
	width, height = int(binary.BigEndian.Uint32(m.header)), int(binary.BigEndian.Uint32(m.header[4:]))
	k = pngKind{depth: m.header[8], colour: m.header[9], interlaced: m.header[12] != 0}
	k.bits = int(k.depth) * pngChannels[k.colour]
	small := k.depth == 1 || k.depth == 2 || k.depth == 4
	if k.bits == 0 || !small && k.depth != 8 && k.depth != 16 || small && k.colour != 0 && k.colour != 3 || k.depth == 16 && k.colour == 3 {
		return k, 0, 0, fmt.Errorf("there are no PNG files of bit depth %d and colour type %d", k.depth, k.colour)
	}
	if m.header[11] != 0 {
		return k, 0, 0, fmt.Errorf("unknown PNG filter method %d", m.header[11])
	}
	return k, width, height, nil
}

// rows decompresses the pixels: rows of filtered bytes. Pillow goes on if the data ends
// with a row, and leaves the rest of the picture black.
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
	// zlib stops when the last row is full, at the latest at the end of the chunk.
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

// rowSizes are the bytes of each row, its filter's included, in the order they come.
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

// pngPixels reads the data of consecutive chunks of pixels.
type pngPixels struct {
	m     *pngMender
	chunk []byte // what is left of the chunk
	cut   bool   // it isn't all there
	last  bool   // no other is read
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

// open goes to the next chunk.
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

// reason is why the decompressor failed.
func (p *pngPixels) reason(err error) error {
	if p.err != nil {
		return p.err
	}
	return fmt.Errorf("the data is damaged: %w", err)
}

// checkSum checks the sum that follows the compressed rows, if it is in the same chunk
// as their end: zlib doesn't look at it else. It must be there if the rows end early.
func (p *pngPixels) checkSum(rows []byte, early bool) error {
	switch {
	case len(p.chunk) < 4 && early:
		return ErrTruncated
	case len(p.chunk) >= 4 && binary.BigEndian.Uint32(p.chunk) != adler32.Checksum(rows):
		return errors.New("the data is damaged: the checksum of the compressed pixels is wrong")
	}
	return nil
}

// afterPixels looks at the chunks up to the end of the file.
func (m *pngMender) afterPixels() error {
	for {
		if m.at >= len(m.data) {
			m.note("the end of the file is missing")
			return nil
		}
		c, err := m.next()
		switch {
		case err != nil:
			m.note("the end of the file is missing")
			return nil
		case c.name == "IEND" || c.name == "fcTL" && (m.frames > 1 || m.frames > 0 && !m.framed):
			return nil // or the next frame of an animation
		case !c.whole:
			return ErrTruncated
		case c.wrong:
			m.note("the checksum of chunk %s is wrong", c.name)
			continue
		}
		if err := m.check(c); err != nil {
			return err
		}
	}
}

// write writes a file of nothing but the pixels.
func (m *pngMender) write(k pngKind, rows []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := zlib.NewWriterLevel(&packed, zlib.NoCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(rows); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	out := []byte(pngMagic)
	chunk := func(name string, data []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		start := len(out)
		out = append(append(out, name...), data...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
	}
	header := bytes.Clone(m.header)
	header[10], header[11], header[12] = 0, 0, 0
	if k.interlaced {
		header[12] = 1
	}
	chunk("IHDR", header)
	if k.colour == 3 {
		n := min(len(m.palette)/3, 1<<k.depth)
		palette := append(bytes.Clone(m.palette[:3*n]), make([]byte, 3*(1<<k.depth-n))...)
		chunk("PLTE", palette)
	}
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return out, nil
}
