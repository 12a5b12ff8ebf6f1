package scenes

// rgb is a colour, 0xRRGGBB.
type rgb uint32

func (c rgb) channels() (r, g, b int) { return int(c >> 16 & 255), int(c >> 8 & 255), int(c & 255) }

func pack(r, g, b int) rgb {
	return rgb(min(max(r, 0), 255)<<16 | min(max(g, 0), 255)<<8 | min(max(b, 0), 255))
}

// mix returns the colour t/256 of the way from c to d.
func mix(c, d rgb, t int) rgb {
	u, v := rgb(256-t), rgb(t)
	return ((c&0xff00ff)*u+(d&0xff00ff)*v)>>8&0xff00ff | ((c&0xff00)*u+(d&0xff00)*v)>>8&0xff00
}

// darker returns a deeper shade, t/256 of the way to a warm black.
func (c rgb) darker(t int) rgb { return mix(c, 0x2a2028, t) }

// lighter returns a paler shade, t/256 of the way to a warm white.
func (c rgb) lighter(t int) rgb { return mix(c, 0xfffaf0, t) }

// vary returns a colour near c: brighter or darker by up to bright, each channel
// apart by up to tint (of 255).
func (c rgb) vary(s *stream, bright, tint float64) rgb {
	r, g, b := c.channels()
	d := int(s.around(bright))
	return pack(r+d+int(s.around(tint)), g+d+int(s.around(tint)), b+d+int(s.around(tint)))
}
