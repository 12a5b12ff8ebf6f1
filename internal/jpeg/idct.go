package jpeg

import "encoding/binary"

// The "accurate integer" inverse DCT, called islow in libjpeg: the algorithm of
// Loeffler, Ligtenberg and Moschytz (ICASSP 1989) in 13-bit fixed point, first over
// columns, keeping 2 extra bits, then over rows. Samples and intermediate sums have 16
// bits and wrap or saturate exactly where libjpeg-turbo's vector code does, which
// matters only for damaged files.
const (
	constBits = 13
	passBits  = 2

	fix0298631336 = 2446
	fix0390180644 = 3196
	fix0541196100 = 4433
	fix0765366865 = 6270
	fix0899976223 = 7373
	fix1175875602 = 9633
	fix1501321110 = 12299
	fix1847759065 = 15137
	fix1961570560 = 16069
	fix2053119869 = 16819
	fix2562915447 = 20995
	fix3072711026 = 25172
)

// butterfly transforms eight values. The results are not yet scaled down. They are
// given as sums (t10..t13) and differences (b0..b3): out[k] = t1k + b(3-k),
// out[7-k] = t1k - b(3-k).
func butterfly(s0, s1, s2, s3, s4, s5, s6, s7 int32) (t10, t11, t12, t13, b0, b1, b2, b3 int32) {
	// Even part: rotation by sqrt(2)*c(-6).
	z1 := (s2 + s6) * fix0541196100
	e2 := z1 - s6*fix1847759065
	e3 := z1 + s2*fix0765366865
	e0 := int32(int16(s0+s4)) << constBits
	e1 := int32(int16(s0-s4)) << constBits
	t10, t13 = e0+e3, e0-e3
	t11, t12 = e1+e2, e1-e2

	// Odd part (figure 8 of the paper).
	z1, z2, z3, z4 := s7+s1, s5+s3, int32(int16(s7+s3)), int32(int16(s5+s1))
	z5 := (z3 + z4) * fix1175875602
	b0, b1 = s7*fix0298631336, s5*fix2053119869
	b2, b3 = s3*fix3072711026, s1*fix1501321110
	z1 *= -fix0899976223
	z2 *= -fix2562915447
	z3 = z3*-fix1961570560 + z5
	z4 = z4*-fix0390180644 + z5
	b0 += z1 + z3
	b1 += z2 + z4
	b2 += z2 + z3
	b3 += z1 + z4
	return
}

// Two blocks are stored side by side in 128 coefficients: in rows of 16, of which the
// first 8 belong to one block and the last 8 to the other. A single block is a slice
// of 120, starting at 0 or 8.
type coefficients = [120]int16

// idctPairPlain transforms two blocks.
func idctPairPlain(coefs, quant *[128]int16, outA, outB []uint8, stride int) {
	table := (*coefficients)(quant[:])
	idct((*coefficients)(coefs[:]), table, outA, stride)
	idct((*coefficients)(coefs[8:]), table, outB, stride)
}

// idct dequantises a block and writes its 8x8 samples.
func idct(coef, quant *coefficients, out []uint8, stride int) {
	var ws [64]int32
	columns(coef, quant, &ws)
	for r := range 8 {
		w := ws[r*8 : r*8+8 : r*8+8]
		o := out[r*stride : r*stride+8 : r*stride+8]
		if w[1]|w[2]|w[3]|w[4]|w[5]|w[6]|w[7] == 0 {
			v := sample((w[0] + 1<<(passBits+2)) >> (passBits + 3))
			o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7] = v, v, v, v, v, v, v, v
			continue
		}
		t10, t11, t12, t13, b0, b1, b2, b3 := butterfly(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7])
		const shift = constBits + passBits + 3
		const half = 1 << (shift - 1)
		o[0], o[7] = sample((t10+b3+half)>>shift), sample((t10-b3+half)>>shift)
		o[1], o[6] = sample((t11+b2+half)>>shift), sample((t11-b2+half)>>shift)
		o[2], o[5] = sample((t12+b1+half)>>shift), sample((t12-b1+half)>>shift)
		o[3], o[4] = sample((t13+b0+half)>>shift), sample((t13-b0+half)>>shift)
	}
}

// columns is the first pass of idct.
func columns(coef, quant *coefficients, ws *[64]int32) {
	var below [8]int16 // nonzero for a column with nonzero values below its first
	for r := 16; r < len(coef); r += 16 {
		for c, v := range coef[r : r+8] {
			below[c] |= v
		}
	}
	wraps := below == [8]int16{}
	for c := range 8 {
		dc := coef[c] * quant[c]
		if below[c] != 0 {
			column(coef, quant, ws, c)
			continue
		}
		v := saturate(int32(dc) << passBits)
		if wraps {
			v = int32(dc << passBits)
		}
		for r := c; r < len(ws); r += 8 {
			ws[r] = v
		}
	}
}

// column is the first pass of a column.
func column(coef, quant *coefficients, ws *[64]int32, c int) {
	in, q := coef[c:c+113], quant[c:c+113]
	t10, t11, t12, t13, b0, b1, b2, b3 := butterfly(
		int32(in[0]*q[0]), int32(in[16]*q[16]), int32(in[32]*q[32]), int32(in[48]*q[48]),
		int32(in[64]*q[64]), int32(in[80]*q[80]), int32(in[96]*q[96]), int32(in[112]*q[112]))
	const shift, half = constBits - passBits, 1 << (constBits - passBits - 1)
	out := ws[c : c+57]
	out[0], out[56] = saturate((t10+b3+half)>>shift), saturate((t10-b3+half)>>shift)
	out[8], out[48] = saturate((t11+b2+half)>>shift), saturate((t11-b2+half)>>shift)
	out[16], out[40] = saturate((t12+b1+half)>>shift), saturate((t12-b1+half)>>shift)
	out[24], out[32] = saturate((t13+b0+half)>>shift), saturate((t13-b0+half)>>shift)
}

// flat fills a block that has only a DC coefficient, given dequantised.
func flat(dc int16, out []uint8, stride int) {
	v := sample((int32(dc<<passBits) + 1<<(passBits+2)) >> (passBits + 3))
	row := uint64(v) * 0x0101010101010101
	for r := range 8 {
		binary.LittleEndian.PutUint64(out[r*stride:], row)
	}
}

// sample converts a difference from the middle value to a sample.
func sample(v int32) uint8 { return clamp(v + 128) }

func saturate(v int32) int32 { return min(max(v, -1<<15), 1<<15-1) }

func clamp(v int32) uint8 {
	if uint32(v) > 255 {
		if v < 0 {
			return 0
		}
		return 255
	}
	return uint8(v)
}
