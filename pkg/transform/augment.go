package transform

import (
	"fmt"
	"math"
)

// RandAugment applies Count steps drawn from fourteen, all with the same
// Magnitude from 0 to Bins-1 (Cubuk and others 2019). torchvision: RandAugment.
type RandAugment struct{ Count, Magnitude, Bins int }

// TrivialAugment applies one step drawn from fourteen, with a magnitude drawn
// from Bins values over a wide range (Müller and Hutter 2021). torchvision:
// TrivialAugmentWide.
type TrivialAugment struct{ Bins int }

// ThreeAugment makes a picture grey, solarised or blurred, with equal probability
// (Touvron, Cord and Jégou, DeiT III, 2022), as in the authors' code. Their flip, crop and
// jitter are separate steps here.
type ThreeAugment struct{}

// String is the step's text.
func (o RandAugment) String() string {
	return fmt.Sprintf("randaugment(%d,%d,bins=%d)", o.Count, o.Magnitude, o.Bins)
}

// String is the step's text.
func (o TrivialAugment) String() string { return fmt.Sprintf("trivialaugmentwide(bins=%d)", o.Bins) }

// String is the step's text.
func (ThreeAugment) String() string { return "3augment" }

// augmentation is one of the fourteen steps with its magnitude.
type augmentation struct {
	kind      int
	magnitude float64
}

// The fourteen, in torchvision's order.
const (
	identity = iota
	shearX
	shearY
	translateX
	translateY
	turn
	brighten
	colour
	contrast
	sharpen
	posterize
	solarize
	autoContrast
	equalize
	augmentations
)

// space holds the largest strengths of the steps.
type space struct {
	shear, translateX, translateY, turn, blend float64
	bits                                       float64 // bits dropped by posterize
}

// magnitude is a step's magnitude at a bin, in float32 as in torch's linspace.
func (s space) magnitude(kind, bin, bins int) float64 {
	part := float64(bin) / (float64(bins-1) / s.bits)
	switch kind {
	case shearX, shearY:
		return linspace(0, s.shear, bin, bins)
	case translateX:
		return linspace(0, s.translateX, bin, bins)
	case translateY:
		return linspace(0, s.translateY, bin, bins)
	case turn:
		return linspace(0, s.turn, bin, bins)
	case brighten, colour, contrast, sharpen:
		return linspace(0, s.blend, bin, bins)
	case posterize:
		return 8 - math.RoundToEven(part)
	case solarize:
		return linspace(255, 0, bin, bins)
	}
	return 0
}

// linspace is the i-th of n equally spaced float32 numbers, computed from the nearer end
// and rounded once, as torch does on processors with fused multiply-add.
func linspace(start, end float64, i, n int) float64 {
	first, last := float32(start), float32(end)
	step := (last - first) / float32(n-1)
	if i < n/2 {
		return float64(float32(float64(first) + float64(step)*float64(i)))
	}
	return float64(float32(float64(last) - float64(step)*float64(n-1-i)))
}

// signed reports whether the step also has negative strengths.
func signed(kind int) bool { return kind >= shearX && kind <= sharpen }

// drawn applies op or, if there is no picture, returns it. Because op's type is known
// here, only the latter allocates.
func drawn[T step](b *Buffers, im *Image, op T) (*Image, ImageOp, error) {
	if im == nil {
		return nil, op, nil
	}
	out, err := op.apply(b, im)
	return out, nil, err
}

// do applies the step to im or, if im is nil, returns it.
func (a augmentation) do(b *Buffers, im *Image) (*Image, ImageOp, error) {
	m := a.magnitude
	switch a.kind {
	case shearX:
		return drawn(b, im, Affine{ShearX: arctangent(m) * (180 / math.Pi), Scale: 1, Filter: Nearest, TopLeft: true})
	case shearY:
		return drawn(b, im, Affine{ShearY: arctangent(m) * (180 / math.Pi), Scale: 1, Filter: Nearest, TopLeft: true})
	case translateX:
		return drawn(b, im, Affine{DX: int(m), Scale: 1, Filter: Nearest})
	case translateY:
		return drawn(b, im, Affine{DY: int(m), Scale: 1, Filter: Nearest})
	case turn:
		return drawn(b, im, Rotate{Degrees: m, Filter: Nearest})
	case brighten:
		return drawn(b, im, Brightness{1 + m})
	case colour:
		return drawn(b, im, Saturation{1 + m})
	case contrast:
		return drawn(b, im, Contrast{1 + m})
	case sharpen:
		return drawn(b, im, Sharpness{1 + m})
	case posterize:
		return drawn(b, im, Posterize{int(m)})
	case solarize:
		return drawn(b, im, Solarize{m})
	case autoContrast:
		return drawn(b, im, AutoContrast{})
	case equalize:
		return drawn(b, im, Equalize{})
	}
	return drawn(b, im, Identity{})
}

// space returns the strengths for pictures of the given size.
func (o RandAugment) space(width, height int) space {
	const most = 150.0 / 331
	return space{shear: 0.3, translateX: most * float64(width), translateY: most * float64(height), turn: 30, blend: 0.9, bits: 4}
}

func (o TrivialAugment) space() space {
	return space{shear: 0.99, translateX: 32, translateY: 32, turn: 135, blend: 0.99, bits: 6}
}

// draw draws the next step for a picture of the given size; none of the steps changes the
// size.
func (o RandAugment) draw(r *Rand, width, height int) augmentation {
	return o.space(width, height).draw(r, o.Bins, func() int { return o.Magnitude })
}

func (o TrivialAugment) draw(r *Rand) augmentation {
	return o.space().draw(r, o.Bins, func() int { return r.IntN(o.Bins) })
}

func (s space) draw(r *Rand, bins int, bin func() int) augmentation {
	a := augmentation{kind: r.IntN(augmentations)}
	kind := a.kind
	if kind == identity || kind == autoContrast || kind == equalize {
		return a
	}
	a.magnitude = s.magnitude(kind, bin(), bins)
	if signed(kind) && r.IntN(2) == 1 {
		a.magnitude = -a.magnitude
	}
	return a
}

// Draw draws the steps.
func (o RandAugment) Draw(r *Rand, width, height int) ImageOp {
	var steps Sequence
	for range o.Count {
		_, op, _ := o.draw(r, width, height).do(nil, nil)
		if op != ImageOp(Identity{}) {
			steps = append(steps, op)
		}
	}
	return steps
}

func (o RandAugment) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	for range o.Count {
		var err error
		if im, _, err = o.draw(r, im.Width, im.Height).do(b, im); err != nil {
			return nil, err
		}
	}
	return im, nil
}

// Draw draws the step.
func (o TrivialAugment) Draw(r *Rand, _, _ int) ImageOp {
	_, op, _ := o.draw(r).do(nil, nil)
	return op
}

func (o TrivialAugment) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	out, _, err := o.draw(r).do(b, im)
	return out, err
}

// Draw draws the step.
func (o ThreeAugment) Draw(r *Rand, _, _ int) ImageOp {
	_, op, _ := o.do(r, nil, nil)
	return op
}

func (o ThreeAugment) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	out, _, err := o.do(r, b, im)
	return out, err
}

func (ThreeAugment) do(r *Rand, b *Buffers, im *Image) (*Image, ImageOp, error) {
	switch r.IntN(3) {
	case 0:
		return drawn(b, im, Grayscale{3})
	case 1:
		return drawn(b, im, Solarize{128})
	}
	return drawn(b, im, PILBlur{r.Uniform(0.1, 2)})
}
