// Package jpeg decodes JPEG files to the same bytes that libjpeg-turbo gives
// with its default settings, and so the ones that PIL, torchvision and OpenCV
// hand to a model: the "islow" integer inverse DCT, the smooth ("fancy")
// chroma upsampling, and the fixed-point colour conversion.
//
// The standard library's image/jpeg takes the nearest chroma sample and another
// DCT, which is right to look at but up to tens of levels away from what a
// checkpoint was trained on.
//
// Baseline, extended sequential (8 bits) and progressive files with Huffman
// coding are read; arithmetic coding, 12 bits, lossless and hierarchical files
// are refused by name. The file format is ITU-T T.81.
package jpeg

import (
	"errors"
	"fmt"
)

// Picture is a decoded file: Height rows of Width pixels of Channels bytes.
// Channels is 1 (grey), 3 (RGB) or 4 (CMYK as stored: by Adobe's convention, which
// PIL takes for granted, inverted, so that 255 means no ink).
type Picture struct {
	Pix                     []uint8
	Width, Height, Channels int
}

// Header is what a file says of itself before any pixel is decoded.
type Header struct {
	Width, Height, Channels int
	Progressive             bool
}

// ErrTruncated is returned, wrapped, when the data ends before the picture does.
var ErrTruncated = errors.New("truncated: the data ends before the picture does")

// Decode decodes a whole file. It never allocates more than a small multiple of
// what a file of this length can hold, whatever the header says.
func Decode(data []byte) (*Picture, error) {
	d := &decoder{data: data}
	if err := d.parse(false); err != nil {
		return nil, err
	}
	return d.finish()
}

// Decoder decodes files one after another and keeps its memory between them. The
// zero value is ready. It serves one goroutine at a time.
type Decoder struct{}

// Decode decodes a whole file. The picture's pixels lie in the memory of pix if
// its capacity is enough (its content is overwritten), else in new memory.
func (*Decoder) Decode(data []byte, pix []uint8) (Picture, error) {
	p, err := Decode(data)
	if err != nil {
		return Picture{}, err
	}
	return *p, nil
}

// DecodeHeader reads as far as the frame header.
func DecodeHeader(data []byte) (Header, error) {
	d := &decoder{data: data}
	if err := d.parse(true); err != nil {
		return Header{}, err
	}
	return Header{Width: d.width, Height: d.height, Channels: len(d.comps), Progressive: d.progressive}, nil
}

// component is one colour plane of the frame.
type component struct {
	id      byte
	h, v    int // sampling factors, 1 to 4
	quant   byte
	dcTable byte
	acTable byte

	width, height    int        // size in samples, without padding ("downsampled" in libjpeg)
	blocksX, blocksY int        // blocks that cover the samples, for scans of one component
	paddedX, paddedY int        // blocks that whole MCUs cover
	stride           int        // of plane
	plane            []uint8    // samples, paddedY*8 rows of stride
	coefs            []int16    // all coefficients in natural order, for progressive and multi-scan files
	table            *[64]int32 // quantisation in natural order, as it was when the component's first scan began
}

// decoder holds the state of one decoding.
type decoder struct {
	data []byte
	pos  int

	width, height int
	progressive   bool
	comps         []component
	maxH, maxV    int
	mcusX, mcusY  int

	quant    [4]*[64]int32
	dc, ac   [4]*huffman
	restart  int // MCUs between restart markers, 0 for none
	jfif     bool
	adobe    bool
	transfer byte // Adobe's colour transform
	scans    int
	buffered bool // coefficients are kept until all scans are read

	bits   bitReader
	eobRun int32
}

// Markers of T.81, table B.1.
const (
	mSOF0, mSOF1, mSOF2 = 0xC0, 0xC1, 0xC2
	mDHT, mDAC          = 0xC4, 0xCC
	mRST0, mRST7        = 0xD0, 0xD7
	mSOI, mEOI          = 0xD8, 0xD9
	mSOS, mDQT, mDRI    = 0xDA, 0xDB, 0xDD
	mAPP0, mAPP14       = 0xE0, 0xEE
	mTEM                = 0x01
)

// parse reads markers and decodes scans until the end of the picture, or only
// as far as the frame header.
func (d *decoder) parse(headerOnly bool) error {
	if len(d.data) < 2 || d.data[0] != 0xFF || d.data[1] != mSOI {
		return errors.New("not a JPEG file: it doesn't begin with FF D8")
	}
	d.pos = 2
	for {
		marker, err := d.nextMarker()
		if err != nil {
			return err
		}
		if marker == mEOI {
			break
		}
		if marker >= mRST0 && marker <= mRST7 || marker == mTEM || marker == mSOI {
			continue // stray markers without a segment
		}
		segment, err := d.segment()
		if err != nil {
			return err
		}
		if err := d.handle(marker, segment); err != nil {
			return err
		}
		if headerOnly && len(d.comps) > 0 {
			return nil
		}
		if d.done() {
			if _, err := d.nextMarker(); err != nil {
				return err // PIL, too, asks for an end
			}
			break
		}
	}
	if len(d.comps) == 0 {
		return errors.New("there is no picture in the file (no frame header)")
	}
	if d.scans == 0 && !headerOnly {
		return fmt.Errorf("there are no pixels in the file: %w", ErrTruncated)
	}
	return nil
}

// done tells whether nothing that follows can change the picture.
func (d *decoder) done() bool { return d.scans > 0 && !d.buffered }

// nextMarker skips to the next marker and returns its code.
func (d *decoder) nextMarker() (byte, error) {
	for d.pos+1 < len(d.data) {
		if d.data[d.pos] == 0xFF && d.data[d.pos+1] != 0 && d.data[d.pos+1] != 0xFF {
			marker := d.data[d.pos+1]
			d.pos += 2
			return marker, nil
		}
		d.pos++
	}
	return 0, ErrTruncated
}

