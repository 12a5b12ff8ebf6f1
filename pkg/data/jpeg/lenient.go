package jpeg

import (
	"errors"
	"fmt"
)

// lenient decodes a file that isn't without fault. It makes of it what
// libjpeg-turbo 3.2 makes of it when Pillow 13 feeds it, by the same steps, down to
// how many bytes are read ahead, since that decides what is lost at a fault.
type lenient struct {
	*Decoder
	source
	entropy
	damage damage

	row      int // of MCUs, in an interleaved scan's sense, that is being decoded
	lastGood int // the last row for which the last scan had data
}

// decodeDamaged decodes a file from its beginning and says what is wrong with it.
func (d *Decoder) decodeDamaged(data []byte) (string, error) {
	if _, err := pilHeader(data); err != nil {
		return "", err
	}
	pix := d.pix
	d.begin(data)
	d.pix = pix[:0]
	l := &lenient{Decoder: d, source: source{data: data}}
	err := l.decode()
	if errors.Is(err, errSuspended) {
		err = ErrTruncated
	}
	if err != nil {
		return "", err
	}
	return l.damage.String(), nil
}

func (l *lenient) decode() error {
	if err := l.toFirstScan(); err != nil {
		return err
	}
	d := l.Decoder
	d.buffered = d.progressive || len(d.header.comps) < len(d.comps)
	if !d.coloursKnown() {
		l.damage.add(unknownColours, int(d.transfer), 0)
	}
	d.allocate()
	if !d.buffered {
		for i := range d.comps {
			c := &d.comps[i]
			c.kept = resize(c.kept, c.paddedX*c.v) // of one row of MCUs
		}
		if err := l.decodeScan(); err != nil {
			return err
		}
		return l.trailer()
	}
	for more := true; more; {
		err := l.decodeScan()
		if err == nil {
			more, err = l.markers()
		}
		if err != nil {
			return err
		}
	}
	l.output()
	return nil
}

// toFirstScan reads to the data of the first scan. A file of tables only, which ends
// without a picture, may come before the one that has the picture.
func (l *lenient) toFirstScan() error {
	for {
		if l.have(l.pos+1) && (l.data[l.pos] != 0xFF || l.data[l.pos+1] != mSOI) {
			return errors.New("corrupt: there is no picture after the tables")
		}
		l.pos += 2
		l.skipped = 0
		l.restart, l.jfif, l.adobe = 0, false, false
		scan, err := l.markers()
		if scan || err != nil {
			return err
		}
		if len(l.comps) > 0 {
			return fmt.Errorf("there are no pixels in the file: %w", ErrTruncated)
		}
	}
}

// markers reads marker segments until a scan begins (true) or the picture ends.
func (l *lenient) markers() (scan bool, err error) {
	for {
		if l.marker == 0 {
			if err := l.nextMarker(); err != nil {
				return false, err
			}
		}
		marker := l.marker
		l.marker = 0
		switch {
		case marker == mEOI:
			return false, nil
		case marker == mSOI:
			return false, errors.New("corrupt: a second beginning of a picture")
		case marker == mTEM || marker >= mRST0 && marker <= mRST7:
			continue
		}
		s, err := l.segment(marker)
		if err != nil {
			return false, err
		}
		if marker == mSOS {
			return true, l.beginScan(s)
		}
		if err := l.handle(marker, s); err != nil {
			return false, err
		}
		if marker == mAPP0 && isJFIF(s) && s[5] != 1 {
			l.damage.add(unknownJFIF, int(s[5]), int(s[6]))
		}
	}
}

// segment returns the bytes of the marker segment that starts here. One of a kind
// that is passed over may claim to be too short for its own length.
func (l *lenient) segment(marker byte) ([]byte, error) {
	if !l.have(l.pos + 1) {
		return nil, errSuspended
	}
	n := int(l.data[l.pos])<<8 | int(l.data[l.pos+1])
	if n < 2 {
		if !passedOver(marker) {
			return nil, fmt.Errorf("corrupt: a marker segment claims %d bytes", n)
		}
		n = 2
	}
	if !l.have(l.pos + n - 1) {
		return nil, errSuspended
	}
	s := l.data[l.pos+2 : l.pos+n]
	l.pos += n
	return s, nil
}

