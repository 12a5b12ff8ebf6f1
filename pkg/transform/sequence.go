package transform

import "strings"

// Sequence combines several picture steps into one. Random steps that do several things
// are drawn as a Sequence.
type Sequence []ImageOp

// String is the steps' text.
func (s Sequence) String() string {
	if len(s) == 0 {
		return Identity{}.String()
	}
	steps := make([]string, len(s))
	for i, op := range s {
		steps[i] = op.String()
	}
	return strings.Join(steps, " | ")
}

// Apply runs the steps.
func (s Sequence) Apply(im *Image) (*Image, error) { return fresh(s, im) }

func (s Sequence) apply(b *Buffers, im *Image) (*Image, error) {
	for _, op := range s {
		var err error
		if im, err = b.run(op, im); err != nil {
			return nil, err
		}
	}
	return im, nil
}

// Output implements [Sizer].
func (s Sequence) Output(width, height int) (newWidth, newHeight int) {
	for _, op := range s {
		if sizer, ok := op.(Sizer); ok {
			width, height = sizer.Output(width, height)
		}
	}
	return width, height
}

// impossible stands for a step that couldn't be drawn.
type impossible struct{ err error }

func (i impossible) String() string               { return "impossible: " + i.err.Error() }
func (i impossible) Apply(*Image) (*Image, error) { return nil, i.err }

// Chance applies a fixed step with probability P.
type Chance struct {
	P  float64
	Op ImageOp
}

// String is the fixed step's text with "random" before it, and the probability if it
// isn't the step's default.
func (c Chance) String() string {
	text := c.Op.String()
	name, rest, hasArguments := strings.Cut(text, "(")
	p := "p=" + decimal(c.P)
	switch {
	case c.P == usualChance(name):
		return "random" + text
	case hasArguments:
		return "random" + name + "(" + strings.TrimSuffix(rest, ")") + "," + p + ")"
	}
	return "random" + name + "(" + p + ")"
}

// usualChance is torchvision's default probability of a random step.
func usualChance(name string) float64 {
	if name == "grayscale" {
		return 0.1
	}
	return 0.5
}

// Draw returns the step or [Identity].
func (c Chance) Draw(r *Rand, _, _ int) ImageOp {
	if r.Float64() < c.P {
		return c.Op
	}
	return Identity{}
}

func (c Chance) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	if r.Float64() < c.P {
		return b.run(c.Op, im)
	}
	return im, nil
}

// Range is an interval from which values are drawn uniformly.
type Range struct{ Low, High float64 }

func (v Range) draw(r *Rand) float64 { return r.Uniform(v.Low, v.High) }

// text is the range as an argument.
func (v Range) text() string { return decimal(v.Low) + ":" + decimal(v.High) }

// around is the range's text, shortened to n for -n:n.
func (v Range) around() string {
	if v.Low == -v.High {
		return decimal(v.High)
	}
	return v.text()
}
