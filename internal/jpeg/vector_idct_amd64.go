//go:build goexperiment.simd

package jpeg

import (
	"encoding/binary"
	"simd/archsimd"
)

func idctPair(coefs, quant *[128]int16, outA, outB []uint8, stride int) {
	if hasAVX2 {
		idctPairAVX2(coefs, quant, outA, outB, stride)
		return
	}
	idctPairPlain(coefs, quant, outA, outB, stride)
}

// halves are added for rounding, in the first pass and in the second, which shifts in
// two steps.
var halves = [2][8]int32{
	times8(1 << (constBits - passBits - 1)),
	times8(1 << (constBits + passBits + 2)),
}

var all128, all255 = pairOf(128, 128), pairOf(255, 255)

func times8(v int32) [8]int32 { return [8]int32{v, v, v, v, v, v, v, v} }

// pairOf makes the factors for a sum of products of two interleaved inputs.
func pairOf(a, b int16) (f [16]int16) {
	for i := 0; i < len(f); i += 2 {
		f[i], f[i+1] = a, b
	}
	return
}

// The butterfly's factors, grouped by the two inputs that share a rotation.
var (
	e3Factors = pairOf(fix0541196100+fix0765366865, fix0541196100)
	e2Factors = pairOf(fix0541196100, fix0541196100-fix1847759065)
	z3Factors = pairOf(fix1175875602-fix1961570560, fix1175875602)
	z4Factors = pairOf(fix1175875602, fix1175875602-fix0390180644)
	b0Factors = pairOf(fix0298631336-fix0899976223, -fix0899976223)
	b3Factors = pairOf(-fix0899976223, fix1501321110-fix0899976223)
	b1Factors = pairOf(fix2053119869-fix2562915447, -fix2562915447)
	b2Factors = pairOf(-fix2562915447, fix3072711026-fix2562915447)
)

// idctPairAVX2 transforms two blocks. Each vector holds a row of both blocks, one in its
// lower and one in its upper half, and no step crosses the halves.
func idctPairAVX2(coefs, quant *[128]int16, outA, outB []uint8, stride int) {
	r0, r1 := dequantised(coefs, quant, 0), dequantised(coefs, quant, 1)
	r2, r3 := dequantised(coefs, quant, 2), dequantised(coefs, quant, 3)
	r4, r5 := dequantised(coefs, quant, 4), dequantised(coefs, quant, 5)
	r6, r7 := dequantised(coefs, quant, 6), dequantised(coefs, quant, 7)
	// A block with a single row can overflow differently (see columns), but no
	// encoder writes such values.
	if !r0.ShiftAllLeft(passBits).ShiftAllRight(passBits).Xor(r0).IsZero() {
		archsimd.ClearAVXUpperBits()
		idctPairPlain(coefs, quant, outA, outB, stride)
		return
	}
	for pass := range halves {
		half := archsimd.LoadInt32x8(&halves[pass])
		// Even part.
		e0, e1 := scaledUp(r0.Add(r4), half), scaledUp(r0.Sub(r4), half)
		e2, e3 := rotated(r2, r6, &e2Factors), rotated(r2, r6, &e3Factors)
		t10, t13 := e0.add(e3), e0.sub(e3)
		t11, t12 := e1.add(e2), e1.sub(e2)
		// Odd part.
		z3, z4 := r7.Add(r3), r5.Add(r1)
		m3, m4 := rotated(z3, z4, &z3Factors), rotated(z3, z4, &z4Factors)
		b0, b3 := rotated(r7, r1, &b0Factors).add(m3), rotated(r7, r1, &b3Factors).add(m4)
		b1, b2 := rotated(r5, r3, &b1Factors).add(m4), rotated(r5, r3, &b2Factors).add(m3)

		r0, r7 = t10.add(b3).narrow(), t10.sub(b3).narrow()
		r1, r6 = t11.add(b2).narrow(), t11.sub(b2).narrow()
		r2, r5 = t12.add(b1).narrow(), t12.sub(b1).narrow()
		r3, r4 = t13.add(b0).narrow(), t13.sub(b0).narrow()

		// Transpose.
		p0, p1 := interleaved(r0, r4)
		p2, p3 := interleaved(r1, r5)
		p4, p5 := interleaved(r2, r6)
		p6, p7 := interleaved(r3, r7)
		q0, q1 := interleaved(p0, p4)
		q2, q3 := interleaved(p1, p5)
		q4, q5 := interleaved(p2, p6)
		q6, q7 := interleaved(p3, p7)
		r0, r1 = interleaved(q0, q4)
		r2, r3 = interleaved(q1, q5)
		r4, r5 = interleaved(q2, q6)
		r6, r7 = interleaved(q3, q7)
	}
	storeRows(r0, r1, outA, outB, stride, 0)
	storeRows(r2, r3, outA, outB, stride, 2)
	storeRows(r4, r5, outA, outB, stride, 4)
	storeRows(r6, r7, outA, outB, stride, 6)
	archsimd.ClearAVXUpperBits()
}

