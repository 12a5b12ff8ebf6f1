package transform

import "strconv"

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

// buildToTensor takes the scale. One whose values are those of 1/255 is left out.
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
		c.fail(a.at, "a number or a list of up to 4 should be here")
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
			c.fail(noise.at, "a whole number should be here")
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
