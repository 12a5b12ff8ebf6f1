package transform

import (
	"errors"
	"fmt"
	"math"
)

// Picture turns a tensor that the pipeline made back into a picture to look at:
// its normalisations are undone, the last one first, then totensor's scaling, and
// the values are rounded; what lies outside 0 to 255 is cut off and NaN is black.
// What other steps did to the tensor, such as erasing, stays visible.
func (p Pipeline) Picture(t *Tensor) (*Image, error) {
	channels, size := t.Shape[0], t.Shape[1]*t.Shape[2]
	if channels != 1 && channels != 3 && channels != 4 {
		return nil, fmt.Errorf("a picture has 1, 3 or 4 channels, the tensor %d", channels)
	}
	if size <= 0 || len(t.Data) != channels*size {
		return nil, fmt.Errorf("%d numbers are no tensor of shape %v", len(t.Data), t.Shape)
	}
	im := NewImage(t.Shape[2], t.Shape[1], channels)
	for c := range channels {
		scale, shift := 1.0, 0.0 // value = number * scale + shift
		for i := len(p) - 1; i >= 0; i-- {
			switch op := p[i].(type) {
			case Normalize:
				if err := op.check(channels); err != nil {
					return nil, fmt.Errorf("%s: %w", op, err)
				}
				mean, std := op.channel(c)
				scale, shift = scale*float64(std), shift*float64(std)+float64(mean)
			case ToTensor:
				if op.Scale != 0 {
					scale, shift = scale/(255*op.Scale), shift/(255*op.Scale)
				}
			}
		}
		for i, v := range t.Data[c*size : (c+1)*size] {
			im.Pix[i*channels+c] = level(float64(v)*scale + shift)
		}
	}
	return im, nil
}

// level is a value from 0 to 1 in 8 bits.
func level(v float64) uint8 {
	if !(v > 0) { // NaN, too
		return 0
	}
	return uint8(math.Round(min(v, 1) * 255))
}

// Look runs the pipeline and returns what it makes of a picture as a picture:
// of a tensor, as [Pipeline.Picture] shows it, and without totensor the picture
// itself. The parameters are those that Draw draws.
func (p Pipeline) Look(seed, epoch, index uint64, im *Image) (*Image, error) {
	t, err := p.TensorAt(seed, epoch, index, im)
	if errors.Is(err, errNoTensor) {
		return p.ImageAt(seed, epoch, index, im)
	}
	if err != nil {
		return nil, err
	}
	return p.Picture(t)
}
