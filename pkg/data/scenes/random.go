package scenes

// stream is a source of random numbers (splitmix64). Its own arithmetic, rather
// than a library's, is what keeps a picture the same in ten years.
type stream struct{ state uint64 }

// newStream returns the numbers that belong to keys and to nothing else.
func newStream(keys ...uint64) *stream {
	s := &stream{state: 0x9e3779b97f4a7c15}
	for _, k := range keys {
		s.state ^= k
		s.state = s.next()
	}
	return s
}

func (s *stream) next() uint64 {
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// unit returns a number in [0, 1).
func (s *stream) unit() float64 { return float64(s.next()>>11) / (1 << 53) }

// in returns a number in [lo, hi).
func (s *stream) in(lo, hi float64) float64 { return lo + float64(s.unit()*(hi-lo)) }

// around returns a number in (-spread, spread), small ones likelier: the mean
// of two even ones.
func (s *stream) around(spread float64) float64 {
	a := s.unit()
	return float64((a + s.unit() - 1) * spread)
}

// below returns a whole number in [0, n).
func (s *stream) below(n int) int { return int(s.next() >> 33 % uint64(n)) }

// chance returns true with probability p.
func (s *stream) chance(p float64) bool { return s.unit() < p }

// sign returns -1 or 1.
func (s *stream) sign() float64 { return float64(1 - 2*s.below(2)) }

// pick returns one of the values.
func pick[T any](s *stream, values ...T) T { return values[s.below(len(values))] }
