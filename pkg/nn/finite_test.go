package nn

import (
	"math"
	"testing"
)

// TestFirstNonFinite finds a NaN or an infinity at any place of tensors of several
// lengths.
func TestFirstNonFinite(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8, 4095, 4096, 4097, 9001} {
		data := make([]float32, n+1)
		for i := range data {
			data[i] = float32(math.MaxFloat32) * float32(1-2*(i%2))
		}
		for _, shift := range []int{0, 1} { // aligned to eight bytes and not
			part := data[shift : n+shift]
			if i := firstNonFinite(part); i != -1 {
				t.Errorf("length %d: found something at %d", n, i)
			}
			for _, at := range []int{0, n / 2, n - 1} {
				for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
					kept := part[at]
					part[at] = bad
					if i := firstNonFinite(part); i != at {
						t.Errorf("length %d: %v at %d found at %d", n, bad, at, i)
					}
					part[at] = kept
				}
			}
		}
	}
}
