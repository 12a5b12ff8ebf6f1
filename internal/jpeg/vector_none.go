//go:build !(goexperiment.simd && amd64)

package jpeg

func idctPair(coefs, quant *[128]int16, outA, outB []uint8, stride int) {
	idctPairPlain(coefs, quant, outA, outB, stride)
}

func widen(sums []uint16, in []uint8) { widenPlain(sums, in) }

func mix(sums []uint16, near, far []uint8) { mixPlain(sums, near, far) }

func quarters(out []uint8, sums []uint16) { quartersPlain(out, sums) }

func sixteenths(out []uint8, sums []uint16) { sixteenthsPlain(out, sums) }

func fancyDown(out, near, far []uint8, bias uint16) { downPlain(out, near, far, bias) }

func yccToRGB(out, ys, cbs, crs []uint8) { yccPlain(out, ys, cbs, crs) }
