package transform

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxSide bounds the sizes in a pipeline, so that a typing error doesn't fill the memory
// (a square of this side is 0.8 GB as a tensor); maxOffset bounds the position of a crop.
const (
	maxSide   = 1 << 13
	maxOffset = 1 << 15
)

// maker makes a step from its arguments.
type maker struct {
	usage string
	build func(c *call) Op
}

// makers are the steps by name.
var makers map[string]maker

func init() {
	makers = make(map[string]maker)
	for _, group := range []map[string]maker{sizeMakers, geometryMakers, colourMakers, augmentMakers, tensorMakers, cellMakers} {
		maps.Copy(makers, group)
	}
}

// Usages lists the syntax of each step, sorted by name.
func Usages() []string {
	out := make([]string, 0, len(makers))
	for _, name := range slices.Sorted(maps.Keys(makers)) {
		out = append(out, makers[name].usage)
	}
	return out
}

// build makes a step from its name and arguments. With "random" before its name, or p=
// among its arguments, a fixed step is applied at random.
func (p *parser) build(name string, at int, args []argument) (Op, error) {
	base, random := name, false
	m, known := makers[name]
	if rest, ok := strings.CutPrefix(name, "random"); ok && !known {
		base, random = rest, true
		m, known = makers[rest]
	}
	if !known {
		return nil, p.fail(at, "there is no step %q; the steps are %s", name, strings.Join(slices.Sorted(maps.Keys(makers)), ", "))
	}
	c := &call{p: p, name: name, at: at, usage: m.usage, args: args}
	asked := c.random()
	op := m.build(c)
	fixed, isFixed := op.(ImageOp)
	chance := 0.0
	if isFixed {
		chance = c.chance(usualChance(base))
	}
	if err := c.done(); err != nil {
		return nil, err
	}
	switch {
	case isFixed && asked && isBackground(op):
		return nil, p.fail(at, "background can't happen at random")
	case isFixed && asked:
		return Chance{chance, fixed}, nil
	case isFixed || !random:
		return op, nil
	}
	if _, ok := op.(RandomOp); ok { // such as randomrotation
		return op, nil
	}
	return nil, p.fail(at, "%s can't happen at random", base)
}

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

// buildResize takes the size of the picture or of its shorter side.
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
		c.fail(c.at, "transformers' rounding (floor) works only with a black border: leave out floor or fill=")
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
		c.fail(a.at, "one number or a list of 2 or 4 is expected here")
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

// maxNumber bounds angles, shears and corners.
const maxNumber = 1e6

var none = math.NaN() // means that there is no default

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
			c.fail(a.at, "two parts of width and height, from 0 to 1, like [0.1,0.1], is expected here")
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

// maxFactor bounds the factors of colours.
const maxFactor = 1e4

var colourMakers = map[string]maker{
	"brightness": {"brightness(factor)", func(c *call) Op { return Brightness{c.number("factor", none, 0, maxFactor)} }},
	"contrast":   {"contrast(factor)", func(c *call) Op { return Contrast{c.number("factor", none, 0, maxFactor)} }},
	"saturation": {"saturation(factor)", func(c *call) Op { return Saturation{c.number("factor", none, 0, maxFactor)} }},
	"hue":        {"hue(shift), from -0.5 to 0.5", func(c *call) Op { return Hue{c.number("shift", none, -0.5, 0.5)} }},
	"sharpness":  {"sharpness(factor)", func(c *call) Op { return Sharpness{c.number("factor", none, 0, maxFactor)} }},
	"jitter": {"jitter(brightness,contrast,saturation[,hue]), each a range like 0.5:1.5, or n for 1-n:1+n (hue: -n:n)", func(c *call) Op {
		factor := func(name string) Range {
			return c.span(name, noFactor, 0, maxFactor, func(n float64) Range { return Range{max(0, 1-n), 1 + n} })
		}
		return Jitter{factor("brightness"), factor("contrast"), factor("saturation"), c.span("hue", noShift, -0.5, 0.5, symmetric)}
	}},
	"grayscale": {"grayscale(1), grayscale(3) or grayscale(keep)", buildGrayscale},
	"gaussianblur": {"gaussianblur(size[,sigma=0.1:2]) or gaussianblur([width,height][,…])", func(c *call) Op {
		width, height := c.kernelSize()
		sigma := c.span("sigma", usualSigma, 1e-3, 1e4, exactly)
		if sigma.Low == sigma.High {
			return GaussianBlur{width, height, sigma.Low}
		}
		return RandomBlur{width, height, sigma}
	}},
	"pilblur":      {"pilblur(radius)", func(c *call) Op { return PILBlur{c.number("radius", 2, 0, 1000)} }},
	"invert":       {"invert", func(*call) Op { return Invert{} }},
	"posterize":    {"posterize(bits)", func(c *call) Op { return Posterize{c.whole("bits", 0, 1, 8)} }},
	"solarize":     {"solarize(threshold)", func(c *call) Op { return Solarize{c.number("threshold", none, -maxFactor, maxFactor)} }},
	"equalize":     {"equalize", func(*call) Op { return Equalize{} }},
	"background":   {"background[(colour=255)], the colour a number or a list like [255,255,255]; always the first step", buildBackground},
	"autocontrast": {"autocontrast", func(*call) Op { return AutoContrast{} }},
}

