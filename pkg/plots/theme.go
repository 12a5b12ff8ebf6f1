package plots

import "image/color"

// Colours and sizes of all figures. Sizes are in CSS pixels.
var (
	white   = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink     = color.RGBA{0x22, 0x22, 0x22, 0xff}
	softInk = color.RGBA{0x5c, 0x5c, 0x5c, 0xff}
	axisInk = color.RGBA{0x8a, 0x8a, 0x8a, 0xff}
	gridInk = color.RGBA{0xe8, 0xe8, 0xe8, 0xff}
	frame   = color.RGBA{0xc8, 0xc8, 0xc8, 0xff}
	markInk = color.RGBA{0xe3, 0x1a, 0x1c, 0xff}
)

const (
	pad      = 14.0 // around a figure
	barGap   = 14.0 // between the panels and the colour bar
	barWidth = 12.0
	tickLen  = 4.0
)

var (
	titleStyle    = textStyle{size: 15, bold: true, color: ink}
	subtitleStyle = textStyle{size: 12, color: softInk}
	panelStyle    = textStyle{size: 12, color: ink, anchor: middle}
	labelStyle    = textStyle{size: 12, color: ink}
	tickStyle     = textStyle{size: 11, color: softInk}
)

// Palette has the colours of lines and bars, in order: Okabe and Ito's palette, whose
// colours people with any colour vision can distinguish, with the yellow last.
var Palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x00, 0x9e, 0x73, 0xff}, // bluish green
	{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x40, 0x40, 0x40, 0xff}, // dark grey
	{0xb8, 0xa9, 0x00, 0xff}, // yellow, darkened to be visible on white
}

// header is a figure's title and subtitle, broken into lines.
type header struct {
	title, subtitle []string
}

const (
	titleLead    = 19.0
	subtitleLead = 16.0
)

func newHeader(title, subtitle string, width float64) header {
	return header{wrap(title, width, 3, titleStyle), wrap(subtitle, width, 3, subtitleStyle)}
}

func (h header) height() float64 {
	t := float64(len(h.title))*titleLead + float64(len(h.subtitle))*subtitleLead
	if t > 0 {
		t += 8
	}
	return t
}

func (h header) draw(c canvas, x, y float64) {
	for _, s := range h.title {
		y += titleLead
		c.text(point{x, y - 5}, s, titleStyle)
	}
	for _, s := range h.subtitle {
		y += subtitleLead
		c.text(point{x, y - 4}, s, subtitleStyle)
	}
}
