// Package jpeg decodes JPEG files to the same bytes as libjpeg-turbo with its default
// settings, and so to the bytes that PIL, torchvision and OpenCV pass to a model: the
// "islow" integer inverse DCT, the smooth ("fancy") chroma upsampling, and the
// fixed-point colour conversion. It knows only the file format, ITU-T T.81, and not
// orientation, colour profiles or transforms.
//
// The standard library's image/jpeg uses the nearest chroma sample and a different
// DCT. Its pictures look right, but differ by up to tens of levels from those that a
// checkpoint was trained on.
//
// Baseline, extended sequential (8 bits) and progressive files with Huffman coding are
// read; files with arithmetic coding or 12 bits, and lossless and hierarchical files,
// are refused with an error that says so.
//
// Damaged files are treated as Pillow with libjpeg-turbo 3.2 treats them: decoded to
// the same bytes with a warning, or refused. See [Picture.Damage].
package jpeg

import (
	"errors"
	"fmt"
)

// Picture is a decoded file: Height rows of Width pixels of Channels bytes. Channels is
// 1 (grey), 3 (RGB) or 4 (CMYK as stored, which is inverted, so that 255 means no ink:
// Adobe's convention, which PIL assumes).
type Picture struct {
	Pix                     []uint8
	Width, Height, Channels int

	// Damage describes the faults in the file, "" if there are none. The pixels
	// of a damaged file are those that libjpeg gives.
	Damage string
}

// Header is the information in a file's headers.
type Header struct {
	Width, Height, Channels int
	Progressive             bool
}

// ErrTruncated is returned, wrapped, when the data ends before the picture does.
var ErrTruncated = errors.New("truncated: the data ends before the picture does")

// MaxPixels is the largest picture, width times height, that is decoded from a file too
// short to hold it. It is the size above which Pillow refuses any picture.
const MaxPixels = 178_956_970

// Decode decodes a whole file. It allocates a small multiple of the number of pixels.
// If the file is too short for the size in its header, that number is at most
// MaxPixels.
func Decode(data []byte) (*Picture, error) {
	p, err := new(Decoder).Decode(data, nil)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// DecodeHeader reads as far as the frame header.
func DecodeHeader(data []byte) (Header, error) { return new(Decoder).DecodeHeader(data) }

// Decoder decodes files one after another and reuses its memory. The zero value is
// ready to use. A Decoder may be used by one goroutine at a time.
type Decoder struct {
	state

	huffman [2][4]huffman // by class (DC, AC) and number
	memory  [4]component  // comps is a slice of it
	header  scanHeader
	bits    bitReader
	pix     []uint8 // the picture's pixels
	scratch []kept  // for smoothing
}

// state is the state of decoding one file.
type state struct {
	data []byte
	pos  int

	width, height int
	progressive   bool
	comps         []component
	maxH, maxV    int
	mcusX, mcusY  int

	quant        [4][128]int16 // each table stored twice, in the layout of two blocks
	quantDefined [4]bool
	restart      int // MCUs between restart markers, 0 for none
	jfif         bool
	adobe        bool
	transfer     byte // Adobe's colour transform
	scans        int
	buffered     bool // coefficients are stored until all scans are read
	eobRun       int32
	emitted      int // number of finished rows of the picture
	colours      conversion
	progress     progress
}

// Decode decodes a whole file. The pixels are stored in pix, overwriting its content,
// if its capacity is large enough, otherwise in new memory.
//
// A file without faults is decoded in one pass. At the first fault, the lenient decoder
// decodes the file again from its beginning and gives the result.
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

// DecodeHeader reads as far as the frame header or, in a damaged file, as far as the
// first scan.
func (d *Decoder) DecodeHeader(data []byte) (Header, error) {
	d.begin(data)
	defer d.end()
	if err := d.parse(true); err != nil {
		return pilHeader(data)
	}
	return Header{Width: d.width, Height: d.height, Channels: len(d.comps), Progressive: d.progressive}, nil
}

// begin resets the state for a new file.
func (d *Decoder) begin(data []byte) {
	d.state = state{data: data}
	for class := range d.huffman {
		for i := range d.huffman[class] {
			d.huffman[class][i].defined = false
		}
	}
}

// end drops references to the caller's memory.
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

// errDamaged stops the decoding of a file with a fault. The lenient decoder finds out
// which fault it is and whether it matters.
var errDamaged = errors.New("damaged")

// parse reads markers and decodes scans up to the end of the picture, or only up to the
// frame header.
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

// nextMarker returns the code of the marker at the current position, which may follow
// fill bytes. Of the markers without a segment only the last, EOI, is allowed here.
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

// plain reports whether both Pillow and libjpeg accept a header segment without a
// warning.
func (d *Decoder) plain(marker byte, s []byte) bool {
	var p pil
	return p.segment(marker, s) == nil && (p.profile == nil || len(p.profile) >= 14) &&
		(marker != mAPP0 || !isJFIF(s) || s[5] == 1)
}

// isJFIF reports whether application segment 0 is a JFIF header.
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
			return errors.New("corrupt: invalid conditions of arithmetic coding")
		}
	case 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF:
		return errors.New("arithmetic coding isn't supported: save the picture again as an ordinary JPEG or PNG")
	case 0xC3, 0xC5, 0xC6, 0xC7:
		return errors.New("lossless and hierarchical JPEG aren't supported: save the picture again as an ordinary JPEG or PNG")
	default:
		if marker != mDNL && marker != mCOM && (marker < mAPP0 || marker > mAPP15) {
			return fmt.Errorf("corrupt: marker %02X, which isn't valid in this kind of JPEG file", marker)
		}
	}
	return nil
}