// buildGrayscale makes one channel or, if the step is random, keeps the number of
// channels, both as in torchvision.
func buildGrayscale(c *call) Op {
	if c.flag("keep") {
		return Grayscale{0}
	}
	usual := 1
	if c.random() {
		usual = 0
	}
	n := 0
	if n = c.whole("channels", usual, min(usual, 1), 3); n == 2 {
		c.fail(c.at, "grey pictures have 1 or 3 channels")
	}
	return Grayscale{n}
}

// buildBackground takes a colour; the default is white.
func buildBackground(c *call) Op {
	a := c.take("colour")
	if a == nil {
		return Background{}
	}
	colour := c.colour(a)
	if len(colour) != 1 && len(colour) != 3 {
		c.fail(a.at, "one number or three is expected here")
	}
	if b := (Background{colour}); b.RGB() != [3]uint8{white, white, white} {
		return b
	}
	return Background{}
}

// kernelSize takes one odd size for both, or a list of width and height.
func (c *call) kernelSize() (width, height int) {
	a := c.take("size")
	if a == nil || a.ranged || a.word != "" || len(a.numbers) > 2 {
		c.misuse()
		return 1, 1
	}
	var v []int
	for _, n := range a.numbers {
		size := c.integer(&argument{at: a.at, numbers: []float64{n}}, 1, maxSide-1)
		if size%2 == 0 {
			c.fail(a.at, "a kernel's size must be odd")
		}
		v = append(v, size)
	}
	return v[0], v[len(v)-1]
}

var tensorMakers = map[string]maker{
	"totensor":  {"totensor[(scale=0.00392156862745098)]", buildToTensor},
	"normalize": {"normalize(mean,std), each a number or a list like [0.485,0.456,0.406]", buildNormalize},
	"erase":     {"erase(top,left,height,width,value), the value a number, a list, or noise=seed", buildErase},
	"randomerasing": {"randomerasing[(p=0.5[,scale=0.02:0.33][,ratio=0.3:3.3][,value=0|[r,g,b]|random])]", func(c *call) Op {
		o := RandomErasing{P: c.chance(0.5), Value: []float32{0}}
		if a := c.takeNamed("value"); a != nil {
			if o.Value = nil; a.word != "random" {
				o.Value = c.channels(a)
			}
		}
		o.Scale = c.span("scale", usualErasedScale, 0, 1, exactly)
		o.Ratio = c.span("ratio", usualErasedRatio, 1e-3, 1e3, exactly)
		return o
	}},
}

// usualScale255 is 1/255, the scale of totensor without arguments.
const usualScale255 = 1.0 / 255

// buildToTensor takes the scale. A scale that gives the same values as 1/255 is left out.
func buildToTensor(c *call) Op {
	scale := usualScale255
	if a := c.takeNamed("scale"); a != nil {
		scale = c.single(a, 1e-12, 1e12)
	}
	if t := (ToTensor{scale}); *t.table() != scaled255 {
		return t
	}
	return ToTensor{}
}

// channels reads a number or a list of up to four.
func (c *call) channels(a *argument) []float32 {
	if a.word != "" || a.ranged || len(a.numbers) > 4 {
		c.fail(a.at, "a number or a list of up to 4 is expected here")
		return []float32{1}
	}
	out := make([]float32, len(a.numbers))
	for i, v := range a.numbers {
		out[i] = float32(v)
	}
	return out
}

func buildNormalize(c *call) Op {
	mean, std := c.take("mean"), c.take("std")
	if mean == nil || std == nil {
		c.misuse()
		return Normalize{}
	}
	n := Normalize{Mean: c.channels(mean), Std: c.channels(std)}
	for _, v := range n.Std {
		if v == 0 {
			c.fail(std.at, "a standard deviation can't be 0")
		}
	}
	return n
}

func buildErase(c *call) Op {
	e := Erase{}
	noise := c.takeNamed("noise")
	for i, v := range [4]*int{&e.Top, &e.Left, &e.Height, &e.Width} {
		*v = c.whole([4]string{"top", "left", "height", "width"}[i], -1, 0, maxSide)
	}
	if noise != nil {
		seed, err := strconv.ParseUint(noise.text, 10, 64)
		if err != nil || noise.ranged {
			c.fail(noise.at, "a whole number is expected here")
		}
		e.Noise = seed
		return e
	}
	value := c.take("value")
	if value == nil {
		c.misuse()
		return e
	}
	e.Value = c.channels(value)
	return e
}

// maxBins bounds the number of magnitudes.
const maxBins = 1000

var augmentMakers = map[string]maker{
	"randaugment": {"randaugment[(steps=2[,magnitude=9][,bins=31])]", func(c *call) Op {
		o := RandAugment{Count: c.whole("steps", 2, 0, 100), Magnitude: c.whole("magnitude", 9, 0, maxBins-1), Bins: c.whole("bins", 31, 2, maxBins)}
		if o.Magnitude >= o.Bins {
			c.fail(c.at, "a magnitude of %d needs more than %d bins", o.Magnitude, o.Bins)
		}
		return o
	}},
	"trivialaugmentwide": {"trivialaugmentwide[(bins=31)]", func(c *call) Op { return TrivialAugment{c.whole("bins", 31, 2, maxBins)} }},
	"3augment":           {"3augment", func(*call) Op { return ThreeAugment{} }},
}
