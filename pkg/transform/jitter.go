package transform

import "math"

// Jitter changes brightness, contrast, saturation and hue by factors (for hue, a shift)
// drawn from ranges, in random order. A range of 1:1 (for hue, 0:0) leaves a property
// unchanged. torchvision: ColorJitter.
type Jitter struct{ Brightness, Contrast, Saturation, Hue Range }

var (
	noFactor = Range{1, 1}
	noShift  = Range{0, 0}
)

// String is the step's text.
func (o Jitter) String() string {
	s := "jitter(" + o.Brightness.text() + "," + o.Contrast.text() + "," + o.Saturation.text()
	if o.Hue != noShift {
		s += "," + o.Hue.text()
	}
	return s + ")"
}

// jitterDraw is an order of the four properties, and their values; NaN for unchanged
// properties.
type jitterDraw struct {
	order  [4]int
	values [4]float64
}

func (o Jitter) draw(r *Rand) jitterDraw {
	d := jitterDraw{order: [4]int{0, 1, 2, 3}}
	for i := 3; i > 0; i-- {
		j := r.IntN(i + 1)
		d.order[i], d.order[j] = d.order[j], d.order[i]
	}
	for i, v := range [4]Range{o.Brightness, o.Contrast, o.Saturation, o.Hue} {
		d.values[i] = v.draw(r)
		if i < 3 && v == noFactor || i == 3 && v == noShift {
			d.values[i] = math.NaN()
		}
	}
	return d
}

// Draw draws the order and the factors.
func (o Jitter) Draw(r *Rand, _, _ int) ImageOp {
	var steps Sequence
	d := o.draw(r)
	for _, i := range d.order {
		v := d.values[i]
		if v != v {
			continue
		}
		steps = append(steps, [4]ImageOp{Brightness{v}, Contrast{v}, Saturation{v}, Hue{v}}[i])
	}
	return steps
}

func (o Jitter) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	d := o.draw(r)
	for _, i := range d.order {
		var err error
		switch v := d.values[i]; {
		case v != v:
		case i == 0:
			im, err = Brightness{v}.apply(b, im)
		case i == 1:
			im, err = Contrast{v}.apply(b, im)
		case i == 2:
			im, err = Saturation{v}.apply(b, im)
		default:
			im, err = Hue{v}.apply(b, im)
		}
		if err != nil {
			return nil, err
		}
	}
	return im, nil
}

// RandomBlur is [GaussianBlur] with a standard deviation drawn from Sigma.
// torchvision: GaussianBlur.
type RandomBlur struct {
	Width, Height int
	Sigma         Range
}

var usualSigma = Range{0.1, 2}

// String is the step's text.
func (o RandomBlur) String() string {
	return "gaussianblur(" + kernelText(o.Width, o.Height) + "," + o.Sigma.text() + ")"
}

// Draw draws sigma.
func (o RandomBlur) Draw(r *Rand, _, _ int) ImageOp { return o.draw(r) }

func (o RandomBlur) draw(r *Rand) GaussianBlur {
	return GaussianBlur{o.Width, o.Height, o.Sigma.draw(r)}
}

func (o RandomBlur) run(b *Buffers, r *Rand, im *Image) (*Image, error) {
	return o.draw(r).apply(b, im)
}
