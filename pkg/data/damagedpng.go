package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// pngMender reads a faulty PNG file chunk by chunk, as Pillow 13 does. If Pillow would
// get pixels, it writes a file without faults that has the same pixels.
//
// Pillow doesn't check the checksums of the pixel chunks and later ones, nor that the
// file has an end. Gaze is more lenient in one case: Pillow refuses a file with a wrong
// checksum in an ancillary chunk before the pixels, though that doesn't affect them.
type pngMender struct {
	data []byte
	at   int // position of the next chunk

	header  []byte // IHDR's 13 bytes
	palette []byte
	clear   []byte   // tRNS: transparent colour or palette alpha
	frames  int      // number of frames of an animation
	framed  bool     // the pixels are one of its frames
	found   []string // the damage found
}

// mendPNG returns a file without faults with the same pixels, and a description of the
// damage.
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

// pngChunk is a chunk of the file; its data may be cut off.
type pngChunk struct {
	name   string
	length int
	data   []byte
	whole  bool // the data is complete
	wrong  bool // the checksum is there too, but wrong
}

var errNoChunk = errors.New("the data is damaged: there is no PNG chunk where one should begin")

// next reads the chunk at m.at and moves past it.
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

// ancillary reports whether a decoder can ignore the chunk.
func (c pngChunk) ancillary() bool { return c.name[0]&0x20 != 0 }

func (m *pngMender) note(format string, args ...any) {
	m.found = append(m.found, fmt.Sprintf(format, args...))
}

// toPixels reads up to the first pixel chunk.
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
		case "tRNS":
			m.clear = c.data
		case "acTL":
			m.frames = int(binary.BigEndian.Uint32(c.data))
		case "fcTL":
			m.framed = true
		}
	}
}

// pngLeast are the least chunk lengths that Pillow requires.
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

// checkPNG refuses a file that has no faults, but that Pillow refuses.
func checkPNG(data []byte) error {
	m := &pngMender{data: data, at: len(pngMagic)}
	pixels := false
	for {
		c, err := m.next()
		switch {
		case err != nil && pixels:
			return nil // Pillow stops checking here
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

// pngKind is the information in a header, except the size.
type pngKind struct {
	depth, colour byte
	bits          int // bits per pixel
	interlaced    bool
}

// pngChannels are the numbers of channels of the colour types.
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

// afterPixels checks the chunks up to the end of the file.
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
			return nil // the end, or the next frame of an animation
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

// write writes a file with only the pixels.
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
	if n := min(len(m.clear), map[byte]int{0: 2, 2: 6, 3: 1 << k.depth}[k.colour]); n > 0 {
		chunk("tRNS", m.clear[:n])
	}
	chunk("IDAT", packed.Bytes())
	chunk("IEND", nil)
	return out, nil
}
