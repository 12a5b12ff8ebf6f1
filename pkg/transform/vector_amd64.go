//go:build goexperiment.simd

package transform

import "simd/archsimd"

// hasAVX2 selects the vector code; the plain code gives the same bits.
var hasAVX2 = archsimd.X86.AVX2()

// The loops load their constants from memory: broadcasting a number takes an instruction
// in the old SSE encoding, which is slow between wide ones.
var (
	roundHalf = eight(1 << (precisionBits - 1))
	most255   = eight(255)
)

func eight(v int32) (a [8]int32) {
	for i := range a {
		a[i] = v
	}
	return a
}

// byteOf[k] moves byte k of each 32 bits into a 32-bit number.
var byteOf = func() (m [4][32]int8) {
	for k := range m {
		for i := range m[k] {
			m[k][i] = -1
			if i%4 == 0 {
				m[k][i] = int8(i%16 + k)
			}
		}
	}
	return m
}()

// pixelPair[k] makes 32-bit numbers from the channels of pixels 2k (lower half) and
// 2k+1 (upper half) of 12 bytes that are in both halves.
var pixelPair = func() (m [2][32]int8) {
	for k := range m {
		for i := range m[k] {
			m[k][i] = -1
			if c := i % 16 / 4; i%4 == 0 && c < 3 {
				m[k][i] = int8(3*(2*k+i/16) + c)
			}
		}
	}
	return m
}()

// downRow makes one row from weighted rows, 32 bytes at a time: byte 4i+k of them is
// added to number i of vector k. It returns the number of bytes done.
func downRow(dst, rows []uint8, k []int32, wide *[]int32) int {
	n := len(dst)
	if !hasAVX2 || n < 32 {
		return 0
	}
	w := resized(*wide, 8*len(k))
	*wide = w
	for i, c := range k {
		*(*[8]int32)(w[8*i:]) = [8]int32{c, c, c, c, c, c, c, c}
	}
	m0, m1, m2, m3 := archsimd.LoadInt8x32(&byteOf[0]), archsimd.LoadInt8x32(&byteOf[1]), archsimd.LoadInt8x32(&byteOf[2]), archsimd.LoadInt8x32(&byteOf[3])
	half := archsimd.LoadInt32x8(&roundHalf)
	for x := 0; x < n; x += 32 {
		x = min(x, n-32) // the last step repeats some bytes
		a, b, c, d := half, half, half, half
		at := x
		for i := 0; i < len(w); i += 8 {
			f := archsimd.LoadInt32x8((*[8]int32)(w[i:]))
			v := archsimd.LoadUint8x32((*[32]uint8)(rows[at:]))
			a = a.Add(v.PermuteOrZeroGrouped(m0).AsInt32x8().Mul(f))
			b = b.Add(v.PermuteOrZeroGrouped(m1).AsInt32x8().Mul(f))
			c = c.Add(v.PermuteOrZeroGrouped(m2).AsInt32x8().Mul(f))
			d = d.Add(v.PermuteOrZeroGrouped(m3).AsInt32x8().Mul(f))
			at += n
		}
		lower := clip8(a).Or(clip8(b).ShiftAllLeft(8))
		upper := clip8(c).ShiftAllLeft(16).Or(clip8(d).ShiftAllLeft(24))
		lower.Or(upper).AsUint8x32().Store((*[32]uint8)(dst[x:]))
	}
	archsimd.ClearAVXUpperBits()
	return n
}

// clip8 is clip for eight sums.
func clip8(v archsimd.Int32x8) archsimd.Int32x8 {
	var zero archsimd.Int32x8
	return v.ShiftAllRight(precisionBits).Max(zero).Min(archsimd.LoadInt32x8(&most255))
}

// acrossRow makes one RGB row, four source pixels at a time. It may read src beyond the
// row; those values are multiplied by 0. It returns the number of pixels done, which is
// all except those near the end of src.
func acrossRow(dst, src []uint8, t *taps) int {
	if !hasAVX2 {
		return 0
	}
	t.widen()
	m0, m1 := archsimd.LoadInt8x32(&pixelPair[0]), archsimd.LoadInt8x32(&pixelPair[1])
	half := archsimd.LoadInt32x8(&roundHalf).GetLo()
	most := archsimd.LoadInt32x8(&most255).GetLo()
	var zero archsimd.Int32x4
	var sums [4]int32
	stride := len(t.wide) / len(t.first)
	done := len(t.first)
	for x, first := range t.first {
		at, quads := 3*first, (t.counts[x]+3)/4
		if at+12*quads+4 > len(src) {
			done = x
			break
		}
		var s archsimd.Int32x8
		k := t.wide[x*stride:][:16*quads]
		for i := 0; i < len(k); i += 16 {
			pixels := archsimd.LoadUint8x16((*[16]uint8)(src[at:]))
			var v archsimd.Uint8x32
			v = v.SetLo(pixels).SetHi(pixels)
			f := (*[16]int32)(k[i:])
			s = s.Add(v.PermuteOrZeroGrouped(m0).AsInt32x8().Mul(archsimd.LoadInt32x8((*[8]int32)(f[:8]))))
			s = s.Add(v.PermuteOrZeroGrouped(m1).AsInt32x8().Mul(archsimd.LoadInt32x8((*[8]int32)(f[8:]))))
			at += 12
		}
		s.GetLo().Add(s.GetHi()).Add(half).ShiftAllRight(precisionBits).Max(zero).Min(most).Store(&sums)
		d := dst[3*x : 3*x+3 : 3*x+3]
		d[0], d[1], d[2] = uint8(sums[0]), uint8(sums[1]), uint8(sums[2])
	}
	archsimd.ClearAVXUpperBits()
	return done
}

// widen repeats each coefficient four times, for the channels of a pixel, and pads with
// zeros to a multiple of four coefficients.
func (t *taps) widen() {
	if len(t.wide) > 0 {
		return
	}
	stride := (t.size + 3) / 4 * 16
	t.wide = resized(t.wide, stride*len(t.first))
	clear(t.wide)
	for x, n := range t.counts {
		for i, c := range t.coefs[x*t.size:][:n] {
			*(*[4]int32)(t.wide[x*stride+4*i:]) = [4]int32{c, c, c, c}
		}
	}
}

// channelOf[c] makes 32-bit numbers from channel c of four RGB pixels in each half.
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

// packed drops every fourth byte.
var packed = func() (m [32]int8) {
	for i := range m {
		m[i] = -1
		if k := i % 16; k < 12 {
			m[i] = int8(k/3*4 + k%3)
		}
	}
	return m
}()

// reversed reverses the order of five RGB pixels, from the second byte on.
var reversed = [16]int8{-1, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2}

var (
	redPart   = eight(19595)
	greenPart = eight(38470)
	bluePart  = eight(7471)
	greyHalf  = eight(1 << 15)
)

// eightPixels extracts the channels of eight pixels from 28 bytes; the last four bytes
// belong to other pixels.
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

// maxSummed is the number of bytes whose greys can be summed in 32 bits.
const maxSummed = 1 << 26

// greySum adds up the greys of RGB pixels. It returns the number of bytes done.
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

// saturate blends RGB pixels with their greys. It returns the number of bytes done.
func saturate(dst, src []uint8, factor float32) (done int) {
	if !hasAVX2 || !(factor < 1e30) { // infinite factors give NaN, for which max is undefined
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

// blendBytes blends all bytes with one grey. It returns the number of bytes done.
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

// mirror3 mirrors a row of RGB pixels. It returns the number of bytes done, from the
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
