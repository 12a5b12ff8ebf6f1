package draw

// Stream is a source of random numbers (splitmix64). Its own arithmetic, rather
// than a library's, is what keeps a picture the same in ten years.
type Stream struct{ state uint64 }

// NewStream returns the numbers that belong to keys and to nothing else.
func NewStream(keys ...uint64) *Stream {
	s := &Stream{state: 0x9e3779b97f4a7c15}
	for _, k := range keys {
		s.state ^= k
		s.state = s.Next()
	}
	return s
}

// StreamAt returns the stream that goes on from a state.
func StreamAt(state uint64) *Stream { return &Stream{state: state} }

// Next returns 64 random bits.
func (s *Stream) Next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit returns a number in [0, 1).
func (s *Stream) unit() float64 { return float64(s.Next()>>11) / (1 << 53) }

// In returns a number in [lo, hi).
func (s *Stream) In(lo, hi float64) float64 { return lo + float64(s.unit()*(hi-lo)) }

// Around returns a number in (-spread, spread), small ones likelier: the mean
// of two even ones.
func (s *Stream) Around(spread float64) float64 {
	a := s.unit()
	return float64((a + s.unit() - 1) * spread)
}

// Below returns a whole number in [0, n).
func (s *Stream) Below(n int) int { return int(s.Next() >> 33 % uint64(n)) }

// Chance returns true with probability p.
func (s *Stream) Chance(p float64) bool { return s.unit() < p }

// Sign returns -1 or 1.
func (s *Stream) Sign() float64 { return float64(1 - 2*s.Below(2)) }

// Pick returns one of the values.
func Pick[T any](s *Stream, values ...T) T { return values[s.Below(len(values))] }
