package jpeg

// conversion is a colour conversion.
type conversion uint8

const (
	asStored conversion = iota // grey, RGB and CMYK
	fromYCC                    // YCbCr to RGB
	fromYCCK                   // YCbCr and black to CMYK
)

// conversion selects the conversion as libjpeg does by default: from the JFIF and Adobe
// markers, otherwise from the component ids.
func (d *Decoder) conversion() conversion {
	switch len(d.comps) {
	case 3:
		ids := [3]byte{d.comps[0].id, d.comps[1].id, d.comps[2].id}
		rgb := !d.jfif && (d.adobe && d.transfer == 0 || !d.adobe && ids == [3]byte{'R', 'G', 'B'})
		if !rgb {
			return fromYCC
		}
	case 4:
		if d.adobe && d.transfer != 0 {
			return fromYCCK
		}
	}
	return asStored
}

// coloursKnown reports whether the Adobe marker's colour transform is a known one.
func (d *Decoder) coloursKnown() bool {
	if !d.adobe || d.transfer == 0 {
		return true
	}
	switch len(d.comps) {
	case 3:
		return d.jfif || d.transfer == 1
	case 4:
		return d.transfer == 2
	}
	return true
}

// convert writes a row of pixels from the components' rows at full width.
func (d *Decoder) convert(out []uint8, rows *[4][]uint8) {
	switch d.colours {
	case fromYCC:
		yccToRGB(out, rows[0], rows[1], rows[2])
	case fromYCCK:
		ycckToCMYK(out, rows)
	default:
		if len(d.comps) == 1 {
			copy(out, rows[0])
			return
		}
		interleave(out, rows[:len(d.comps)])
	}
}

func interleave(out []uint8, rows [][]uint8) {
	n := len(rows)
	for i, row := range rows {
		for x, v := range row {
			out[x*n+i] = v
		}
	}
}

// The contributions of Cb and Cr, in 16-bit fixed point as in libjpeg's jdcolor.
var crToR, cbToB, crToG, cbToG = func() (r, b, cg, bg [256]int32) {
	const half = 1 << 15
	for i := range 256 {
		x := int32(i) - 128
		r[i] = (91881*x + half) >> 16  // 1.40200
		b[i] = (116130*x + half) >> 16 // 1.77200
		cg[i] = -46802 * x             // 0.71414
		bg[i] = -22554*x + half        // 0.34414
	}
	return
}()

func ycckToCMYK(out []uint8, rows *[4][]uint8) {
	for x, yv := range rows[0] {
		y, cb, cr := int32(yv), rows[1][x], rows[2][x]
		o := out[4*x : 4*x+4]
		o[0] = clamp(255 - (y + crToR[cr]))
		o[1] = clamp(255 - (y + (cbToG[cb]+crToG[cr])>>16))
		o[2] = clamp(255 - (y + cbToB[cb]))
		o[3] = rows[3][x]
	}
}
