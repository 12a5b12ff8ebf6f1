package weights

import (
	"math"
	"testing"
)

// TestHalfOfHalves checks every half: each rounds to itself, and values between two
// neighbours round to the nearer one, or to the even one in the middle.
func TestHalfOfHalves(t *testing.T) {
	for h := range uint16(0x7C00) {
		here := float16(h)
		if got := halfOf(here); got != h {
			t.Fatalf("halfOf(%v) = %#04x, want %#04x", here, got, h)
		}
		if got := halfOf(-here); got != h|0x8000 {
			t.Fatalf("halfOf(%v) = %#04x, want %#04x", -here, got, h|0x8000)
		}
		if h+1 == 0x7C00 {
			continue
		}
		next := float16(h + 1)
		middle := here + (next-here)/2
		even := h + h&1
		if got := halfOf(middle); got != even {
			t.Fatalf("halfOf(%v), between %v and %v, = %#04x, want %#04x", middle, here, next, got, even)
		}
		if got := halfOf(math.Nextafter32(middle, 0)); got != h {
			t.Fatalf("just below %v: %#04x, want %#04x", middle, got, h)
		}
		if got := halfOf(math.Nextafter32(middle, 1e9)); got != h+1 {
			t.Fatalf("just above %v: %#04x, want %#04x", middle, got, h+1)
		}
	}
}

func TestHalf(t *testing.T) {
	half, err := NewTensor("w", []int{2, 2}, []float32{1, -0.1, 65504, 3e-8}).Half()
	if err != nil {
		t.Fatal(err)
	}
	if half.DType != Float16 || len(half.Bytes()) != 8 {
		t.Fatalf("%v with %d bytes", half.DType, len(half.Bytes()))
	}
	got, err := half.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{1, -0.099975586, 65504, 5.9604645e-08} {
		if got[i] != want {
			t.Errorf("element %d is %v, want %v", i, got[i], want)
		}
	}
	for _, v := range []float32{65520, float32(math.Inf(-1)), float32(math.NaN())} {
		if _, err := NewTensor("w", []int{1}, []float32{v}).Half(); err == nil {
			t.Errorf("%v became a half", v)
		}
	}
	if _, err := NewInt64s("n", []int64{1}).Half(); err == nil {
		t.Error("integers became halves")
	}
}
