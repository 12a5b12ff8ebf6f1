package transform

import (
	"errors"
	"strconv"
)

// Invert, Posterize, Solarize, Equalize and AutoContrast replace each colour value by
// another one, like PIL's ImageOps. PIL refuses pictures with an alpha channel; here alpha
// is left unchanged.
type (
	// Invert gives the negative.
	Invert struct{}
	// Posterize keeps the upper bits of each value, 1 to 8 of them.
	Posterize struct{ Bits int }
	// Solarize inverts values from Threshold up.
	Solarize struct{ Threshold float64 }
	// Equalize makes all values of each channel about equally frequent.
	Equalize struct{}
	// AutoContrast stretches each channel to the whole range.
	AutoContrast struct{}
)

// String is the step's text.
func (Invert) String() string { return "invert" }

// String is the step's text.
func (s Posterize) String() string { return "posterize(" + strconv.Itoa(s.Bits) + ")" }

// String is the step's text.
func (s Solarize) String() string { return "solarize(" + decimal(s.Threshold) + ")" }

// String is the step's text.
func (Equalize) String() string { return "equalize" }

// String is the step's text.
func (AutoContrast) String() string { return "autocontrast" }

// Apply inverts the picture.
func (s Invert) Apply(im *Image) (*Image, error) { return fresh(s, im) }

// Apply drops bits.
func (s Posterize) Apply(im *Image) (*Image, error) { return fresh(s, im) }

// Apply inverts the values from Threshold up.
func (s Solarize) Apply(im *Image) (*Image, error) { return fresh(s, im) }

// Apply equalises the picture.
func (s Equalize) Apply(im *Image) (*Image, error) { return fresh(s, im) }

// Apply stretches the channels.
func (s AutoContrast) Apply(im *Image) (*Image, error) { return fresh(s, im) }

func (Invert) apply(b *Buffers, im *Image) (*Image, error) {
	var t [256]uint8
	for v := range t {
		t[v] = 255 - uint8(v)
	}
	return b.lookUp(im, &t), nil
}

func (s Posterize) apply(b *Buffers, im *Image) (*Image, error) {
	if s.Bits < 1 || s.Bits > 8 {
		return nil, errors.New("the number of bits must be between 1 and 8")
	}
	var t [256]uint8
	for v := range t {
		t[v] = uint8(v) &^ uint8(1<<(8-s.Bits)-1)
	}
	return b.lookUp(im, &t), nil
}

func (s Solarize) apply(b *Buffers, im *Image) (*Image, error) {
	var t [256]uint8
	for v := range t {
		t[v] = uint8(v)
		if !(float64(v) < s.Threshold) {
			t[v] = 255 - uint8(v)
		}
	}
	return b.lookUp(im, &t), nil
}

func (Equalize) apply(b *Buffers, im *Image) (*Image, error) {
	return b.perChannel(im, func(h *[256]int, t *[256]uint8) {
		total, last := 0, 0
		for _, n := range h {
			total += n
			if n > 0 {
				last = n
			}
		}
		step := (total - last) / 255
		if step == 0 {
			return
		}
		n := step / 2
		for v := range t {
			t[v] = uint8(min(n/step, 255))
			n += h[v]
		}
	}), nil
}

func (AutoContrast) apply(b *Buffers, im *Image) (*Image, error) {
	return b.perChannel(im, func(h *[256]int, t *[256]uint8) {
		low, high := 0, 255
		for low < 255 && h[low] == 0 {
			low++
		}
		for high > 0 && h[high] == 0 {
			high--
		}
		if high <= low {
			return
		}
		scale := 255 / float64(high-low)
		offset := float64(-low) * scale
		for v := range t {
			t[v] = uint8(min(max(int(float64(float64(v)*scale)+offset), 0), 255))
		}
	}), nil
}

// perChannel makes a table of values for each colour from its histogram; each table
// starts as the identity.
func (b *Buffers) perChannel(im *Image, table func(histogram *[256]int, t *[256]uint8)) *Image {
	out := b.like(im)
	n := im.Channels
	for c := range min(n, 3) {
		h, t := &b.histogram, &b.table
		clear(h[:])
		for v := range t {
			t[v] = uint8(v)
		}
		for i := c; i < len(im.Pix); i += n {
			h[im.Pix[i]]++
		}
		table(h, t)
		for i := c; i < len(im.Pix); i += n {
			out.Pix[i] = t[im.Pix[i]]
		}
	}
	if n == 4 {
		copyAlpha(out, im)
	}
	return out
}
