//go:build goexperiment.simd

package jpeg

import "simd/archsimd"

// yccAVX2 computes the results of yccPlain in 16 bits. With x the chroma difference,
//
//	91881x/2^16 = x + 26345x/2^16 and 116130x/2^16 = 2x - 14942x/2^16,
//
// and floor(ax/2^16 + 1/2) is (high half of 2x*a, plus 1) / 2, whose factors fit in 16
// bits. Green has two terms before rounding, -22554cb - 46802cr, which is a sum of
// products of 16-bit pairs with 46802 = 65536 - 18734.
func yccAVX2(out, ys, cbs, crs []uint8) {
	n := len(ys)
	cbs, crs, out = cbs[:n], crs[:n], out[:3*n]
	low := archsimd.LoadInt16x16(&all255)
	for x := 0; x < n; x += 32 {
		x = min(x, n-32)
		// Even pixels are the lower bytes of pairs, odd ones the upper.
		y := archsimd.LoadUint8x32Slice(ys[x:]).AsInt16x16()
		cb := archsimd.LoadUint8x32Slice(cbs[x:]).AsInt16x16()
		cr := archsimd.LoadUint8x32Slice(crs[x:]).AsInt16x16()
		r0, g0, b0 := yccPixels(y.And(low), cb.And(low), cr.And(low))
		r1, g1, b1 := yccPixels(y.ShiftAllRight(8).And(low), cb.ShiftAllRight(8).And(low), cr.ShiftAllRight(8).And(low))
		r := r0.Or(r1.ShiftAllLeft(8)).AsUint8x32()
		g := g0.Or(g1.ShiftAllLeft(8)).AsUint8x32()
		b := b0.Or(b1.ShiftAllLeft(8)).AsUint8x32()
		storeRGB((*[96]uint8)(out[3*x:]), r, g, b)
	}
	archsimd.ClearAVXUpperBits()
}

var (
	allOnes      = pairOf(1, 1)
	redFactors   = pairOf(26345, 26345)
	blueFactors  = pairOf(-14942, -14942)
	greenFactors = pairOf(-22554, 18734)
	halfGreen    = times8(1 << 15)
)

// yccPixels converts 16 pixels to values from 0 to 255.
func yccPixels(y, cb, cr archsimd.Int16x16) (r, g, b archsimd.Int16x16) {
	middle := archsimd.LoadInt16x16(&all128)
	cb, cr = cb.Sub(middle), cr.Sub(middle)
	one := archsimd.LoadInt16x16(&allOnes)
	cb2, cr2 := cb.Add(cb), cr.Add(cr)

	r = cr2.MulHigh(archsimd.LoadInt16x16(&redFactors)).Add(one).ShiftAllRight(1).Add(cr).Add(y)
	b = cb2.MulHigh(archsimd.LoadInt16x16(&blueFactors)).Add(one).ShiftAllRight(1).Add(cb2).Add(y)

	f, half := archsimd.LoadInt16x16(&greenFactors), archsimd.LoadInt32x8(&halfGreen)
	lo := cb.InterleaveLoGrouped(cr).DotProductPairs(f).Add(half).ShiftAllRight(16)
	hi := cb.InterleaveHiGrouped(cr).DotProductPairs(f).Add(half).ShiftAllRight(16)
	g = lo.SaturateToInt16ConcatGrouped(hi).Sub(cr).Add(y)

	most := archsimd.LoadInt16x16(&all255)
	var zero archsimd.Int16x16
	return r.Max(zero).Min(most), g.Max(zero).Min(most), b.Max(zero).Min(most)
}

// storeRGB interleaves 32 pixels.
func storeRGB(out *[96]uint8, r, g, b archsimd.Uint8x32) {
	first, second, third := pick(r, g, b, 0), pick(r, g, b, 1), pick(r, g, b, 2)
	first.Select128FromPair(0, 2, second).Store((*[32]uint8)(out[0:]))
	third.Select128FromPair(0, 3, first).Store((*[32]uint8)(out[32:]))
	second.Select128FromPair(1, 3, third).Store((*[32]uint8)(out[64:]))
}

// pick returns the i-th 16 of the 48 bytes that each half of r, g and b makes.
func pick(r, g, b archsimd.Uint8x32, i int) archsimd.Uint8x32 {
	m := &interleaving[i]
	return r.PermuteOrZeroGrouped(archsimd.LoadInt8x32(&m[0])).
		Or(g.PermuteOrZeroGrouped(archsimd.LoadInt8x32(&m[1]))).
		Or(b.PermuteOrZeroGrouped(archsimd.LoadInt8x32(&m[2])))
}

// interleaving gives, for each 16 of 48 bytes and each colour, the positions of its 16
// bytes; -1 marks positions of another colour.
var interleaving = func() (m [3][3][32]int8) {
	for i := range m {
		for c := range m[i] {
			for at := range m[i][c] {
				m[i][c][at] = -1
				if k := 16*i + at%16; k%3 == c {
					m[i][c][at] = int8(k / 3)
				}
			}
		}
	}
	return
}()
