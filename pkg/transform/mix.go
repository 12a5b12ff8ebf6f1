package transform

import (
	"errors"
	"fmt"
	"math"
)

// Mix specifies how batches are mixed: Mixup (Zhang and others 2017) takes a weighted sum
// of each picture and its partner, CutMix (Yun and others 2019) pastes a part of the
// partner into the picture. The partner is the picture at the mirrored position of the
// batch, and a batch has one set of parameters, as in the batch mode of timm's Mixup.
type Mix struct {
	MixupAlpha  float64 // shape of the beta distribution; 0 for no Mixup
	CutMixAlpha float64 // the same for CutMix; 0 for no CutMix
	P           float64 // probability that a batch is mixed at all
	Switch      float64 // probability of CutMix if both are enabled
}

// Mixing holds the parameters for mixing one batch.
type Mixing struct {
	// Lambda is the weight of a batch's own pictures and labels, from 0 to 1; 1
	// leaves them unchanged.
	Lambda float64
	// Cut selects CutMix: rows Top ≤ y < Bottom and columns Left ≤ x < Right come
	// from the partner. Otherwise the pictures are added.
	Cut                      bool
	Top, Left, Bottom, Right int
}

// Draw draws the parameters for the batch of a step in a run with a seed; pictures have
// width x height pixels. With CutMix, Lambda is the fraction of pixels that stay.
func (m Mix) Draw(seed, step uint64, width, height int) Mixing {
	r := NewRand(seed, step, 0, 0)
	none := Mixing{Lambda: 1}
	if r.Float64() >= m.P || m.MixupAlpha <= 0 && m.CutMixAlpha <= 0 {
		return none
	}
	cut := m.CutMixAlpha > 0 && (m.MixupAlpha <= 0 || r.Float64() < m.Switch)
	if !cut {
		return Mixing{Lambda: r.Beta(m.MixupAlpha, m.MixupAlpha)}
	}
	lambda := r.Beta(m.CutMixAlpha, m.CutMixAlpha)
	if lambda == 1 {
		return none
	}
	return cutFor(lambda, r.IntN(width), r.IntN(height), width, height)
}

// cutFor is a cut of 1-lambda of the pixels around a centre, clipped to the picture.
func cutFor(lambda float64, x, y, width, height int) Mixing {
	ratio := math.Sqrt(1 - lambda)
	w, h := int(float64(width)*ratio), int(float64(height)*ratio)
	c := Mixing{Cut: true,
		Top: max(y-h/2, 0), Bottom: min(y+(h+1)/2, height),
		Left: max(x-w/2, 0), Right: min(x+(w+1)/2, width),
	}
	c.Lambda = 1 - float64((c.Bottom-c.Top)*(c.Right-c.Left))/float64(width*height)
	return c
}

// Images mixes a batch of [batch, channels, height, width] numbers in place.
func (x Mixing) Images(data []float32, shape [4]int) error {
	batch, channels, height, width := shape[0], shape[1], shape[2], shape[3]
	if min(batch, channels, height, width) < 0 || len(data) != batch*channels*height*width {
		return fmt.Errorf("%d numbers are not a batch of shape %v", len(data), shape)
	}
	if x.Cut && !(0 <= x.Top && x.Top <= x.Bottom && x.Bottom <= height && 0 <= x.Left && x.Left <= x.Right && x.Right <= width) {
		return fmt.Errorf("a cut of rows %d to %d and columns %d to %d is outside pictures of %dx%d", x.Top, x.Bottom, x.Left, x.Right, width, height)
	}
	if x.Lambda == 1 {
		return nil
	}
	size := channels * height * width
	for i := range (batch + 1) / 2 {
		a, b := data[i*size:(i+1)*size], data[(batch-1-i)*size:(batch-i)*size]
		if x.Cut {
			x.swap(a, b, channels, height, width)
		} else {
			x.add(a, b)
		}
	}
	return nil
}

// add mixes two pictures with each other, or one with itself.
func (x Mixing) add(a, b []float32) {
	own, other := float32(x.Lambda), float32(1-x.Lambda)
	for i, v := range a {
		w := b[i]
		a[i] = float32(v*own) + float32(w*other)
		b[i] = float32(w*own) + float32(v*other)
	}
}

// swap exchanges the cut of two pictures.
func (x Mixing) swap(a, b []float32, channels, height, width int) {
	if &a[0] == &b[0] {
		return
	}
	for c := range channels {
		for y := x.Top; y < x.Bottom; y++ {
			at := (c*height + y) * width
			for i := at + x.Left; i < at+x.Right; i++ {
				a[i], b[i] = b[i], a[i]
			}
		}
	}
}

// Targets are the label probabilities [batch, classes] after mixing, with label smoothing
// (0 for none): each label has 1 - smoothing + smoothing/classes, the other classes
// smoothing/classes. A label that isn't a class is an error.
func (x Mixing) Targets(labels []int32, classes int, smoothing float64) ([]float32, error) {
	if classes < 1 || !(smoothing >= 0 && smoothing <= 1) {
		return nil, errors.New("there must be classes, and the smoothing must lie between 0 and 1")
	}
	for i, l := range labels {
		if l < 0 || int(l) >= classes {
			return nil, fmt.Errorf("label %d of the batch is %d, but there are %d classes (from 0)", i, l, classes)
		}
	}
	off := smoothing / float64(classes)
	low, high := float32(off), float32(1-smoothing+off)
	own, other := float32(x.Lambda), float32(1-x.Lambda)
	out := make([]float32, len(labels)*classes)
	for i, label := range labels {
		partner := labels[len(labels)-1-i]
		row := out[i*classes : (i+1)*classes]
		for c := range row {
			mine, theirs := low, low
			if c == int(label) {
				mine = high
			}
			if c == int(partner) {
				theirs = high
			}
			row[c] = float32(mine*own) + float32(theirs*other)
		}
	}
	return out, nil
}
