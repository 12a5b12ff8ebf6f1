package jpeg

import (
	"errors"
	"fmt"
)

// lenient decodes a file with faults. It gives the same result as libjpeg-turbo 3.2
// when Pillow 13 feeds it, by the same steps. Even the number of bytes read ahead is the
// same, because it determines which data are lost at a fault.
type lenient struct {
	*Decoder
	source
	entropy
	damage damage

	row      int // the row of MCUs being decoded, counted as in an interleaved scan
	lastGood int // the last row for which the last scan had data
}

// decodeDamaged decodes a file from its beginning and describes its faults.
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
			c.kept = resize(c.kept, c.paddedX*c.v) // one row of MCUs
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

// toFirstScan reads up to the data of the first scan. The picture may be preceded by a
// stream that holds only tables and ends without a picture.
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
			return false, errors.New("corrupt: a second start-of-image marker")
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

// segment returns the bytes of the marker segment that starts here. A segment of a kind
// that is skipped may declare a length shorter than its length field.
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

// passedOver reports whether a marker's segment doesn't affect the pixels, or affects
// only their colours.
func passedOver(marker byte) bool {
	return marker >= mAPP0 && marker <= mAPP15 || marker == mCOM || marker == mDNL
}