// segment returns the bytes of the marker segment that starts here.
func (d *decoder) segment() ([]byte, error) {
	if d.pos+2 > len(d.data) {
		return nil, ErrTruncated
	}
	n := int(d.data[d.pos])<<8 | int(d.data[d.pos+1])
	if n < 2 {
		return nil, fmt.Errorf("a marker segment claims %d bytes", n)
	}
	if d.pos+n > len(d.data) {
		return nil, ErrTruncated
	}
	s := d.data[d.pos+2 : d.pos+n]
	d.pos += n
	return s, nil
}

// handle acts on one marker segment.
func (d *decoder) handle(marker byte, s []byte) error {
	switch marker {
	case mSOF0, mSOF1, mSOF2:
		return d.frame(s, marker == mSOF2)
	case mDHT:
		return d.huffmanTables(s)
	case mDQT:
		return d.quantTables(s)
	case mDRI:
		if len(s) != 2 {
			return errors.New("the restart interval has a wrong length")
		}
		d.restart = int(s[0])<<8 | int(s[1])
	case mSOS:
		return d.scan(s)
	case mAPP0:
		d.jfif = d.jfif || len(s) >= 5 && string(s[:5]) == "JFIF\x00"
	case mAPP14:
		if len(s) >= 12 && string(s[:5]) == "Adobe" {
			d.adobe, d.transfer = true, s[11]
		}
	case mDAC, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF:
		return errors.New("arithmetic coding isn't supported: save the picture again as an ordinary JPEG or PNG")
	case 0xC3, 0xC5, 0xC6, 0xC7, 0xC8:
		return errors.New("lossless and hierarchical JPEG aren't supported: save the picture again as an ordinary JPEG or PNG")
	}
	return nil
}

// frame reads the frame header (T.81 B.2.2).
func (d *decoder) frame(s []byte, progressive bool) error {
	if len(d.comps) > 0 {
		return errors.New("a second frame header: more than one picture in the file")
	}
	if len(s) < 6 {
		return errors.New("the frame header is too short")
	}
	if s[0] != 8 {
		return fmt.Errorf("%d bits a sample aren't supported, only 8", s[0])
	}
	d.height = int(s[1])<<8 | int(s[2])
	d.width = int(s[3])<<8 | int(s[4])
	n := int(s[5])
	if d.width == 0 || d.height == 0 {
		return fmt.Errorf("the frame header says %dx%d pixels", d.width, d.height)
	}
	if n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%d colour components aren't supported, only 1, 3 or 4", n)
	}
	if len(s) != 6+3*n {
		return errors.New("the frame header has a wrong length")
	}
	d.progressive = progressive
	comps := make([]component, n)
	for i := range comps {
		c := &comps[i]
		c.id, c.h, c.v, c.quant = s[6+3*i], int(s[7+3*i]>>4), int(s[7+3*i]&15), s[8+3*i]
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3 {
			return fmt.Errorf("component %d has impossible sampling %dx%d or quantisation table %d", i, c.h, c.v, c.quant)
		}
		for j := range i {
			if comps[j].id == c.id {
				return fmt.Errorf("two components are both called %d", c.id)
			}
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
	}
	d.comps = comps
	return d.layOut()
}

// layOut computes how many blocks each component has and refuses a frame that
// the file is too short to hold: every block takes at least one bit.
func (d *decoder) layOut() error {
	d.mcusX = ceilDiv(d.width, 8*d.maxH)
	d.mcusY = ceilDiv(d.height, 8*d.maxV)
	blocks := 0
	for i := range d.comps {
		c := &d.comps[i]
		if d.maxH%c.h != 0 || d.maxV%c.v != 0 {
			return fmt.Errorf("fractional chroma sampling (%dx%d of %dx%d) isn't supported", c.h, c.v, d.maxH, d.maxV)
		}
		c.width, c.height = ceilDiv(d.width*c.h, d.maxH), ceilDiv(d.height*c.v, d.maxV)
		c.blocksX, c.blocksY = ceilDiv(c.width, 8), ceilDiv(c.height, 8)
		c.paddedX, c.paddedY = d.mcusX*c.h, d.mcusY*c.v
		c.stride = c.paddedX * 8
		blocks += c.blocksX * c.blocksY
	}
	if left := len(d.data) - d.pos; blocks > 8*left {
		return fmt.Errorf("%w: %dx%d pixels can't be in the %d bytes that follow", ErrTruncated, d.width, d.height, left)
	}
	return nil
}

// quantTables reads quantisation tables (T.81 B.2.4.1) into natural order.
func (d *decoder) quantTables(s []byte) error {
	for len(s) > 0 {
		precision, id := s[0]>>4, s[0]&15
		if id > 3 || precision > 1 {
			return fmt.Errorf("quantisation table %d of precision %d doesn't exist", id, precision)
		}
		size := 64 * (1 + int(precision))
		if len(s) < 1+size {
			return errors.New("a quantisation table is cut off")
		}
		table := new([64]int32)
		for i := range 64 {
			if precision == 0 {
				table[zigzag[i]] = int32(s[1+i])
			} else {
				table[zigzag[i]] = int32(s[1+2*i])<<8 | int32(s[2+2*i])
			}
		}
		d.quant[id] = table
		s = s[1+size:]
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// zigzag maps the order of coefficients in the file to natural (row) order
// (T.81 figure A.6). The padding lets a corrupt run step past the end safely.
var zigzag = [64 + 16]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
	63, 63, 63, 63, 63, 63, 63, 63,
	63, 63, 63, 63, 63, 63, 63, 63,
}
