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
//
// Damaged files are read as Pillow reads them with libjpeg-turbo 3.2: to the same
// bytes, with a warning, or refused. See [Picture.Damage].
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

	// Damage says what is wrong with the file, "" if nothing is. The pixels are
	// then what libjpeg makes of the rest.
	Damage string
}

// Header is what a file says of itself before any pixel is decoded.
type Header struct {
	Width, Height, Channels int
	Progressive             bool
}

// ErrTruncated is returned, wrapped, when the data ends before the picture does.
var ErrTruncated = errors.New("truncated: the data ends before the picture does")

// MaxPixels is the largest picture, width times height, that is decoded of a file
// which is too short to hold it. It is where Pillow refuses any picture.
const MaxPixels = 178_956_970

// Decode decodes a whole file. What it allocates is a small multiple of the number
// of pixels. Of a file that is too short for what its header says, these are at
// most MaxPixels.
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
	scratch []kept  // of smoothing
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
	progress     progress
}

// Decode decodes a whole file. The picture's pixels lie in the memory of pix if
// its capacity is enough, whatever it held, else in new memory.
//
// Files without any fault are decoded in one go. On the first fault the file is
// decoded from its beginning by the lenient decoder, which has the last word.
func (d *Decoder) Decode(data []byte, pix []uint8) (Picture, error) {
	d.begin(data)
	d.pix = pix[:0]
	defer d.end()
	err := d.parse(false)
	if err == nil {
		err = d.finish()
	}
	damage := ""
	if err != nil {
		if damage, err = d.decodeDamaged(data); err != nil {
			return Picture{}, err
		}
	}
	return Picture{Pix: d.pix, Width: d.width, Height: d.height, Channels: len(d.comps), Damage: damage}, nil
}

// DecodeHeader reads as far as the frame header, of a damaged file as far as the
// first scan.
func (d *Decoder) DecodeHeader(data []byte) (Header, error) {
	d.begin(data)
	defer d.end()
	if err := d.parse(true); err != nil {
		return pilHeader(data)
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
	mSOS, mDQT          = 0xDA, 0xDB
	mDNL, mDRI          = 0xDC, 0xDD
	mAPP0, mAPP14       = 0xE0, 0xEE
	mAPP15, mCOM        = 0xEF, 0xFE
	mJPG, mJPG0, mDHP   = 0xC8, 0xF0, 0xDE
	mTEM                = 0x01
)

// errDamaged ends the decoding of a file that isn't without fault. The lenient
// decoder finds out what the fault is and whether it matters.
var errDamaged = errors.New("damaged")

// parse reads markers and decodes scans until the end of the picture, or only
// as far as the frame header.
func (d *Decoder) parse(headerOnly bool) error {
	if len(d.data) < 2 || d.data[0] != 0xFF || d.data[1] != mSOI {
		return errDamaged
	}
	d.pos = 2
	for {
		marker, err := d.nextMarker()
		if err != nil {
			return err
		}
		if marker == mEOI {
			if d.scans == 0 {
				return errDamaged
			}
			return nil
		}
		segment, err := d.segment()
		if err != nil {
			return err
		}
		if d.scans == 0 && !d.plain(marker, segment) {
			return errDamaged
		}
		if marker == mSOS {
			err = d.scan(segment)
		} else {
			err = d.handle(marker, segment)
		}
		if err != nil {
			return err
		}
		if headerOnly && len(d.comps) > 0 {
			return nil
		}
		if d.scans > 0 && !d.buffered {
			if marker, err := d.nextMarker(); err != nil || marker != mEOI {
				return errDamaged
			}
			return nil
		}
	}
}

// nextMarker returns the code of the marker that stands here, perhaps after fill
// bytes. Those that have no segment are out of place here, but for the last.
func (d *Decoder) nextMarker() (byte, error) {
	start := d.pos
	for d.pos < len(d.data) && d.data[d.pos] == 0xFF {
		d.pos++
	}
	if d.pos == start || d.pos == len(d.data) {
		return 0, errDamaged
	}
	marker := d.data[d.pos]
	if marker < mSOF0 || marker == mSOI {
		return 0, errDamaged
	}
	d.pos++
	return marker, nil
}

// segment returns the bytes of the marker segment that starts here.
func (d *Decoder) segment() ([]byte, error) {
	if d.pos+2 > len(d.data) {
		return nil, errDamaged
	}
	n := int(d.data[d.pos])<<8 | int(d.data[d.pos+1])
	if n < 2 || d.pos+n > len(d.data) {
		return nil, errDamaged
	}
	s := d.data[d.pos+2 : d.pos+n]
	d.pos += n
	return s, nil
}

// plain tells whether neither Pillow nor libjpeg has anything to say against a segment
// of the header.
func (d *Decoder) plain(marker byte, s []byte) bool {
	var p pil
	return p.segment(marker, s) == nil && (p.profile == nil || len(p.profile) >= 14) &&
		(marker != mAPP0 || !isJFIF(s) || s[5] == 1)
}

// isJFIF tells whether application segment 0 is that of a JFIF file.
func isJFIF(s []byte) bool { return len(s) >= 14 && string(s[:5]) == "JFIF\x00" }

// handle acts on a marker segment other than a scan's.
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
			return errors.New("corrupt: the restart interval has a wrong length")
		}
		d.restart = int(s[0])<<8 | int(s[1])
	case mAPP0:
		d.jfif = d.jfif || isJFIF(s)
	case mAPP14:
		if len(s) >= 12 && string(s[:5]) == "Adobe" {
			d.adobe, d.transfer = true, s[11]
		}
	case mDAC:
		if ok, _ := checkConditions(s, len(s)); !ok {
			return errors.New("corrupt: conditions of arithmetic coding that can't be")
		}
	case 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF:
		return errors.New("arithmetic coding isn't supported: save the picture again as an ordinary JPEG or PNG")
	case 0xC3, 0xC5, 0xC6, 0xC7:
		return errors.New("lossless and hierarchical JPEG aren't supported: save the picture again as an ordinary JPEG or PNG")
	default:
		if marker != mDNL && marker != mCOM && (marker < mAPP0 || marker > mAPP15) {
			return fmt.Errorf("corrupt: marker %02X, which no JPEG file of this kind has", marker)
		}
	}
	return nil
}
