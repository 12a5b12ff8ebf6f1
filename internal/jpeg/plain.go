package jpeg

// The loops over samples in plain Go, for processors and builds without vectors. The
// loops in vector_amd64.go give the same bits.

func widenPlain(sums []uint16, in []uint8) {
	sums = sums[:len(in)]
	for x, v := range in {
		sums[x] = uint16(v)
	}
}

func mixPlain(sums []uint16, near, far []uint8) {
	sums, far = sums[:len(near)], far[:len(near)]
	for x, v := range near {
		sums[x] = 3*uint16(v) + uint16(far[x])
	}
}

func quartersPlain(out []uint8, sums []uint16) {
	out = out[:2*len(sums)-4]
	last, this := sums[0], sums[1]
	for x, next := range sums[2:] {
		out[2*x] = uint8((3*this + last + 1) >> 2)
		out[2*x+1] = uint8((3*this + next + 2) >> 2)
		last, this = this, next
	}
}

func sixteenthsPlain(out []uint8, sums []uint16) {
	out = out[:2*len(sums)-4]
	last, this := sums[0], sums[1]
	for x, next := range sums[2:] {
		out[2*x] = uint8((3*this + last + 8) >> 4)
		out[2*x+1] = uint8((3*this + next + 7) >> 4)
		last, this = this, next
	}
}

func downPlain(out, near, far []uint8, bias uint16) {
	out, far = out[:len(near)], far[:len(near)]
	for x, v := range near {
		out[x] = uint8((3*uint16(v) + uint16(far[x]) + bias) >> 2)
	}
}

func yccPlain(out, ys, cbs, crs []uint8) {
	cbs, crs = cbs[:len(ys)], crs[:len(ys)]
	out = out[:3*len(ys)]
	for x, yv := range ys {
		y, cb, cr := int32(yv), cbs[x], crs[x]
		o := out[3*x : 3*x+3 : 3*x+3]
		o[0] = clamp(y + crToR[cr])
		o[1] = clamp(y + (cbToG[cb]+crToG[cr])>>16)
		o[2] = clamp(y + cbToB[cb])
	}
}
