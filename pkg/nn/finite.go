package nn

import (
	"fmt"
	"unsafe"
)

// CheckFinite returns an error that names the tensor and its first NaN or infinity.
func CheckFinite(name string, values []float32) error {
	if i := firstNonFinite(values); i >= 0 {
		return fmt.Errorf("tensor %s holds %v at index %d of %d: the weights are damaged", name, values[i], i, len(values))
	}
	return nil
}

// firstNonFinite is the index of the first NaN or infinity, -1 if there is none.
// It costs about as much as reading the memory. The eight bits of the exponent are all
// set in exactly those values, so that adding one carries into the sign's bit, which
// checks two values at a time without a branch.
func firstNonFinite(data []float32) int {
	const (
		exponents = 0x7f8000007f800000
		one       = 0x0080000000800000
		carries   = 0x8000000080000000
		chunk     = 1 << 12 // values between two looks at the carries
	)
	for start := 0; start < len(data); start += chunk {
		part := data[start:min(start+chunk, len(data))]
		var seen uint64
		if len(part) >= 2 && uintptr(unsafe.Pointer(&part[0]))%8 == 0 {
			for _, w := range unsafe.Slice((*uint64)(unsafe.Pointer(&part[0])), len(part)/2) {
				seen |= (w & exponents) + one
			}
			if len(part)%2 == 0 && seen&carries == 0 {
				continue
			}
		}
		for i, v := range part {
			if v-v != 0 { // NaN for NaN and infinities, zero for all else
				return start + i
			}
		}
	}
	return -1
}
