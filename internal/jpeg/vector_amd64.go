//go:build goexperiment.simd

package jpeg

import "simd/archsimd"

// hasAVX2 selects the vector code; plain.go gives the same bits.
var hasAVX2 = archsimd.X86.AVX2()

func widen(sums []uint16, in []uint8) {
	if hasAVX2 && len(in) >= 16 {
		widenAVX2(sums, in)
		return
	}
	widenPlain(sums, in)
}

func mix(sums []uint16, near, far []uint8) {
	if hasAVX2 && len(near) >= 16 {
		mixAVX2(sums, near, far)
		return
	}
	mixPlain(sums, near, far)
}

func quarters(out []uint8, sums []uint16) {
	if hasAVX2 && len(sums) >= 16+2 {
		quartersAVX2(out, sums)
		return
	}
	quartersPlain(out, sums)
}

func sixteenths(out []uint8, sums []uint16) {
	if hasAVX2 && len(sums) >= 16+2 {
		sixteenthsAVX2(out, sums)
		return
	}
	sixteenthsPlain(out, sums)
}

func fancyDown(out, near, far []uint8, bias uint16) {
	if hasAVX2 && len(near) >= 16 {
		downAVX2(out, near, far, bias)
		return
	}
	downPlain(out, near, far, bias)
}

func yccToRGB(out, ys, cbs, crs []uint8) {
	if hasAVX2 && len(ys) >= 32 {
		yccAVX2(out, ys, cbs, crs)
		return
	}
	yccPlain(out, ys, cbs, crs)
}

// all[v] is v sixteen times, for v up to 8. The loops load their constants from memory:
// broadcasting a number, shifting by a variable and (in Go 1.26) any right shift of
// unsigned numbers compile to an instruction in the old SSE encoding, and switching back
// to wide vectors after it takes the processor as long as a hundred instructions.
var all = func() (a [9][16]uint16) {
	for v := range a {
		for i := range a[v] {
			a[v][i] = uint16(v)
		}
	}
	return
}()

// Each loop's last step starts where a whole vector still fits: it computes some
// samples again, with the same result.

func widenAVX2(sums []uint16, in []uint8) {
	n := len(in)
	sums = sums[:n]
	for x := 0; x < n; x += 16 {
		x = min(x, n-16)
		archsimd.LoadUint8x16Slice(in[x:]).ExtendToUint16().StoreSlice(sums[x:])
	}
	archsimd.ClearAVXUpperBits()
}

func mixAVX2(sums []uint16, near, far []uint8) {
	n := len(near)
	sums, far = sums[:n], far[:n]
	for x := 0; x < n; x += 16 {
		x = min(x, n-16)
		v := archsimd.LoadUint8x16Slice(near[x:]).ExtendToUint16()
		w := archsimd.LoadUint8x16Slice(far[x:]).ExtendToUint16()
		v.Add(v).Add(v).Add(w).StoreSlice(sums[x:])
	}
	archsimd.ClearAVXUpperBits()
}

func quartersAVX2(out []uint8, sums []uint16) {
	n := len(sums) - 2
	out = out[:2*n]
	even, odd := archsimd.LoadUint16x16(&all[1]), archsimd.LoadUint16x16(&all[2])
	for x := 0; x < n; x += 16 {
		x = min(x, n-16)
		this := archsimd.LoadUint16x16Slice(sums[x+1:])
		three := this.Add(this).Add(this)
		left := three.Add(archsimd.LoadUint16x16Slice(sums[x:])).Add(even).AsInt16x16().ShiftAllRight(2)
		right := three.Add(archsimd.LoadUint16x16Slice(sums[x+2:])).Add(odd).AsInt16x16().ShiftAllRight(2)
		left.Or(right.ShiftAllLeft(8)).AsUint8x32().StoreSlice(out[2*x:])
	}
	archsimd.ClearAVXUpperBits()
}

func sixteenthsAVX2(out []uint8, sums []uint16) {
	n := len(sums) - 2
	out = out[:2*n]
	even, odd := archsimd.LoadUint16x16(&all[8]), archsimd.LoadUint16x16(&all[7])
	for x := 0; x < n; x += 16 {
		x = min(x, n-16)
		this := archsimd.LoadUint16x16Slice(sums[x+1:])
		three := this.Add(this).Add(this)
		left := three.Add(archsimd.LoadUint16x16Slice(sums[x:])).Add(even).AsInt16x16().ShiftAllRight(4)
		right := three.Add(archsimd.LoadUint16x16Slice(sums[x+2:])).Add(odd).AsInt16x16().ShiftAllRight(4)
		left.Or(right.ShiftAllLeft(8)).AsUint8x32().StoreSlice(out[2*x:])
	}
	archsimd.ClearAVXUpperBits()
}

func downAVX2(out, near, far []uint8, bias uint16) {
	n := len(near)
	out, far = out[:n], far[:n]
	b := archsimd.LoadUint16x16(&all[bias])
	for x := 0; x < n; x += 16 {
		x = min(x, n-16)
		v := archsimd.LoadUint8x16Slice(near[x:]).ExtendToUint16()
		w := archsimd.LoadUint8x16Slice(far[x:]).ExtendToUint16()
		v = v.Add(v).Add(v).Add(w).Add(b).AsInt16x16().ShiftAllRight(2).AsUint16x16()
		narrow(v.AsUint8x32()).StoreSlice(out[x:])
	}
	archsimd.ClearAVXUpperBits()
}

// narrow keeps the lower byte of each of sixteen pairs.
func narrow(v archsimd.Uint8x32) archsimd.Uint8x16 {
	v = v.PermuteOrZeroGrouped(archsimd.LoadInt8x32(&evenBytes))
	return v.GetLo().AsUint64x2().SetElem(1, v.GetHi().AsUint64x2().GetElem(0)).AsUint8x16()
}

var evenBytes = [32]int8{
	0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1,
	0, 2, 4, 6, 8, 10, 12, 14, -1, -1, -1, -1, -1, -1, -1, -1,
}
