package transform

import (
	"math"
	"slices"
	"strings"
)

// usages are the steps there are, as an error shows them.
var usages = map[string]string{
	"resize":     "resize(height,width[,bilinear|bicubic|nearest|lanczos]) or resize(short side[,…])",
	"centercrop": "centercrop(size) or centercrop(height,width)",
	"crop":       "crop(top,left,height,width)",
	"hflip":      "hflip",
	"vflip":      "vflip",
	"rotate":     "rotate(degrees), counter-clockwise",
	"totensor":   "totensor",
	"normalize":  "normalize(mean,std), each a number or a list like [0.485,0.456,0.406]",
}

// maxSide bounds the sizes a pipeline may ask for, so that a slip of the
// keyboard doesn't fill the memory (a square of it is 0.8 GB as a tensor);
// maxOffset bounds where a crop may lie.
const (
	maxSide   = 1 << 13
	maxOffset = 1 << 15
)

// build makes a step from its name and arguments.
func (p *parser) build(name string, at int, args []argument) (Op, error) {
	usage, known := usages[name]
	if !known {
		names := make([]string, 0, len(usages))
		for n := range usages {
			names = append(names, n)
		}
		slices.Sort(names)
		return nil, p.fail(at, "there is no step %q; the steps are %s", name, strings.Join(names, ", "))
	}
	switch name {
	case "resize":
		return p.buildResize(at, usage, args)
	case "centercrop":
		v, err := p.integers(args, 1, maxSide)
		if err != nil || len(v) < 1 || len(v) > 2 {
			return nil, p.orUsage(err, at, usage)
		}
		return CenterCrop{Height: v[0], Width: v[len(v)-1]}, nil
	case "crop":
		v, err := p.integers(args, -maxOffset, maxOffset)
		if err != nil || len(v) != 4 {
			return nil, p.orUsage(err, at, usage)
		}
		if v[2] < 1 || v[3] < 1 || v[2] > maxSide || v[3] > maxSide {
			return nil, p.fail(args[2].at, "sizes must lie between 1 and %d", maxSide)
		}
		return Crop{v[0], v[1], v[2], v[3]}, nil
	case "rotate":
		if len(args) != 1 || len(args[0].numbers) != 1 {
			return nil, p.fail(at, "usage: %s", usage)
		}
		return Rotate{args[0].numbers[0]}, nil
	case "normalize":
		return p.buildNormalize(at, usage, args)
	}
	if len(args) > 0 {
		return nil, p.fail(args[0].at, "%s takes no arguments", name)
	}
	return map[string]Op{"hflip": HFlip{}, "vflip": VFlip{}, "totensor": ToTensor{}}[name], nil
}

func (p *parser) orUsage(err error, at int, usage string) error {
	if err != nil {
		return err
	}
	return p.fail(at, "usage: %s", usage)
}

// integers checks that all arguments are whole numbers within bounds.
func (p *parser) integers(args []argument, lowest, highest int) ([]int, error) {
	var out []int
	for _, a := range args {
		if len(a.numbers) != 1 || a.numbers[0] != math.Trunc(a.numbers[0]) {
			return nil, p.fail(a.at, "a whole number should be here")
		}
		v := a.numbers[0]
		if v < float64(lowest) || v > float64(highest) {
			return nil, p.fail(a.at, "this must lie between %d and %d", lowest, highest)
		}
		out = append(out, int(v))
	}
	return out, nil
}

func (p *parser) buildResize(at int, usage string, args []argument) (Op, error) {
	filter := Bilinear
	if n := len(args); n > 0 && args[n-1].word != "" {
		i := slices.Index(filterNames[:], args[n-1].word)
		if i < 0 {
			return nil, p.fail(args[n-1].at, "there is no filter %q; the filters are %s", args[n-1].word, strings.Join(filterNames[:], ", "))
		}
		filter, args = Filter(i), args[:n-1]
	}
	v, err := p.integers(args, 1, maxSide)
	switch {
	case err == nil && len(v) == 1:
		return ResizeShort{Size: v[0], Filter: filter}, nil
	case err == nil && len(v) == 2:
		return ResizeTo{Height: v[0], Width: v[1], Filter: filter}, nil
	}
	return nil, p.orUsage(err, at, usage)
}

func (p *parser) buildNormalize(at int, usage string, args []argument) (Op, error) {
	if len(args) != 2 {
		return nil, p.fail(at, "usage: %s", usage)
	}
	lists := [2][]float32{}
	for i, a := range args {
		if a.word != "" || len(a.numbers) > 4 {
			return nil, p.fail(a.at, "a number or a list of up to 4 should be here")
		}
		for _, v := range a.numbers {
			if i == 1 && float32(v) == 0 {
				return nil, p.fail(a.at, "a standard deviation can't be 0")
			}
			lists[i] = append(lists[i], float32(v))
		}
	}
	return Normalize{Mean: lists[0], Std: lists[1]}, nil
}
