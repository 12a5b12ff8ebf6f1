package draw

// RGB is a colour, 0xRRGGBB.
type RGB uint32

// Channels returns red, green and blue, 0 to 255.
func (c RGB) Channels() (r, g, b int) { return int(c >> 16 & 255), int(c >> 8 & 255), int(c & 255) }

// pack returns the colour of three channels, which it cuts to 0 to 255.
func pack(r, g, b int) RGB {
	return RGB(min(max(r, 0), 255)<<16 | min(max(g, 0), 255)<<8 | min(max(b, 0), 255))
}

// Mix returns the colour t/256 of the way from c to d.
func Mix(c, d RGB, t int) RGB {
	u, v := RGB(256-t), RGB(t)
	return ((c&0xff00ff)*u+(d&0xff00ff)*v)>>8&0xff00ff | ((c&0xff00)*u+(d&0xff00)*v)>>8&0xff00
}

// Luma is the colour's brightness, 0 to 255.
func (c RGB) Luma() int {
	r, g, b := c.Channels()
	return (77*r + 150*g + 29*b) >> 8
}

// Darker returns a deeper shade, t/256 of the way to a warm black.
func (c RGB) Darker(t int) RGB { return Mix(c, 0x2a2028, t) }

// Lighter returns a paler shade, t/256 of the way to a warm white.
func (c RGB) Lighter(t int) RGB { return Mix(c, 0xfffaf0, t) }

// Vary returns a colour near c: brighter or darker by up to bright, each channel
// apart by up to tint (of 255).
func (c RGB) Vary(s *Stream, bright, tint float64) RGB {
	r, g, b := c.Channels()
	d := int(s.Around(bright))
	return pack(r+d+int(s.Around(tint)), g+d+int(s.Around(tint)), b+d+int(s.Around(tint)))
}
