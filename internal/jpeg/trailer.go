package jpeg

import (
	"errors"
	"fmt"
)

// trailer checks the data after the only scan. Pillow has its picture by then, but
// libjpeg still refuses it if another picture or invalid data follows in the part of the
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

// checkTrailing returns the length of the marker segment at the beginning of b, or an
// error that describes its fault. If b ends too early, that isn't a fault, and the error
// is errSuspended.
func (l *lenient) checkTrailing(marker byte, b []byte) (int, error) {
	known := marker == mDHT || marker == mDQT || marker == mDRI || marker == mDAC || marker == mSOS
	if !known && !passedOver(marker) {
		return 0, l.handle(marker, nil)
	}
	if len(b) < 2 {
		return 0, errSuspended
	}
	n := int(b[0])<<8 | int(b[1])
	b, left := b[2:], n-2
	ok, err := true, error(nil)
	switch marker {
	case mSOS:
		return 0, l.checkTrailingScan(b, left)
	case mDRI:
		if ok = left == 2; ok && len(b) < 2 {
			err = errSuspended
		}
	case mDQT:
		ok, err = checkTrailingQuant(b, left)
	case mDHT:
		ok, err = checkTrailingHuffman(b, left)
	case mDAC:
		ok, err = checkConditions(b, left)
	default:
		if len(b) < left {
			err = errSuspended
		}
	}
	if err == nil && !ok {
		err = fmt.Errorf("corrupt: marker segment %02X after the picture", marker)
	}
	return max(n, 2), err
}

// checkTrailingQuant checks that b begins with quantisation tables of left bytes in
// total. libjpeg reads each to its end, whatever the segment's length.
func checkTrailingQuant(b []byte, left int) (bool, error) {
	for left > 0 {
		if len(b) < 1 {
			return false, errSuspended
		}
		if b[0]&15 > 3 {
			return false, nil
		}
		size := 1 + 64
		if b[0]>>4 != 0 {
			size += 64
		}
		if len(b) < size {
			return false, errSuspended
		}
		b, left = b[size:], left-size
	}
	return left == 0, nil
}

// checkTrailingHuffman is the same check for Huffman tables.
func checkTrailingHuffman(b []byte, left int) (bool, error) {
	for left > 16 {
		if len(b) < 17 {
			return false, errSuspended
		}
		total := 0
		for _, n := range b[1:17] {
			total += int(n)
		}
		if left -= 17; total > 256 || total > left {
			return false, nil
		}
		if len(b) < 17+total {
			return false, errSuspended
		}
		if b[0]&^0x13 != 0 {
			return false, nil
		}
		b, left = b[17+total:], left-total
	}
	return left == 0, nil
}

// checkConditions is the same check for the conditions of arithmetic coding, which a
// file with Huffman coding may contain but doesn't use.
func checkConditions(b []byte, left int) (bool, error) {
	for ; left > 0; left -= 2 {
		if len(b) < 2 {
			return false, errSuspended
		}
		if b[0] >= 32 || b[0] < 16 && b[1]&15 > b[1]>>4 {
			return false, nil
		}
		b = b[2:]
	}
	return left == 0, nil
}

// checkTrailingScan refuses another scan, unless the file ends in its header.
func (l *lenient) checkTrailingScan(b []byte, left int) error {
	again := errors.New("corrupt: another scan follows the picture")
	if len(b) < 1 {
		return errSuspended
	}
	if n := int(b[0]); left != 4+2*n || n < 1 || n > len(l.header.list) || len(b) >= left {
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
