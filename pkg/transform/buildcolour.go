package transform

// maxFactor bounds what colours are multiplied with.
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

// buildGrayscale: one channel, as in torchvision, but as many as there are where
// it happens at random, as in torchvision, too.
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
		c.fail(c.at, "greys have 1 or 3 channels")
	}
	return Grayscale{n}
}

// buildBackground takes a colour, white if there is none.
func buildBackground(c *call) Op {
	a := c.take("colour")
	if a == nil {
		return Background{}
	}
	colour := c.colour(a)
	if len(colour) != 1 && len(colour) != 3 {
		c.fail(a.at, "one number or three should be here")
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
