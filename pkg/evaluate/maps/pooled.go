package maps

import (
	"errors"
	"fmt"

	"gaze/pkg/data"
	"gaze/pkg/explain"
)

// Pooled is the evaluation of segmentation in Chefer et al. (Transformer Interpretability
// Beyond Attention Visualization, 2021): a map above its mean is the foreground. Pixel
// accuracy and mIoU pool the pixels of all pictures, unlike a [LocalisationJudge], which
// takes the mean over pictures; mAP has the background as a second channel. The zero
// value has no pictures yet.
type Pooled struct {
	right, counted float64
	both, either   [2]float64 // of background and foreground
	precision      float64
	pictures       int
}

// Add adds a picture's map and mask. The border of a trimap isn't counted.
func (p *Pooled) Add(m explain.Map, mask *data.Mask) error {
	if mask == nil || len(mask.Pix) == 0 || len(mask.Pix) != mask.Width*mask.Height {
		return errors.New("maps: a picture without a mask can't be pooled")
	}
	if len(m.Values) == 0 || len(m.Values) != m.Rows*m.Cols {
		return fmt.Errorf("maps: a map of %d values on %dx%d cells", len(m.Values), m.Rows, m.Cols)
	}
	values, err := pixels(m, mask.Height, mask.Width)
	if err != nil {
		return err
	}
	threshold := mean(values)
	for i, v := range values {
		truth, said := 0, 0
		switch mask.Pix[i] {
		case data.Uncounted:
			continue
		case data.Inside:
			truth = 1
		}
		if v > threshold && !constant(m.Values) {
			said = 1
		}
		p.counted++
		p.either[truth]++
		if said == truth {
			p.right++
			p.both[truth]++
		} else {
			p.either[said]++
		}
	}
	p.precision += twoChannels(values, mask)
	p.pictures++
	return nil
}

// twoChannels is the average precision of the map, scaled from 0 to 1, on pixels inside
// and of one minus it on pixels outside, taken together.
func twoChannels(values []float64, mask *data.Mask) float64 {
	n := len(values)
	both := make([]float64, 2*n)
	joined := &data.Mask{Width: mask.Width, Height: 2 * mask.Height, Pix: make([]uint8, 2*n)}
	scaled := spread(values)
	for i, v := range scaled {
		both[i], both[n+i] = 1-v, v
		joined.Pix[i], joined.Pix[n+i] = mask.Pix[i], mask.Pix[i]
		switch mask.Pix[i] {
		case data.Inside:
			joined.Pix[i] = data.Outside
		case data.Outside:
			joined.Pix[i] = data.Inside
		}
	}
	return averagePrecision(joined, both, byValue(both))
}

// spread scales values from 0 to 1; constant ones become ½.
func spread(values []float64) []float64 {
	lo, hi := values[0], values[0]
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = 0.5
		if hi > lo {
			out[i] = (v - lo) / (hi - lo)
		}
	}
	return out
}

// Scores are the pixel accuracy, the mean of the foreground's and the background's
// intersection over union, and the mean average precision, each from 0 to 1. It is an
// error if no picture with a counted pixel was added.
func (p *Pooled) Scores() (accuracy, mIoU, mAP float64, err error) {
	if p.counted == 0 {
		return 0, 0, 0, errors.New("maps: no picture with counted pixels has been added")
	}
	classes := 0.0
	for i, n := range p.either {
		if n > 0 {
			mIoU += p.both[i] / n
			classes++
		}
	}
	return p.right / p.counted, mIoU / classes, p.precision / float64(p.pictures), nil
}
