package figurepng

import "bytes"

// The filters of PNG, by the number that begins a row.
const (
	none = iota
	sub
	up
	average
	paeth
)

// channels is the number of bytes of a pixel.
const channels = 3

// filter turns rows of pixels into rows of differences from their neighbours, which are
// small numbers. For each row it takes the filter whose differences are smallest in sum,
// as image/png does, but estimates the sum from a part of the row.
type filter struct {
	row, above []byte // RGB, after a pixel of zeros
	out        []byte // the filter's number, then the differences
	first      bool
}

func newFilter(width int) *filter {
	n := channels * (width + 1)
	return &filter{row: make([]byte, n), above: make([]byte, n), out: make([]byte, 1+channels*width), first: true}
}

// next filters a row of RGBA pixels. The result is valid until the next call.
func (f *filter) next(pix []byte) []byte {
	f.row, f.above = f.above, f.row
	to := f.row[channels:]
	for len(pix) >= 4 && len(to) >= channels {
		to[0], to[1], to[2] = pix[0], pix[1], pix[2]
		pix, to = pix[4:], to[channels:]
	}
	switch {
	case !f.first && bytes.Equal(f.row, f.above):
		f.out[0] = up
		clear(f.out[1:])
	case f.first:
		f.first = false
		f.apply(sub)
	default:
		f.apply(f.choose())
	}
	return f.out
}

// Of each period of bytes in a row, a sample is looked at to choose a filter.
const (
	period = 32 * channels
	sample = 8 * channels
)

// choose estimates which filter gives the least differences. Of equal ones it takes the
// first in image/png's order.
func (f *filter) choose() byte {
	var sums [5]int
	for at := channels; at < len(f.row); at += period {
		end := min(at+sample, len(f.row))
		row, above := f.row[at:end], f.above[at:end]
		left, corner := f.row[at-channels:end-channels], f.above[at-channels:end-channels]
		above, left, corner = above[:len(row)], left[:len(row)], corner[:len(row)]
		for i, v := range row {
			a, b, c := left[i], above[i], corner[i]
			sums[none] += size(v)
			sums[sub] += size(v - a)
			sums[up] += size(v - b)
			sums[average] += size(v - byte((int(a)+int(b))/2))
			sums[paeth] += size(v - predict(a, b, c))
		}
	}
	best := byte(up)
	for _, other := range []byte{paeth, none, sub, average} {
		if sums[other] < sums[best] {
			best = other
		}
	}
	return best
}

// size is the size of a difference, which wraps around.
func size(d byte) int {
	n := int(int8(d))
	sign := n >> 63
	return (n ^ sign) - sign
}

// predict is Paeth's predictor: of left, above and corner, the one closest to left + above
// - corner. Of equally close ones it is the first.
func predict(a, b, c byte) byte {
	pa, pb := int(b)-int(c), int(a)-int(c)
	pc := magnitude(pa + pb)
	pa, pb = magnitude(pa), magnitude(pb)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func magnitude(n int) int {
	sign := n >> 63
	return (n ^ sign) - sign
}

// apply filters the row.
func (f *filter) apply(kind byte) {
	f.out[0] = kind
	row, to := f.row[channels:], f.out[1:]
	to = to[:len(row)]
	left, above, corner := f.row[:len(row)], f.above[channels:][:len(row)], f.above[:len(row)]
	switch kind {
	case none:
		copy(to, row)
	case sub:
		for i, v := range row {
			to[i] = v - left[i]
		}
	case up:
		for i, v := range row {
			to[i] = v - above[i]
		}
	case average:
		for i, v := range row {
			to[i] = v - byte((int(left[i])+int(above[i]))/2)
		}
	case paeth:
		for i, v := range row {
			to[i] = v - predict(left[i], above[i], corner[i])
		}
	}
}
