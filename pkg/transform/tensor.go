package transform

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ToTensor converts a picture's values v from 0 to 255 to float32, channels first. With
// Scale 0 it computes v/255 in float32, like torchvision's ToTensor; otherwise v*Scale in
// float64, rounded to float32, like the rescale of transformers' PIL image processors.
// Their usual scale, 1/255, gives the same numbers as 0.
type ToTensor struct{ Scale float64 }

// String is the step's text.
func (t ToTensor) String() string {
	if t.Scale == 0 {
		return "totensor"
	}
	return "totensor(scale=" + decimal(t.Scale) + ")"
}

// scaled255 is v/255 in float32, as torch divides.
var scaled255 = func() (t [256]float32) {
	for v := range t {
		t[v] = float32(v) / 255
	}
	return t
}()

// table is the float32 for each value of a pixel.
func (t ToTensor) table() *[256]float32 {
	if t.Scale == 0 {
		return &scaled255
	}
	var out [256]float32
	for v := range out {
		out[v] = float32(float64(v) * t.Scale)
	}
	return &out
}

// Apply converts the picture; the result doesn't share its memory.
func (t ToTensor) Apply(im *Image) *Tensor {
	out := &Tensor{Data: make([]float32, len(im.Pix)), Shape: [3]int{im.Channels, im.Height, im.Width}}
	var s scaleTable
	s.plain(t, im.Channels)
	s.convert(out.Data, im)
	return out
}

// Normalize computes (v-Mean)/Std for each channel, in float32 like torch. A single value
// applies to all channels.
type Normalize struct{ Mean, Std []float32 }

// String is the step's text.
func (n Normalize) String() string {
	return "normalize(" + listText(n.Mean) + "," + listText(n.Std) + ")"
}

func listText(v []float32) string {
	parts := make([]string, len(v))
	for i, x := range v {
		parts[i] = strconv.FormatFloat(float64(x), 'g', -1, 32)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// Apply normalises in place.
func (n Normalize) Apply(t *Tensor) error {
	if err := n.check(t.Shape[0]); err != nil {
		return err
	}
	size := t.Shape[1] * t.Shape[2]
	for c := range t.Shape[0] {
		mean, std := n.channel(c)
		plane := t.Data[c*size : (c+1)*size]
		for i, v := range plane {
			plane[i] = (v - mean) / std
		}
	}
	return nil
}

// check returns an error unless there are means and deviations for the given number of
// channels.
func (n Normalize) check(channels int) error {
	if (len(n.Mean) != 1 && len(n.Mean) != channels) || (len(n.Std) != 1 && len(n.Std) != channels) {
		return fmt.Errorf("%d means and %d deviations for %d channels", len(n.Mean), len(n.Std), channels)
	}
	if slices.Contains(n.Std, 0) {
		return errors.New("a standard deviation of 0")
	}
	return nil
}

// channel returns the mean and the deviation of a channel.
func (n Normalize) channel(c int) (mean, std float32) {
	return n.Mean[c%len(n.Mean)], n.Std[c%len(n.Std)]
}

// Picture turns a tensor made by the pipeline back into a picture to look at. It undoes
// the normalisations, the last one first, then totensor's scaling, and rounds the values;
// values outside 0 to 255 are clipped, and NaN is black. Other steps on the tensor, such
// as erasing, stay visible.
func (p Pipeline) Picture(t *Tensor) (*Image, error) {
	channels, size := t.Shape[0], t.Shape[1]*t.Shape[2]
	if channels != 1 && channels != 3 && channels != 4 {
		return nil, fmt.Errorf("a picture has 1, 3 or 4 channels, the tensor %d", channels)
	}
	if size <= 0 || len(t.Data) != channels*size {
		return nil, fmt.Errorf("%d numbers are not a tensor of shape %v", len(t.Data), t.Shape)
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

// level converts a value from 0 to 1 to 8 bits.
func level(v float64) uint8 {
	if !(v > 0) { // includes NaN
		return 0
	}
	return uint8(math.Round(min(v, 1) * 255))
}

// Look runs the pipeline and returns the result as a picture: a tensor is converted by
// [Pipeline.Picture]; without totensor it is the picture itself. The parameters are those
// drawn by Draw.
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
