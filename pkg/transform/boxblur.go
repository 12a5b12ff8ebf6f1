package transform

import (
	"errors"
	"math"
)

// PILBlur is PIL's own Gaussian blur, made of three box blurs with soft edges in
// whole numbers (Gwosdek and others, Theoretical foundations of Gaussian
// convolution by extended box filtering, 2011), as 3-Augment uses it. Radius is
// the standard deviation in pixels.
type PILBlur struct{ Radius float64 }

// String is the step's text.
func (p PILBlur) String() string { return "pilblur(" + decimal(p.Radius) + ")" }

// Apply blurs.
func (p PILBlur) Apply(im *Image) (*Image, error) { return fresh(p, im) }

func (p PILBlur) apply(b *Buffers, im *Image) (*Image, error) {
	if !(p.Radius >= 0 && p.Radius <= 1000) {
		return nil, errors.New("the radius must lie between 0 and 1000")
	}
	if p.Radius == 0 || len(im.Pix) == 0 {
		return im, nil
	}
	radius := boxRadius(float32(p.Radius))
	out := b.like(im)
	copy(out.Pix, im.Pix)
	longest := max(im.Width, im.Height)
	b.bytes = resized(b.bytes, 2*longest)
	line, result := b.bytes[:longest], b.bytes[longest:]
	n, stride := im.Channels, im.Width*im.Channels
	for c := range n {
		for y := range im.Height {
			blurLine(out.Pix[y*stride+c:], n, line[:im.Width], result[:im.Width], radius)
		}
		for x := range im.Width {
			blurLine(out.Pix[x*n+c:], stride, line[:im.Height], result[:im.Height], radius)
		}
	}
	return out, nil
}

// boxRadius is the radius of three box blurs that together have a standard
// deviation of sigma, in PIL's float32.
func boxRadius(sigma float32) float32 {
	variance := float32(sigma*sigma) / 3
	length := float32(math.Sqrt(float64(12*float64(variance)) + 1))
	whole := float32(math.Floor((float64(length) - 1) / 2))
	a := float32(2*whole+1) * float32(float32(whole*(whole+1))-float32(3*variance))
	a /= 6 * (variance - float32((whole+1)*(whole+1)))
	return whole + a
}

// blurLine blurs a line of values that lie step apart, three times.
func blurLine(pix []uint8, step int, line, result []uint8, radius float32) {
	for i := range line {
		line[i] = pix[i*step]
	}
	for range 3 {
		boxBlur(result, line, radius)
		line, result = result, line
	}
	for i, v := range line {
		pix[i*step] = v
	}
}

// boxBlur is the mean over radius on both sides, of which the fractional part
// counts the outermost values; beyond the ends the last value goes on. Sums are
// in 24-bit fixed point.
func boxBlur(dst, src []uint8, radius float32) {
	r, last := int(radius), len(src)-1
	weight := uint32(float32(1<<24) / (float32(radius*2) + 1))
	far := (1<<24 - uint32(2*r+1)*weight) / 2
	at := func(i int) uint32 { return uint32(src[min(max(i, 0), last)]) }
	sum := uint32(0)
	for i := -r; i <= r; i++ {
		sum += at(i)
	}
	for i := range dst {
		dst[i] = uint8((sum*weight + (at(i-r-1)+at(i+r+1))*far + 1<<23) >> 24)
		sum += at(i+r+1) - at(i-r)
	}
}
