package transform

var sizeMakers = map[string]maker{
	"resize":     {"resize(height,width[,bilinear|bicubic|nearest|lanczos|box|hamming][,cover|contain]) or resize(short side[,…][,longest=long side])", buildResize},
	"centercrop": {"centercrop(size[,floor][,fill=0]) or centercrop(height,width[,…])", buildCenterCrop},
	"crop": {"crop(top,left,height,width)", func(c *call) Op {
		place, size := c.place()
		return Crop{place[0], place[1], size[0], size[1]}
	}},
	"pad": {"pad(width[,constant|edge|reflect|symmetric][,fill=0]), pad(left and right,top and bottom[,…]) or pad(left,top,right,bottom[,…])", func(c *call) Op {
		style := c.padStyle()
		return c.padSides(style, c.wholes(-maxSide, maxSide, 1, 2, 4))
	}},
	"randomcrop": {"randomcrop(size[,width][,padding=0][,ifneeded][,constant|edge|reflect|symmetric][,fill=0])", func(c *call) Op {
		o := RandomCrop{}
		o.IfNeeded = c.flag("ifneeded")
		style := c.padStyle()
		o.Pad = style
		if a := c.takeNamed("padding"); a != nil {
			o.Pad = c.padList(style, a)
		}
		o.Height, o.Width = c.sides()
		return o
	}},
	"randomresizedcrop": {"randomresizedcrop(size[,width][,scale=0.08:1][,ratio=0.75:1.3333333333333333][,filter])", func(c *call) Op {
		o := RandomResizedCrop{Scale: usualScale, Ratio: usualRatio, Filter: c.filter(Bilinear, filterNames[:]...)}
		o.Scale = c.namedSpan("scale", usualScale, 0, 1)
		o.Ratio = c.namedSpan("ratio", usualRatio, 1e-3, 1e3)
		o.Height, o.Width = c.sides()
		return o
	}},
}

// buildResize: the sizes of a picture, or of its shorter side.
func buildResize(c *call) Op {
	how, fits := c.word("cover", "contain")
	f := c.filter(Bilinear, filterNames[:]...)
	longest := 0
	if a := c.takeNamed("longest"); a != nil {
		longest = c.integer(a, 1, maxSide)
	}
	v := c.wholes(1, maxSide, 2, 1)
	switch {
	case fits && (len(v) == 1 || longest > 0), longest > 0 && len(v) == 2:
		c.misuse()
	case fits:
		return ResizeKeepRatio{Height: v[0], Width: v[1], Contain: how == 1, Filter: f}
	case longest > 0:
		return ResizeEdges{Shortest: v[0], Longest: longest, Filter: f}
	case len(v) == 1:
		return ResizeShort{Size: v[0], Filter: f}
	}
	return ResizeTo{Height: v[0], Width: v[len(v)-1], Filter: f}
}

func buildCenterCrop(c *call) Op {
	floor := c.flag("floor")
	fill := c.fill()
	height, width := c.sides()
	switch {
	case floor && fill != nil:
		c.fail(c.at, "transformers' rounding (floor) goes with a black border only: leave out floor or fill=")
	case floor:
		return CenterCropFloor{height, width}
	case fill != nil:
		return CenterCropFill{height, width, fill}
	}
	return CenterCrop{height, width}
}

// sides takes one size for both, or a height and a width.
func (c *call) sides() (height, width int) {
	v := c.wholes(1, maxSide, 1, 2)
	return v[0], v[len(v)-1]
}

// place takes top, left, height and width.
func (c *call) place() (place, size [2]int) {
	for i := range 4 {
		a := c.takePlain()
		if a == nil {
			c.misuse()
			return place, size
		}
		if i < 2 {
			place[i] = c.integer(a, -maxOffset, maxOffset)
		} else {
			size[i-2] = c.integer(a, 1, maxSide)
		}
	}
	return place, size
}

// namedSpan takes a range that must have its name.
func (c *call) namedSpan(name string, def Range, low, high float64) Range {
	if a := c.takeNamed(name); a != nil {
		return c.spanOf(a, low, high, exactly)
	}
	return def
}

// padStyle takes the mode and the fill.
func (c *call) padStyle() Pad {
	p := Pad{Fill: c.fill()}
	if i, ok := c.word(padNames[:]...); ok {
		p.Mode = PadMode(i)
	}
	if p.Mode != Constant {
		p.Fill = nil
	}
	return p
}

// padList reads padding=n or padding=[…].
func (c *call) padList(style Pad, a *argument) Pad {
	var v []int
	for _, n := range a.numbers {
		v = append(v, c.integer(&argument{at: a.at, numbers: []float64{n}}, -maxSide, maxSide))
	}
	if a.ranged || len(v) != 1 && len(v) != 2 && len(v) != 4 {
		c.fail(a.at, "one number or a list of 2 or 4 should be here")
		return style
	}
	return c.padSides(style, v)
}

// padSides spreads 1, 2 or 4 numbers over the sides.
func (c *call) padSides(p Pad, v []int) Pad {
	n := len(v)
	p.Left, p.Top, p.Right, p.Bottom = v[0], v[1%n], v[2%n], v[3%n]
	return p
}
