//go:build !(goexperiment.simd && amd64)

package jpeg

func idctPair(a, b, quantA, quantB *[64]int16, outA, outB []uint8, strideA, strideB int) {
	idct(a, quantA, outA, strideA)
	idct(b, quantB, outB, strideB)
}

func widen(sums []uint16, in []uint8) { widenPlain(sums, in) }

func mix(sums []uint16, near, far []uint8) { mixPlain(sums, near, far) }

func double(out []uint8, sums []uint16, shift, even, odd uint16) {
	doublePlain(out, sums, shift, even, odd)
}

func fancyDown(out, near, far []uint8, bias uint16) { downPlain(out, near, far, bias) }

func yccToRGB(out, ys, cbs, crs []uint8) { yccPlain(out, ys, cbs, crs) }
