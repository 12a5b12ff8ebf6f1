//go:build goexperiment.simd

package transform

import "simd/archsimd"

// channelOf[c] makes 32-bit numbers of channel c of four RGB pixels in each half.
var channelOf = func() (m [3][32]int8) {
	for c := range m {
		for i := range m[c] {
			m[c][i] = -1
			if i%4 == 0 {
				m[c][i] = int8(3*(i%16/4) + c)
			}
		}
	}
	return m
}()

// packed leaves out every fourth byte.
var packed = func() (m [32]int8) {
	for i := range m {
		m[i] = -1
		if k := i % 16; k < 12 {
			m[i] = int8(k/3*4 + k%3)
		}
	}
	return m
}()

// reversed turns the order of five RGB pixels, from the second byte on.
var reversed = [16]int8{-1, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2}

var (
	redPart   = eight(19595)
	greenPart = eight(38470)
	bluePart  = eight(7471)
	greyHalf  = eight(1 << 15)
)

// eightPixels takes the channels of eight pixels from 28 bytes, of which the last
// four belong to others.
func eightPixels(p *[28]uint8) (r, g, b archsimd.Int32x8) {
	var v archsimd.Uint8x32
	v = v.SetLo(archsimd.LoadUint8x16((*[16]uint8)(p[:16]))).SetHi(archsimd.LoadUint8x16((*[16]uint8)(p[12:])))
	r = v.PermuteOrZeroGrouped(archsimd.LoadInt8x32(&channelOf[0])).AsInt32x8()
	g = v.PermuteOrZeroGrouped(archsimd.LoadInt8x32(&channelOf[1])).AsInt32x8()
	b = v.PermuteOrZeroGrouped(archsimd.LoadInt8x32(&channelOf[2])).AsInt32x8()
	return r, g, b
}

// greys8 is grey for eight pixels.
func greys8(r, g, b archsimd.Int32x8) archsimd.Int32x8 {
	sum := r.Mul(archsimd.LoadInt32x8(&redPart)).Add(g.Mul(archsimd.LoadInt32x8(&greenPart)))
	return sum.Add(b.Mul(archsimd.LoadInt32x8(&bluePart))).Add(archsimd.LoadInt32x8(&greyHalf)).ShiftAllRight(16)
}

// maxSummed is how many bytes' greys are added up in 32 bits.
const maxSummed = 1 << 26

// greySum adds up the greys of RGB pixels. It says how many bytes are done.
func greySum(pix []uint8) (sum, done int) {
	if !hasAVX2 {
		return 0, 0
	}
	var sums archsimd.Int32x8
	for ; done+28 <= len(pix) && done < maxSummed; done += 24 {
		sums = sums.Add(greys8(eightPixels((*[28]uint8)(pix[done:]))))
	}
	var each [8]int32
	sums.Store(&each)
	archsimd.ClearAVXUpperBits()
	for _, v := range each {
		sum += int(v)
	}
	return sum, done
}

// saturate blends RGB pixels with their greys. It says how many bytes are done.
func saturate(dst, src []uint8, factor float32) (done int) {
	if !hasAVX2 || !(factor < 1e30) { // infinite ones make NaN, whose largest is undefined
		return 0
	}
	factors := [8]float32{factor, factor, factor, factor, factor, factor, factor, factor}
	f, most := archsimd.LoadFloat32x8(&factors), archsimd.LoadInt32x8(&most255).ConvertToFloat32()
	dst = dst[:len(src)]
	for ; done+28 <= len(src); done += 24 {
		r, g, b := eightPixels((*[28]uint8)(src[done:]))
		grey := greys8(r, g, b)
		greyF := grey.ConvertToFloat32()
		r, g, b = blend8(r, grey, greyF, f, most), blend8(g, grey, greyF, f, most), blend8(b, grey, greyF, f, most)
		out := r.Or(g.ShiftAllLeft(8)).Or(b.ShiftAllLeft(16)).AsUint8x32().PermuteOrZeroGrouped(archsimd.LoadInt8x32(&packed))
		d := (*[28]uint8)(dst[done:])
		out.GetLo().Store((*[16]uint8)(d[:16]))
		out.GetHi().Store((*[16]uint8)(d[12:]))
	}
	archsimd.ClearAVXUpperBits()
	return done
}

// blend8 is blend for eight values.
func blend8(v, grey archsimd.Int32x8, greyF, f, most archsimd.Float32x8) archsimd.Int32x8 {
	var zero archsimd.Float32x8
	return v.Sub(grey).ConvertToFloat32().Mul(f).Add(greyF).Max(zero).Min(most).ConvertToInt32()
}

// blendBytes blends all bytes with one grey. It says how many are done.
func blendBytes(dst, src []uint8, grey uint8, factor float32) (done int) {
	if !hasAVX2 || !(factor < 1e30) {
		return 0
	}
	factors, greys := [8]float32{factor, factor, factor, factor, factor, factor, factor, factor}, eight(int32(grey))
	f, most := archsimd.LoadFloat32x8(&factors), archsimd.LoadInt32x8(&most255).ConvertToFloat32()
	d := archsimd.LoadInt32x8(&greys)
	dF := d.ConvertToFloat32()
	m0, m1, m2, m3 := archsimd.LoadInt8x32(&byteOf[0]), archsimd.LoadInt8x32(&byteOf[1]), archsimd.LoadInt8x32(&byteOf[2]), archsimd.LoadInt8x32(&byteOf[3])
	dst = dst[:len(src)]
	for ; done+32 <= len(src); done += 32 {
		v := archsimd.LoadUint8x32((*[32]uint8)(src[done:]))
		out := blend8(v.PermuteOrZeroGrouped(m0).AsInt32x8(), d, dF, f, most)
		out = out.Or(blend8(v.PermuteOrZeroGrouped(m1).AsInt32x8(), d, dF, f, most).ShiftAllLeft(8))
		out = out.Or(blend8(v.PermuteOrZeroGrouped(m2).AsInt32x8(), d, dF, f, most).ShiftAllLeft(16))
		out = out.Or(blend8(v.PermuteOrZeroGrouped(m3).AsInt32x8(), d, dF, f, most).ShiftAllLeft(24))
		out.AsUint8x32().Store((*[32]uint8)(dst[done:]))
	}
	archsimd.ClearAVXUpperBits()
	return done
}

// mirror3 mirrors a row of RGB pixels. It says how many bytes are done, from the
// beginning of src and the end of dst.
func mirror3(dst, src []uint8) (done int) {
	if !hasAVX2 {
		return 0
	}
	order := archsimd.LoadInt8x16(&reversed)
	for ; done+16 <= len(src); done += 15 {
		v := archsimd.LoadUint8x16((*[16]uint8)(src[done:]))
		v.PermuteOrZero(order).Store((*[16]uint8)(dst[len(src)-done-16:]))
	}
	return done
}
