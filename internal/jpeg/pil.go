package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The checks that Pillow's own JPEG header parser makes before libjpeg reads the file.
// It stops at the first scan. If it can't parse a segment, for example one written
// wrongly by a camera or editor, it refuses the whole file.

// Segments calls visit for the marker segments before the first scan, as Pillow finds
// them; bytes between two segments are skipped. visit gets the bytes after the segment's
// length, which are empty if the length is less than that of the length field.
func Segments(data []byte, visit func(marker byte, segment []byte)) {
	// It doesn't matter here whether the walk ends at a scan, at the end or with an error.
	_ = walk(data, func(marker byte, s []byte) error {
		visit(marker, s)
		return nil
	})
}

// walk is Segments with a visit function that can fail. Markers without a segment aren't
// visited. It ends after the first scan's header.
func walk(data []byte, visit func(marker byte, s []byte) error) error {
	if !bytes.HasPrefix(data, []byte{0xFF, mSOI, 0xFF}) {
		return errors.New("not a JPEG file: it doesn't begin with FF D8 FF")
	}
	for at := 2; ; {
		n := bytes.IndexByte(data[at:], 0xFF)
		if n < 0 {
			return ErrTruncated
		}
		for at += n; at < len(data) && data[at] == 0xFF; {
			at++
		}
		if at == len(data) {
			return ErrTruncated
		}
		marker := data[at]
		at++
		switch {
		case marker == 0: // not a marker
			continue
		case marker < mSOF0:
			return fmt.Errorf("corrupt: marker %02X in the header", marker)
		case marker == mJPG || marker >= mRST0 && marker <= mEOI || marker >= mJPG0 && marker < mCOM:
			continue
		}
		if at+2 > len(data) {
			return ErrTruncated
		}
		size := int(binary.BigEndian.Uint16(data[at:]))
		end := at + max(size, 2)
		if end > len(data) {
			return ErrTruncated
		}
		if err := visit(marker, data[at+2:end]); err != nil {
			return err
		}
		if marker == mSOS {
			return nil
		}
		at = end
	}
}

// pil is the data that Pillow keeps from earlier segments.
type pil struct {
	Header
	profile []byte // the colour profile's first piece in byte order
}

// pilHeader reads a header as Pillow does, to the first scan.
func pilHeader(data []byte) (Header, error) {
	var p pil
	err := walk(data, func(marker byte, s []byte) error {
		if isFrame(marker) {
			return p.frame(s, marker, len(data))
		}
		return p.segment(marker, s)
	})
	if err == ErrTruncated { // by walk
		if p.Width == 0 {
			return Header{}, fmt.Errorf("there is no picture in the file (no frame header): %w", err)
		}
		return Header{}, fmt.Errorf("there are no pixels in the file: %w", err)
	}
	if err == nil && p.Width == 0 {
		err = errors.New("corrupt: a scan before the frame header")
	}
	if err != nil {
		return Header{}, err
	}
	return p.Header, nil
}

// isFrame reports whether Pillow treats a marker as that of a frame header.
func isFrame(marker byte) bool {
	return marker >= mSOF0 && marker <= 0xCF && marker != mDHT && marker != mJPG && marker != mDAC || marker == mDHP
}

// frame reads the frame header of a file of size bytes.
func (p *pil) frame(s []byte, marker byte, size int) error {
	if len(s) < 6 {
		return errors.New("corrupt: the frame header is too short")
	}
	height, width := int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	p.Header = Header{Width: width, Height: height, Channels: int(s[5]), Progressive: marker&3 == 2}
	if err := checkFrame(s); err != nil {
		return err
	}
	if len(p.profile) > 0 && len(p.profile) < 14 {
		return errors.New("corrupt: a colour profile is cut off")
	}
	p.profile = nil
	return checkRoom(width, height, size)
}

// checkFrame refuses unsupported kinds of pictures, and empty ones.
func checkFrame(s []byte) error {
	if s[0] != 8 {
		return fmt.Errorf("%d bits per sample aren't supported, only 8", s[0])
	}
	height, width := binary.BigEndian.Uint16(s[1:]), binary.BigEndian.Uint16(s[3:])
	if width == 0 || height == 0 {
		return fmt.Errorf("corrupt: the frame header says %dx%d pixels", width, height)
	}
	n := int(s[5])
	if n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%d colour components aren't supported, only 1, 3 or 4", n)
	}
	if len(s) != 6+3*n {
		return errors.New("corrupt: the frame header has a wrong length")
	}
	return nil
}

// checkRoom refuses a large frame that doesn't fit in a file of the given number of
// bytes: every block takes at least one bit.
func checkRoom(width, height, bytes int) error {
	if width > MaxPixels/height && ceilDiv(width, 8)*ceilDiv(height, 8) > 8*bytes {
		return fmt.Errorf("%w: %dx%d pixels don't fit in the %d bytes of the file", ErrTruncated, width, height, bytes)
	}
	return nil
}

// segment refuses segments, other than frames, that Pillow can't parse.
func (p *pil) segment(marker byte, s []byte) error {
	starts := func(name string) bool { return bytes.HasPrefix(s, []byte(name)) }
	switch {
	case marker == mAPP0 && starts("JFIF") && len(s) < 7,
		marker == mAPP14 && starts("Adobe") && len(s) < 7,
		marker == mAPP0+13 && starts("Photoshop 3.0\x00") && photoshopCut(s):
		return fmt.Errorf("corrupt: application segment %d is cut off", marker-mAPP0)
	case marker == mAPP0+2 && starts("ICC_PROFILE\x00"):
		if p.profile == nil || bytes.Compare(s, p.profile) < 0 {
			p.profile = s
		}
	case marker == mDQT:
		for len(s) > 0 {
			size := 1 + 64
			if s[0]>>4 != 0 {
				size += 64
			}
			if len(s) < size {
				return errors.New("corrupt: a quantisation table is cut off")
			}
			s = s[size:]
		}
	}
	return nil
}

// photoshopCut reports whether a Photoshop segment ends just before a block's name.
// Pillow accepts segments cut anywhere else.
func photoshopCut(s []byte) bool {
	const resolution = 0x03ED // number of the block that Pillow parses
	for at := 14; at+6 <= len(s) && string(s[at:at+4]) == "8BIM"; {
		number := binary.BigEndian.Uint16(s[at+4:])
		at += 6
		if at == len(s) {
			return true
		}
		at += 1 + int(s[at])
		at += at & 1
		if at+4 > len(s) {
			return false
		}
		size := int(binary.BigEndian.Uint32(s[at:]))
		at += 4
		if number == resolution && min(size, len(s)-at) < 14 {
			return false
		}
		at += size
		at += at & 1
	}
	return false
}
