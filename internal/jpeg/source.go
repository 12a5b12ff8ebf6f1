package jpeg

import "errors"

// errSuspended means that the part of the file given to libjpeg is used up. If that is
// the whole file, the file is truncated.
var errSuspended = errors.New("suspended")

// piece is the number of bytes that Pillow reads at a time.
const piece = 64 << 10

// source supplies a file as Pillow does, a piece at a time: the next piece is supplied
// when everything decodable in the previous ones has been decoded.
type source struct {
	data    []byte
	pos     int
	limit   int  // end of the pieces supplied so far
	ended   bool // no further piece is supplied
	marker  byte // code of a marker that was read but not handled yet, 0: none
	skipped int  // number of stray bytes before it
}

// more supplies the next piece, if there is one.
func (s *source) more() bool {
	if s.ended || s.limit >= len(s.data) {
		return false
	}
	s.limit = min(s.limit+piece, len(s.data))
	return true
}

// have checks that byte i has been supplied.
func (s *source) have(i int) bool {
	for i >= s.limit {
		if !s.more() {
			return false
		}
	}
	return true
}

// toMarker finds the next marker and moves past it.
func (s *source) toMarker() error {
	for {
		for ; ; s.pos++ {
			if !s.have(s.pos) {
				return errSuspended
			}
			if s.data[s.pos] == 0xFF {
				break
			}
			s.skipped++
		}
		at := s.pos + 1 // position of the code, after fill bytes
		for s.have(at) && s.data[at] == 0xFF {
			at++
		}
		if !s.have(at) {
			return errSuspended
		}
		s.pos = at + 1
		if s.data[at] != 0 {
			s.marker = s.data[at]
			return nil
		}
		s.skipped += 2
	}
}

// nextMarker finds the next marker and counts the stray bytes before it.
func (l *lenient) nextMarker() error {
	err := l.toMarker()
	if err == nil && l.skipped > 0 {
		l.damage.add(extraBytes, l.skipped, int(l.marker))
		l.skipped = 0
	}
	return err
}
