package jpeg

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// The build's loops give the same results as plain Go, on rows of all lengths around the
// vectors' lengths. Without vectors both are the same, and nothing is tested.

func randomBytes(r *rand.Rand, n int) []uint8 {
	b := make([]uint8, n)
	for i := range b {
		b[i] = uint8(r.Uint32())
		if r.IntN(4) == 0 { // the ends of the range are more frequent
			b[i] = uint8(-(r.Uint32() & 1))
		}
	}
	return b
}

func TestRowsAsInPlainGo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 3; n < 120; n++ {
		near, far, third := randomBytes(r, n), randomBytes(r, n), randomBytes(r, n)
		got, want := make([]uint16, n+2), make([]uint16, n+2)
		widen(got[1:], near)
		widenPlain(want[1:], near)
		if !slices.Equal(got, want) {
			t.Fatalf("widen of %d", n)
		}
		out, plain := make([]uint8, 3*n), make([]uint8, 3*n)
		quarters(out, edges(got, n))
		quartersPlain(plain, edges(want, n))
		if !bytes.Equal(out, plain) {
			t.Fatalf("quarters of %d", n)
		}
		mix(got[1:], near, far)
		mixPlain(want[1:], near, far)
		if !slices.Equal(got[1:n+1], want[1:n+1]) {
			t.Fatalf("mix of %d", n)
		}
		sixteenths(out, edges(got, n))
		sixteenthsPlain(plain, edges(want, n))
		if !bytes.Equal(out, plain) {
			t.Fatalf("sixteenths of %d", n)
		}
		for bias := range uint16(2) {
			fancyDown(out, near, far, 1+bias)
			downPlain(plain, near, far, 1+bias)
			if !bytes.Equal(out, plain) {
				t.Fatalf("down of %d", n)
			}
		}
		yccToRGB(out, near, far, third)
		yccPlain(plain, near, far, third)
		if !bytes.Equal(out, plain) {
			t.Fatalf("colours of %d", n)
		}
	}
}

// All 2^24 colours.
func TestColoursAsInPlainGo(t *testing.T) {
	ys, cbs, crs := make([]uint8, 256), make([]uint8, 256), make([]uint8, 256)
	for i := range ys {
		ys[i] = uint8(i)
	}
	out, plain := make([]uint8, 3*256), make([]uint8, 3*256)
	for c := range 1 << 16 {
		for i := range cbs {
			cbs[i], crs[i] = uint8(c), uint8(c>>8)
		}
		yccToRGB(out, ys, cbs, crs)
		yccPlain(plain, ys, cbs, crs)
		if !bytes.Equal(out, plain) {
			t.Fatalf("of Cb %d, Cr %d", cbs[0], crs[0])
		}
	}
}

func TestTransformAsInPlainGo(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 20000 {
		var coefs, quant [128]int16
		most := []int{2, 50, 1 << 15}[i%3]
		for k := range r.IntN(65) {
			coefs[zigzag[k]] = int16(r.IntN(2*most) - most)
			coefs[zigzag[k]+8] = int16(r.IntN(2*most) - most)
		}
		for k := range 64 {
			quant[zigzag[k]] = int16(1 + r.IntN([]int{1, 60, 1 << 15}[i/3%3]))
			quant[zigzag[k]+8] = quant[zigzag[k]]
		}
		var got, want [128]uint8
		idctPair(&coefs, &quant, got[:], got[8:], 16)
		idctPairPlain(&coefs, &quant, want[:], want[8:], 16)
		if got != want {
			t.Fatalf("block %d: %v, want %v", i, got, want)
		}
		// A block with only a DC coefficient.
		single := (*coefficients)(coefs[:])
		clear(single[1:])
		idct(single, (*coefficients)(quant[:]), want[:], 16)
		flat(single[0]*quant[0], got[:], 16)
		if got != want {
			t.Fatalf("flat block %d: %v, want %v", i, got, want)
		}
	}
}
