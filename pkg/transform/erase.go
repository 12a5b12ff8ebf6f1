package transform

import (
	"fmt"
	"strconv"
)

// Erase fills Height rows of Width numbers of a tensor from (Top, Left) with Value (one
// for all channels or one for each) or, if Value is empty, with normal noise generated
// from the seed Noise.
type Erase struct {
	Top, Left, Height, Width int
	Value                    []float32
	Noise                    uint64
}

// String is the step's text.
func (e Erase) String() string {
	s := fmt.Sprintf("erase(%d,%d,%d,%d,", e.Top, e.Left, e.Height, e.Width)
	if len(e.Value) == 0 {
		return s + "noise=" + strconv.FormatUint(e.Noise, 10) + ")"
	}
	return s + listText(e.Value) + ")"
}

// Apply erases in place. A rectangle outside the tensor is an error.
func (e Erase) Apply(t *Tensor) error {
	channels, height, width := t.Shape[0], t.Shape[1], t.Shape[2]
	if e.Top < 0 || e.Left < 0 || e.Height < 0 || e.Width < 0 || e.Top > height-e.Height || e.Left > width-e.Width {
		return fmt.Errorf("the rectangle is outside the picture of %dx%d", width, height)
	}
	if len(e.Value) > 1 && len(e.Value) != channels {
		return fmt.Errorf("%d values for %d channels", len(e.Value), channels)
	}
	var r Rand
	r.reset(e.Noise, 0, 0, 0)
	for c := range channels {
		for y := range e.Height {
			row := t.Data[(c*height+e.Top+y)*width+e.Left:][:e.Width]
			for i := range row {
				if len(e.Value) == 0 {
					row[i] = float32(r.Normal())
				} else {
					row[i] = e.Value[c%len(e.Value)]
				}
			}
		}
	}
	return nil
}

// RandomErasing erases, with probability P, a rectangle whose fraction of the tensor's
// area is drawn from Scale and whose ratio of height to width is drawn from Ratio (Zhong
// and others 2017); Value is as in [Erase]. torchvision: RandomErasing.
type RandomErasing struct {
	P            float64
	Scale, Ratio Range
	Value        []float32
}

var (
	usualErasedScale = Range{0.02, 0.33}
	usualErasedRatio = Range{0.3, 3.3}
)

// String is the step's text.
func (o RandomErasing) String() string {
	s := "randomerasing(p=" + decimal(o.P)
	if o.Scale != usualErasedScale {
		s += ",scale=" + o.Scale.text()
	}
	if o.Ratio != usualErasedRatio {
		s += ",ratio=" + o.Ratio.text()
	}
	switch {
	case len(o.Value) == 0:
		s += ",value=random"
	case len(o.Value) > 1 || o.Value[0] != 0:
		s += ",value=" + listText(o.Value)
	}
	return s + ")"
}

// DrawTensor draws whether and where to erase. If nothing is erased, the result is an
// [Erase] of size 0.
func (o RandomErasing) DrawTensor(r *Rand, width, height int) TensorOp {
	return o.draw(r, width, height)
}

func (o RandomErasing) draw(r *Rand, width, height int) Erase {
	e := Erase{Value: o.Value}
	if r.Float64() >= o.P {
		return e
	}
	for range 10 {
		w, h := drawBox(r, width, height, o.Scale, o.Ratio)
		if h < height && w < width {
			if len(o.Value) == 0 {
				e.Noise = r.pcg.Uint64()
			}
			e.Top, e.Left, e.Height, e.Width = r.IntN(height-h+1), r.IntN(width-w+1), h, w
			return e
		}
	}
	return e
}