// wide is a row in 32 bits: the first four and the last four values of each block.
type wide struct{ lo, hi archsimd.Int32x8 }

func (a wide) add(b wide) wide { return wide{a.lo.Add(b.lo), a.hi.Add(b.hi)} }

func (a wide) sub(b wide) wide { return wide{a.lo.Sub(b.lo), a.hi.Sub(b.hi)} }

// narrow scales down as at the end of the first pass.
func (a wide) narrow() archsimd.Int16x16 {
	const shift = constBits - passBits
	return a.lo.ShiftAllRight(shift).SaturateToInt16ConcatGrouped(a.hi.ShiftAllRight(shift))
}

// scaledUp shifts left by constBits and adds half of narrow's rounding unit.
func scaledUp(v archsimd.Int16x16, half archsimd.Int32x8) wide {
	var zero archsimd.Int16x16
	lo, hi := interleaved(zero, v) // 16 more bits
	return wide{
		lo.AsInt32x8().ShiftAllRight(16 - constBits).Add(half),
		hi.AsInt32x8().ShiftAllRight(16 - constBits).Add(half),
	}
}

// rotated is a times the first factor plus b times the second.
func rotated(a, b archsimd.Int16x16, factors *[16]int16) wide {
	f := archsimd.LoadInt16x16(factors)
	lo, hi := interleaved(a, b)
	return wide{lo.DotProductPairs(f), hi.DotProductPairs(f)}
}

func interleaved(a, b archsimd.Int16x16) (lo, hi archsimd.Int16x16) {
	return a.InterleaveLoGrouped(b), a.InterleaveHiGrouped(b)
}

// dequantised loads row r of both blocks.
func dequantised(coefs, quant *[128]int16, r int) archsimd.Int16x16 {
	return archsimd.LoadInt16x16((*[16]int16)(coefs[16*r:])).Mul(archsimd.LoadInt16x16((*[16]int16)(quant[16*r:])))
}

// storeRows writes rows r and r+1 of both blocks as samples.
func storeRows(v, w archsimd.Int16x16, outA, outB []uint8, stride, r int) {
	middle, most := archsimd.LoadInt16x16(&all128), archsimd.LoadInt16x16(&all255)
	var zero archsimd.Int16x16
	// The rest of the second pass's shift. Values saturated before it are
	// outside the samples' range after it too.
	const rest = 2*passBits + 3
	v = v.ShiftAllRight(rest).Add(middle).Max(zero).Min(most)
	w = w.ShiftAllRight(rest).Add(middle).Max(zero).Min(most)
	// First the bytes of v and w alternate, then all of v's come before all of w's.
	both := v.Or(w.ShiftAllLeft(8)).AsUint8x32().PermuteOrZeroGrouped(archsimd.LoadInt8x32(&apart))
	a, b := both.GetLo().AsUint64x2(), both.GetHi().AsUint64x2()
	binary.LittleEndian.PutUint64(outA[r*stride:], a.GetElem(0))
	binary.LittleEndian.PutUint64(outA[(r+1)*stride:], a.GetElem(1))
	binary.LittleEndian.PutUint64(outB[r*stride:], b.GetElem(0))
	binary.LittleEndian.PutUint64(outB[(r+1)*stride:], b.GetElem(1))
}

var apart = [32]int8{
	0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15,
	0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15,
}