// passedOver tells whether a marker's segment says nothing about the pixels, or only
// which colours they have.
func passedOver(marker byte) bool {
	return marker >= mAPP0 && marker <= mAPP15 || marker == mCOM || marker == mDNL
}

// trailer looks at what follows the only scan. Pillow has its picture by then, but
// libjpeg still refuses it if another picture or nonsense follows in the part of the
// file that it was given.
func (l *lenient) trailer() error {
	l.ended = true
	for {
		if l.marker == 0 && l.nextMarker() != nil {
			return nil
		}
		marker := l.marker
		l.marker = 0
		switch {
		case marker == mEOI:
			return nil
		case marker == mSOI || isFrame(marker) && marker != mDHP || marker == mJPG:
			return errors.New("corrupt: another picture follows in the file")
		case marker == mTEM || marker >= mRST0 && marker <= mRST7:
			continue
		}
		n, err := l.checkTrailing(marker, l.data[l.pos:l.limit])
		if errors.Is(err, errSuspended) {
			return nil
		}
		if err != nil {
			return err
		}
		l.pos += n
	}
}

// checkTrailing returns the length of a marker segment at the beginning of b, or what
// is wrong with it. What b is too short for isn't wrong.
func (l *lenient) checkTrailing(marker byte, b []byte) (int, error) {
	if marker != mDHT && marker != mDQT && marker != mDRI && marker != mDAC && marker != mSOS && !passedOver(marker) {
		return 0, l.handle(marker, nil)
	}
	if len(b) < 2 {
		return 0, errSuspended
	}
	n := int(b[0])<<8 | int(b[1])
	b = b[2:]
	wrong := fmt.Errorf("corrupt: marker segment %02X after the picture", marker)
	left := n - 2
	switch marker {
	case mDRI:
		if left != 2 {
			return 0, wrong
		}
	case mSOS:
		return 0, l.checkTrailingScan(b, left)
	case mDQT:
		for ; left > 0; b = b[65:] {
			if len(b) < 1 {
				return 0, errSuspended
			}
			if b[0]&15 > 3 {
				return 0, wrong
			}
			left -= 65
			if b[0]>>4 != 0 {
				left -= 64
				b = b[min(64, len(b)):]
			}
			if len(b) < 65 {
				return 0, errSuspended
			}
		}
	case mDHT:
		for left > 16 {
			if len(b) < 17 {
				return 0, errSuspended
			}
			total := 0
			for _, n := range b[1:17] {
				total += int(n)
			}
			left -= 17
			if total > 256 || total > left {
				return 0, wrong
			}
			if len(b) < 17+total {
				return 0, errSuspended
			}
			if b[0]&^0x13 != 0 {
				return 0, wrong
			}
			left -= total
			b = b[17+total:]
		}
	case mDAC:
		for ; left > 0; left -= 2 {
			if len(b) < 2 {
				return 0, errSuspended
			}
			if b[0] >= 32 || b[0] < 16 && b[1]&15 > b[1]>>4 {
				return 0, wrong
			}
			b = b[2:]
		}
	}
	if left < 0 && !passedOver(marker) || left > 0 && (marker == mDHT || marker == mDAC) {
		return 0, wrong
	}
	if n > 2 && passedOver(marker) && len(b) < left || marker == mDRI && len(b) < 2 {
		return 0, errSuspended
	}
	return max(n, 2), nil
}

// checkTrailingScan refuses another scan, unless the file ends in its header.
func (l *lenient) checkTrailingScan(b []byte, left int) error {
	again := errors.New("corrupt: another scan follows the picture")
	if len(b) < 1 {
		return errSuspended
	}
	if n := int(b[0]); left != 4+2*n || n < 1 || n > 4 || len(b) >= left {
		return again
	}
	l.header.comps = l.header.list[:0]
	for names := b[1:]; len(names) >= 2 && len(l.header.comps) < int(b[0]); names = names[2:] {
		c, err := l.scanned(names[0])
		if err != nil {
			return again
		}
		l.header.comps = append(l.header.comps, c)
	}
	return errSuspended
}
