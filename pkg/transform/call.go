package transform

import (
	"math"
	"slices"
	"strings"
)

// call reads the arguments of one step. Each parameter is taken by its name or, without a
// name, by position; words are taken at any position. The first error is kept in err.
type call struct {
	p     *parser
	name  string
	at    int // byte offset of the name
	usage string
	args  []argument
	err   error
}

// take removes and returns the argument for a parameter; nil if there is none.
func (c *call) take(name string) *argument {
	if a := c.takeNamed(name); a != nil {
		return a
	}
	return c.takeIf(func(a *argument) bool { return a.name == "" })
}

func (c *call) takeNamed(name string) *argument {
	return c.takeIf(func(a *argument) bool { return a.name == name })
}

func (c *call) takeIf(fits func(*argument) bool) *argument {
	for i := range c.args {
		if fits(&c.args[i]) {
			a := c.args[i]
			c.args = slices.Delete(slices.Clone(c.args), i, i+1)
			return &a
		}
	}
	return nil
}

// fail records an error, unless there already is one.
func (c *call) fail(at int, format string, args ...any) {
	if c.err == nil {
		c.err = c.p.fail(at, format, args...)
	}
}

func (c *call) misuse() { c.fail(c.at, "usage: %s", c.usage) }

// number takes a number within bounds. If there is none it returns def, or records an
// error if def is NaN.
func (c *call) number(name string, def, low, high float64) float64 {
	a := c.take(name)
	if a == nil {
		if def != def {
			c.misuse()
		}
		return def
	}
	return c.single(a, low, high)
}

func (c *call) single(a *argument, low, high float64) float64 {
	if a.ranged || a.listed || len(a.numbers) != 1 {
		c.fail(a.at, "a number is expected here; usage: %s", c.usage)
		return low
	}
	v := a.numbers[0]
	if !(v >= low && v <= high) {
		c.fail(a.at, "this must lie between %s and %s", decimal(low), decimal(high))
	}
	return v
}

// whole takes a whole number within bounds. If there is none it returns def, or records
// an error if def is below low.
func (c *call) whole(name string, def, low, high int) int {
	a := c.take(name)
	if a == nil {
		if def < low {
			c.misuse()
		}
		return def
	}
	return c.integer(a, low, high)
}

func (c *call) integer(a *argument, low, high int) int {
	if a.ranged || a.listed || len(a.numbers) != 1 || a.numbers[0] != math.Trunc(a.numbers[0]) {
		c.fail(a.at, "a whole number is expected here")
		return low
	}
	v := a.numbers[0]
	if !(v >= float64(low) && v <= float64(high)) {
		c.fail(a.at, "this must lie between %d and %d", low, high)
		return low
	}
	return int(v)
}

// wholes takes all arguments without a name and checks that their number is one of
// counts.
func (c *call) wholes(low, high int, counts ...int) []int {
	var v []int
	for a := c.takePlain(); a != nil; a = c.takePlain() {
		v = append(v, c.integer(a, low, high))
	}
	if !slices.Contains(counts, len(v)) {
		c.misuse()
		return make([]int, counts[0])
	}
	return v
}

func (c *call) takePlain() *argument {
	return c.takeIf(func(a *argument) bool { return a.name == "" && !a.arrow })
}

// span takes a range within bounds. A single number n is turned into a range by single.
func (c *call) span(name string, def Range, low, high float64, single func(n float64) Range) Range {
	a := c.take(name)
	if a == nil {
		if def.Low != def.Low {
			c.misuse()
		}
		return def
	}
	return c.spanOf(a, low, high, single)
}

func (c *call) spanOf(a *argument, low, high float64, single func(n float64) Range) Range {
	v := Range{}
	switch {
	case a.ranged:
		v = Range{a.numbers[0], a.numbers[1]}
	case !a.listed && len(a.numbers) == 1 && a.numbers[0] >= 0:
		v = single(a.numbers[0])
	default:
		c.fail(a.at, "a range like 0.5:1.5 is expected here; usage: %s", c.usage)
		return v
	}
	if !(v.Low >= low && v.High <= high) {
		c.fail(a.at, "this must lie between %s and %s", decimal(low), decimal(high))
	}
	return v
}

// required means that there is no default.
var required = Range{math.NaN(), math.NaN()}

// symmetric is -n:n, exactly is n:n.
func symmetric(n float64) Range { return Range{-n, n} }
func exactly(n float64) Range   { return Range{n, n} }

// word takes one of words; false if there is none.
func (c *call) word(words ...string) (int, bool) {
	found := -1
	a := c.takeIf(func(a *argument) bool {
		found = slices.Index(words, a.word)
		return a.name == "" && found >= 0
	})
	return found, a != nil
}

// flag takes a word if it is there.
func (c *call) flag(word string) bool {
	_, ok := c.word(word)
	return ok
}

// filter takes the name of a filter. An unknown word is an error.
func (c *call) filter(def Filter, names ...string) Filter {
	if i, ok := c.word(names...); ok {
		return Filter(i)
	}
	if a := c.takeIf(func(a *argument) bool { return a.name == "" && a.word != "" }); a != nil {
		c.fail(a.at, "there is no filter %q here; the filters are %s", a.word, strings.Join(names, ", "))
	}
	return def
}

// interpolation takes a filter that rotations and warps support.
func (c *call) interpolation(def Filter) Filter { return c.filter(def, filterNames[:Lanczos]...) }

// fill takes fill=.
func (c *call) fill() Fill {
	a := c.takeNamed("fill")
	if a == nil {
		return nil
	}
	f := c.colour(a)
	if len(f) == 1 && f[0] == 0 {
		return nil
	}
	return f
}

// colour reads a number or a list of up to four, each from 0 to 255.
func (c *call) colour(a *argument) Fill {
	if a.ranged || a.word != "" || len(a.numbers) > 4 {
		c.fail(a.at, "a number or a list of up to 4 is expected here")
		return nil
	}
	var f Fill
	for _, v := range a.numbers {
		if !(v >= 0 && v <= 255) || v != math.Trunc(v) {
			c.fail(a.at, "whole numbers from 0 to 255 are expected here")
			return nil
		}
		f = append(f, uint8(v))
	}
	return f
}

// random reports whether the step is applied at random.
func (c *call) random() bool {
	return strings.HasPrefix(c.name, "random") || slices.ContainsFunc(c.args, func(a argument) bool { return a.name == "p" })
}

// chance takes p=.
func (c *call) chance(def float64) float64 {
	if a := c.takeNamed("p"); a != nil {
		return c.single(a, 0, 1)
	}
	return def
}

// done returns the first error; arguments that weren't taken are an error too.
func (c *call) done() error {
	if c.err == nil && len(c.args) > 0 {
		a := c.args[0]
		switch {
		case a.name != "":
			c.fail(a.at, "%s has no %q; usage: %s", c.name, a.name, c.usage)
		case !strings.Contains(c.usage, "("):
			c.fail(a.at, "%s takes no arguments", c.name)
		default:
			c.misuse()
		}
	}
	return c.err
}
