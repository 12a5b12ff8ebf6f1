package transform

import "math"

// maxNumber bounds angles, shears and corners.
const maxNumber = 1e6

var none = math.NaN() // a default that there is none

var geometryMakers = map[string]maker{
	"identity": {"identity", func(*call) Op { return Identity{} }},
	"hflip":    {"hflip", func(*call) Op { return HFlip{} }},
	"vflip":    {"vflip", func(*call) Op { return VFlip{} }},
	"rotate": {"rotate(degrees[,nearest|bilinear|bicubic][,expand][,fill=0]), counter-clockwise", func(c *call) Op {
		expand := c.flag("expand")
		f := c.interpolation(Nearest)
		return Rotate{Degrees: c.number("degrees", none, -maxNumber, maxNumber), Filter: f, Expand: expand, Fill: c.fill()}
	}},
	"rotation": {"rotation(degrees or from:to[,nearest|bilinear|bicubic][,expand][,fill=0])", func(c *call) Op {
		expand := c.flag("expand")
		f := c.interpolation(Nearest)
		return RandomRotation{Degrees: c.span("degrees", required, -maxNumber, maxNumber, symmetric), Filter: f, Expand: expand, Fill: c.fill()}
	}},
	"affinemap": {"affinemap(degrees,dx,dy,scale,shear x,shear y[,topleft][,nearest|bilinear|bicubic][,fill=0])", func(c *call) Op {
		a := Affine{TopLeft: c.flag("topleft"), Filter: c.interpolation(Nearest), Fill: c.fill()}
		a.Angle = c.number("degrees", none, -maxNumber, maxNumber)
		a.DX, a.DY = c.whole("dx", -maxSide-1, -maxSide, maxSide), c.whole("dy", -maxSide-1, -maxSide, maxSide)
		a.Scale = c.number("scale", none, 1e-3, 1e3)
		a.ShearX, a.ShearY = c.number("shearx", none, -maxNumber, maxNumber), c.number("sheary", none, -maxNumber, maxNumber)
		return a
	}},
	"affine": {"affine(degrees or from:to[,translate=[x,y]][,scale=from:to][,shear=…][,sheary=…][,nearest|bilinear|bicubic][,fill=0])", buildAffine},
	"warp":   {"warp(x0,y0,x1,y1,x2,y2,x3,y3 -> x0,y0,x1,y1,x2,y2,x3,y3[,bilinear|nearest|bicubic][,fill=0])", buildWarp},
	"perspective": {"perspective(distortion[,p=0.5][,bilinear|nearest|bicubic][,fill=0])", func(c *call) Op {
		f := c.interpolation(Bilinear)
		p := c.chance(0.5)
		return RandomPerspective{Distortion: c.number("distortion", 0.5, 0, 1), P: p, Filter: f, Fill: c.fill()}
	}},
}

func buildAffine(c *call) Op {
	o := RandomAffine{Filter: c.interpolation(Nearest), Fill: c.fill()}
	if a := c.takeNamed("translate"); a != nil {
		if len(a.numbers) != 2 || a.ranged || !(min(a.numbers[0], a.numbers[1]) >= 0 && max(a.numbers[0], a.numbers[1]) <= 1) {
			c.fail(a.at, "two parts of width and height, from 0 to 1, like [0.1,0.1], should be here")
		} else {
			copy(o.Translate[:], a.numbers)
		}
	}
	o.Scale = c.namedSpan("scale", Range{}, 1e-3, 1e3)
	for name, v := range map[string]*Range{"shear": &o.ShearX, "sheary": &o.ShearY} {
		if a := c.takeNamed(name); a != nil {
			*v = c.spanOf(a, -maxNumber, maxNumber, symmetric)
		}
	}
	o.Degrees = c.span("degrees", required, -maxNumber, maxNumber, symmetric)
	return o
}

func buildWarp(c *call) Op {
	w := Warp{Filter: c.interpolation(Bilinear), Fill: c.fill()}
	for i := range 16 {
		a := c.takeIf(func(a *argument) bool { return a.name == "" })
		if a == nil || a.arrow != (i == 8) {
			c.misuse()
			return w
		}
		v := c.single(a, -maxNumber, maxNumber)
		if i < 8 {
			w.From[i/2][i%2] = v
		} else {
			w.To[i/2-4][i%2] = v
		}
	}
	return w
}
