package jpeg

import "errors"

// errSuspended means that the part of the file that libjpeg was given has been used
// up. If it's all of the file, the file is truncated.
var errSuspended = errors.New("suspended")

// piece is how much of a file Pillow reads at a time.
const piece = 64 << 10

// source hands a file out as Pillow does, a piece at a time, the next when all that
// can be decoded of those before has been.
type source struct {
	data    []byte
	pos     int
	limit   int  // where the pieces end that were handed out
	ended   bool // no further piece is handed out
	marker  byte // code of a marker that was read and not dealt with, 0: none
	skipped int  // bytes before it that belong to nothing
}

// more hands out a piece, if there is one.
func (s *source) more() bool {
	if s.ended || s.limit >= len(s.data) {
		return false
	}
	s.limit = min(s.limit+piece, len(s.data))
	return true
}

// have makes sure that byte i is handed out.
func (s *source) have(i int) bool {
	for i >= s.limit {
		if !s.more() {
			return false
		}
	}
	return true
}

// toMarker finds the next marker and passes it.
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
		at := s.pos + 1 // of the code, after fill bytes
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

// nextMarker finds the next marker and notes what lies before it.
func (l *lenient) nextMarker() error {
	err := l.toMarker()
	if err == nil && l.skipped > 0 {
		l.damage.add(extraBytes, l.skipped, int(l.marker))
		l.skipped = 0
	}
	return err
}
