package transform

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ToTensor turns a picture of values v from 0 to 255 into float32, channels first.
// Scale 0 means v/255 in float32, as torchvision's ToTensor computes it; another
// one v*Scale in float64, rounded to float32, as the rescale of transformers' PIL
// image processors does. Their usual scale, 1/255, gives the same numbers as 0.
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

// Apply converts; the result doesn't share the picture's memory.
func (t ToTensor) Apply(im *Image) *Tensor {
	out := &Tensor{Data: make([]float32, len(im.Pix)), Shape: [3]int{im.Channels, im.Height, im.Width}}
	var s scaleTable
	s.plain(t, im.Channels)
	s.convert(out.Data, im)
	return out
}

// Normalize computes (v-Mean)/Std for each channel, in float32 as torch does.
// One value serves all channels.
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

// check says whether there are means and deviations for so many channels.
func (n Normalize) check(channels int) error {
	if (len(n.Mean) != 1 && len(n.Mean) != channels) || (len(n.Std) != 1 && len(n.Std) != channels) {
		return fmt.Errorf("%d means and %d deviations for %d channels", len(n.Mean), len(n.Std), channels)
	}
	if slices.Contains(n.Std, 0) {
		return errors.New("a standard deviation of 0")
	}
	return nil
}

// channel is the mean and the deviation of a channel.
func (n Normalize) channel(c int) (mean, std float32) {
	return n.Mean[c%len(n.Mean)], n.Std[c%len(n.Std)]
}
