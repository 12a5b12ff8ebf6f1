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

// halves are for rounding: of the first pass and of the second, which is shifted
// in two steps.
var halves = [2][8]int32{
	times8(1 << (constBits - passBits - 1)),
	times8(1 << (constBits + passBits + 2)),
}

var all128, all255 = pairOf(128, 128), pairOf(255, 255)

func times8(v int32) [8]int32 { return [8]int32{v, v, v, v, v, v, v, v} }

// pairOf makes the factors of a sum of products of two interleaved inputs.
func pairOf(a, b int16) (f [16]int16) {
	for i := 0; i < len(f); i += 2 {
		f[i], f[i+1] = a, b
	}
	return
}

// The butterfly's factors, gathered by the two inputs that share a rotation.
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

// idctPairAVX2: each vector holds a row of both blocks, one in its lower and one
// in its upper half, and no step crosses the halves.
func idctPairAVX2(coefs, quant *[128]int16, outA, outB []uint8, stride int) {
	r0, r1 := dequantised(coefs, quant, 0), dequantised(coefs, quant, 1)
	r2, r3 := dequantised(coefs, quant, 2), dequantised(coefs, quant, 3)
	r4, r5 := dequantised(coefs, quant, 4), dequantised(coefs, quant, 5)
	r6, r7 := dequantised(coefs, quant, 6), dequantised(coefs, quant, 7)
	// Values that overflow differently in a block of one row (see columns) can't
	// come from an encoder.
	if !r0.ShiftAllLeft(passBits).ShiftAllRight(passBits).Xor(r0).IsZero() {
		archsimd.ClearAVXUpperBits()
		idctPairPlain(coefs, quant, outA, outB, stride)
		return
	}
	for pass := range halves {
		half := archsimd.LoadInt32x8(&halves[pass])
		const shift = constBits - passBits
		// Even part.
		lo, hi := r2.InterleaveLoGrouped(r6), r2.InterleaveHiGrouped(r6)
		f := archsimd.LoadInt16x16(&e3Factors)
		e3lo, e3hi := lo.DotProductPairs(f), hi.DotProductPairs(f)
		f = archsimd.LoadInt16x16(&e2Factors)
		e2lo, e2hi := lo.DotProductPairs(f), hi.DotProductPairs(f)
		var zero archsimd.Int16x16
		s, t := r0.Add(r4), r0.Sub(r4)
		const up = 16 - constBits
		e0lo := zero.InterleaveLoGrouped(s).AsInt32x8().ShiftAllRight(up).Add(half)
		e0hi := zero.InterleaveHiGrouped(s).AsInt32x8().ShiftAllRight(up).Add(half)
		e1lo := zero.InterleaveLoGrouped(t).AsInt32x8().ShiftAllRight(up).Add(half)
		e1hi := zero.InterleaveHiGrouped(t).AsInt32x8().ShiftAllRight(up).Add(half)
		t10lo, t10hi, t13lo, t13hi := e0lo.Add(e3lo), e0hi.Add(e3hi), e0lo.Sub(e3lo), e0hi.Sub(e3hi)
		t11lo, t11hi, t12lo, t12hi := e1lo.Add(e2lo), e1hi.Add(e2hi), e1lo.Sub(e2lo), e1hi.Sub(e2hi)

		// Odd part.
		z3, z4 := r7.Add(r3), r5.Add(r1)
		lo, hi = z3.InterleaveLoGrouped(z4), z3.InterleaveHiGrouped(z4)
		f = archsimd.LoadInt16x16(&z3Factors)
		z3lo, z3hi := lo.DotProductPairs(f), hi.DotProductPairs(f)
		f = archsimd.LoadInt16x16(&z4Factors)
		z4lo, z4hi := lo.DotProductPairs(f), hi.DotProductPairs(f)
		lo, hi = r7.InterleaveLoGrouped(r1), r7.InterleaveHiGrouped(r1)
		f = archsimd.LoadInt16x16(&b0Factors)
		b0lo, b0hi := lo.DotProductPairs(f).Add(z3lo), hi.DotProductPairs(f).Add(z3hi)
		f = archsimd.LoadInt16x16(&b3Factors)
		b3lo, b3hi := lo.DotProductPairs(f).Add(z4lo), hi.DotProductPairs(f).Add(z4hi)
		lo, hi = r5.InterleaveLoGrouped(r3), r5.InterleaveHiGrouped(r3)
		f = archsimd.LoadInt16x16(&b1Factors)
		b1lo, b1hi := lo.DotProductPairs(f).Add(z4lo), hi.DotProductPairs(f).Add(z4hi)
		f = archsimd.LoadInt16x16(&b2Factors)
		b2lo, b2hi := lo.DotProductPairs(f).Add(z3lo), hi.DotProductPairs(f).Add(z3hi)

		r0 = t10lo.Add(b3lo).ShiftAllRight(shift).SaturateToInt16ConcatGrouped(t10hi.Add(b3hi).ShiftAllRight(shift))
		r7 = t10lo.Sub(b3lo).ShiftAllRight(shift).SaturateToInt16ConcatGrouped(t10hi.Sub(b3hi).ShiftAllRight(shift))
		r1 = t11lo.Add(b2lo).ShiftAllRight(shift).SaturateToInt16ConcatGrouped(t11hi.Add(b2hi).ShiftAllRight(shift))
		r6 = t11lo.Sub(b2lo).ShiftAllRight(shift).SaturateToInt16ConcatGrouped(t11hi.Sub(b2hi).ShiftAllRight(shift))
		r2 = t12lo.Add(b1lo).ShiftAllRight(shift).SaturateToInt16ConcatGrouped(t12hi.Add(b1hi).ShiftAllRight(shift))
		r5 = t12lo.Sub(b1lo).ShiftAllRight(shift).SaturateToInt16ConcatGrouped(t12hi.Sub(b1hi).ShiftAllRight(shift))
		r3 = t13lo.Add(b0lo).ShiftAllRight(shift).SaturateToInt16ConcatGrouped(t13hi.Add(b0hi).ShiftAllRight(shift))
		r4 = t13lo.Sub(b0lo).ShiftAllRight(shift).SaturateToInt16ConcatGrouped(t13hi.Sub(b0hi).ShiftAllRight(shift))

		// Rows become columns.
		p0, p1 := r0.InterleaveLoGrouped(r4), r0.InterleaveHiGrouped(r4)
		p2, p3 := r1.InterleaveLoGrouped(r5), r1.InterleaveHiGrouped(r5)
		p4, p5 := r2.InterleaveLoGrouped(r6), r2.InterleaveHiGrouped(r6)
		p6, p7 := r3.InterleaveLoGrouped(r7), r3.InterleaveHiGrouped(r7)
		q0, q1 := p0.InterleaveLoGrouped(p4), p0.InterleaveHiGrouped(p4)
		q2, q3 := p1.InterleaveLoGrouped(p5), p1.InterleaveHiGrouped(p5)
		q4, q5 := p2.InterleaveLoGrouped(p6), p2.InterleaveHiGrouped(p6)
		q6, q7 := p3.InterleaveLoGrouped(p7), p3.InterleaveHiGrouped(p7)
		r0, r1 = q0.InterleaveLoGrouped(q4), q0.InterleaveHiGrouped(q4)
		r2, r3 = q1.InterleaveLoGrouped(q5), q1.InterleaveHiGrouped(q5)
		r4, r5 = q2.InterleaveLoGrouped(q6), q2.InterleaveHiGrouped(q6)
		r6, r7 = q3.InterleaveLoGrouped(q7), q3.InterleaveHiGrouped(q7)
	}
	storeRows(r0, r1, outA, outB, stride, 0)
	storeRows(r2, r3, outA, outB, stride, 2)
	storeRows(r4, r5, outA, outB, stride, 4)
	storeRows(r6, r7, outA, outB, stride, 6)
	archsimd.ClearAVXUpperBits()
}

// dequantised loads row r of both blocks.
func dequantised(coefs, quant *[128]int16, r int) archsimd.Int16x16 {
	return archsimd.LoadInt16x16((*[16]int16)(coefs[16*r:])).Mul(archsimd.LoadInt16x16((*[16]int16)(quant[16*r:])))
}

// storeRows writes rows r and r+1 of both blocks as samples.
func storeRows(v, w archsimd.Int16x16, outA, outB []uint8, stride, r int) {
	middle, most := archsimd.LoadInt16x16(&all128), archsimd.LoadInt16x16(&all255)
	var zero archsimd.Int16x16
	// The rest of the second pass's shift: what saturated before it is beyond
	// the samples' range after it, too.
	const rest = 2*passBits + 3
	v = v.ShiftAllRight(rest).Add(middle).Max(zero).Min(most)
	w = w.ShiftAllRight(rest).Add(middle).Max(zero).Min(most)
	// Bytes of v and w in turn, then all of v's before all of w's.
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
