package plots

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gaze/internal/figurepng"
)

// svgCanvas is the canvas that writes SVG elements. Pictures are embedded as PNG.
type svgCanvas struct {
	out   strings.Builder
	clips int
	err   error
}

// fontStack begins with the font in which the text was measured. If a viewer uses
// another font, textLength keeps the measured width.
const fontStack = "Arimo, Arial, 'Liberation Sans', Helvetica, 'DejaVu Sans', sans-serif"

func (s *scene) svg() (string, error) {
	c := &svgCanvas{}
	label := ""
	if t := clean(s.title); t != "" {
		label = fmt.Sprintf(` aria-label="%s"`, escape(t))
	}
	fmt.Fprintf(&c.out, `<svg xmlns="http://www.w3.org/2000/svg" role="img"%s width="%s" height="%s" viewBox="0 0 %s %s" font-family="%s">`+"\n",
		label, num(s.w), num(s.h), num(s.w), num(s.h), fontStack)
	c.rect(box{0, 0, s.w, s.h}, white)
	s.draw(c)
	if c.err != nil {
		return "", c.err
	}
	c.out.WriteString("</svg>\n")
	return c.out.String(), nil
}

// num formats a coordinate with at most two decimals; NaN and infinities become 0.
func num(v float64) string {
	if !isFinite(v) {
		return "0"
	}
	s := strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

func paint(attr string, c color.RGBA) string {
	s := fmt.Sprintf(` %s="#%02x%02x%02x"`, attr, c.R, c.G, c.B)
	if c.A != 255 {
		s += fmt.Sprintf(` %s-opacity="%s"`, attr, num(float64(c.A)/255))
	}
	return s
}

func (c *svgCanvas) rect(b box, fill color.RGBA) {
	fmt.Fprintf(&c.out, `<rect x="%s" y="%s" width="%s" height="%s"%s shape-rendering="crispEdges"/>`+"\n",
		num(b.x), num(b.y), num(max(0, b.w)), num(max(0, b.h)), paint("fill", fill))
}

func (c *svgCanvas) points(pts []point) string {
	parts := make([]string, len(pts))
	for i, p := range pts {
		parts[i] = num(p.x) + "," + num(p.y)
	}
	return strings.Join(parts, " ")
}

func (c *svgCanvas) polyline(pts []point, st stroke) {
	extra := ""
	if st.dash != nil {
		parts := make([]string, len(st.dash))
		for i, d := range st.dash {
			parts[i] = num(d)
		}
		extra = fmt.Sprintf(` stroke-dasharray="%s"`, strings.Join(parts, " "))
	} else if len(pts) == 2 && (pts[0].x == pts[1].x || pts[0].y == pts[1].y) {
		extra = ` shape-rendering="crispEdges"`
	}
	fmt.Fprintf(&c.out, `<polyline points="%s" fill="none"%s stroke-width="%s" stroke-linejoin="round"%s/>`+"\n",
		c.points(pts), paint("stroke", st.color), num(st.width), extra)
}

func (c *svgCanvas) polygon(pts []point, fill color.RGBA) {
	fmt.Fprintf(&c.out, `<polygon points="%s"%s/>`+"\n", c.points(pts), paint("fill", fill))
}

func (c *svgCanvas) text(at point, s string, st textStyle) {
	s = clean(s)
	if s == "" {
		return
	}
	extra := ""
	switch st.anchor {
	case middle:
		extra = ` text-anchor="middle"`
	case end:
		extra = ` text-anchor="end"`
	}
	if st.bold {
		extra += ` font-weight="bold"`
	}
	if st.vertical {
		extra += fmt.Sprintf(` transform="rotate(-90 %s %s)"`, num(at.x), num(at.y))
	}
	if drawable(s, st.bold) == s {
		extra += fmt.Sprintf(` textLength="%s" lengthAdjust="spacingAndGlyphs"`, num(textWidth(s, st)))
	}
	fmt.Fprintf(&c.out, `<text x="%s" y="%s" font-size="%s"%s%s>%s</text>`+"\n",
		num(at.x), num(at.y), num(st.size), paint("fill", st.color), extra, escape(s))
}

func (c *svgCanvas) image(b box, made func() image.Image, smooth bool) {
	data, err := EncodePNG(made())
	if err != nil {
		c.err = err
		return
	}
	style := ""
	if !smooth {
		style = ` style="image-rendering:pixelated"`
	}
	fmt.Fprintf(&c.out, `<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none"%s href="data:image/png;base64,%s"/>`+"\n",
		num(b.x), num(b.y), num(b.w), num(b.h), style, base64.StdEncoding.EncodeToString(data))
}

func (c *svgCanvas) clip(b box, drawInside func()) {
	c.clips++
	// The id includes the position, because all documents inlined in a page share ids.
	id := fmt.Sprintf("clip%d-%.0f-%.0f-%.0f-%.0f", c.clips, b.x*100, b.y*100, b.w*100, b.h*100)
	fmt.Fprintf(&c.out, `<clipPath id="%s"><rect x="%s" y="%s" width="%s" height="%s"/></clipPath>`+"\n",
		id, num(b.x), num(b.y), num(b.w), num(b.h))
	fmt.Fprintf(&c.out, `<g clip-path="url(#%s)">`+"\n", id)
	drawInside()
	c.out.WriteString("</g>\n")
}

// escape writes text for use between tags and in attributes.
func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // writing to a bytes.Buffer never fails
	return b.String()
}

// EncodePNG encodes a picture as PNG. Charts are compressed as well as possible, because
// they are written once and shipped often; figures with photographs nearly as well, in a
// thirtieth of the time (package figurepng).
func EncodePNG(img image.Image) ([]byte, error) {
	data, err := figurepng.Encode(img)
	if err != nil {
		return nil, fmt.Errorf("plots: %w", err)
	}
	return data, nil
}
