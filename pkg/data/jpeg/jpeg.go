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
	p, err := new(Decoder).Decode(data, nil)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// DecodeHeader reads as far as the frame header.
func DecodeHeader(data []byte) (Header, error) { return new(Decoder).DecodeHeader(data) }

// Decoder decodes files one after another and keeps its memory between them. The
// zero value is ready. It serves one goroutine at a time.
type Decoder struct {
	state

	huffman [2][4]huffman // by class, DC and AC, and number
	memory  [4]component  // of which comps is a part
	header  scanHeader
	bits    bitReader
	pix     []uint8 // the picture's
}

// state is what is known of the file that is being decoded.
type state struct {
	data []byte
	pos  int

	width, height int
	progressive   bool
	comps         []component
	maxH, maxV    int
	mcusX, mcusY  int

	quant        [4][128]int16 // twice, as two blocks lie
	quantDefined [4]bool
	restart      int // MCUs between restart markers, 0 for none
	jfif         bool
	adobe        bool
	transfer     byte // Adobe's colour transform
	scans        int
	buffered     bool // coefficients are kept until all scans are read
	eobRun       int32
	emitted      int // rows of the picture that are done
	colours      conversion
}

// Decode decodes a whole file. The picture's pixels lie in the memory of pix if
// its capacity is enough, whatever it held, else in new memory.
func (d *Decoder) Decode(data []byte, pix []uint8) (Picture, error) {
	d.begin(data)
	d.pix = pix[:0]
	defer d.end()
	if err := d.parse(false); err != nil {
		return Picture{}, err
	}
	if err := d.finish(); err != nil {
		return Picture{}, err
	}
	return Picture{Pix: d.pix, Width: d.width, Height: d.height, Channels: len(d.comps)}, nil
}

// DecodeHeader reads as far as the frame header.
func (d *Decoder) DecodeHeader(data []byte) (Header, error) {
	d.begin(data)
	defer d.end()
	if err := d.parse(true); err != nil {
		return Header{}, err
	}
	return Header{Width: d.width, Height: d.height, Channels: len(d.comps), Progressive: d.progressive}, nil
}

// begin forgets the file before.
func (d *Decoder) begin(data []byte) {
	d.state = state{data: data}
	for class := range d.huffman {
		for i := range d.huffman[class] {
			d.huffman[class][i].defined = false
		}
	}
}

// end lets go of what belongs to the caller.
func (d *Decoder) end() { d.data, d.pix = nil, nil }

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
func (d *Decoder) parse(headerOnly bool) error {
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
func (d *Decoder) done() bool { return d.scans > 0 && !d.buffered }

// nextMarker skips to the next marker and returns its code.
func (d *Decoder) nextMarker() (byte, error) {
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
func (d *Decoder) segment() ([]byte, error) {
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
func (d *Decoder) handle(marker byte, s []byte) error {
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
