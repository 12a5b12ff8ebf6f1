package transform

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// GaussianBlur takes the Gaussian mean over Width x Height pixels (odd numbers)
// with standard deviation Sigma in pixels, mirrored at the edges, like torchvision's
// gaussian_blur. torch sums the pixels in a different order, so a value close to a
// rounding boundary may differ by 1/255.
type GaussianBlur struct {
	Width, Height int
	Sigma         float64
}

// String is the step's text.
func (g GaussianBlur) String() string {
	return "gaussianblur(" + kernelText(g.Width, g.Height) + "," + decimal(g.Sigma) + ")"
}

func kernelText(width, height int) string {
	if width == height {
		return strconv.Itoa(width)
	}
	return fmt.Sprintf("[%d,%d]", width, height)
}

// Apply blurs the picture. A picture not larger than half the kernel is an error, as in
// torchvision.
func (g GaussianBlur) Apply(im *Image) (*Image, error) { return fresh(g, im) }

func (g GaussianBlur) apply(b *Buffers, im *Image) (*Image, error) {
	if g.Width < 1 || g.Height < 1 || g.Width%2 == 0 || g.Height%2 == 0 || !(g.Sigma > 0) {
		return nil, fmt.Errorf("a kernel must have odd sizes and a positive sigma")
	}
	rx, ry := g.Width/2, g.Height/2
	if rx >= im.Width || ry >= im.Height {
		return nil, fmt.Errorf("a picture of %dx%d is too small for a kernel of %dx%d", im.Width, im.Height, g.Width, g.Height)
	}
	n := im.Channels
	stride := im.Width * n
	b.kernel = resized(b.kernel, g.Width+g.Height)
	kx, ky := b.kernel[:g.Width], b.kernel[g.Width:]
	gaussian(kx, g.Sigma)
	gaussian(ky, g.Sigma)
	b.floats = resized(b.floats, 2*stride)
	column, row := b.floats[:stride], b.floats[stride:]
	out := b.like(im)
	for y := range im.Height {
		clear(column)
		for i, w := range ky {
			from := im.Pix[mirror(y+i-ry, 2*max(im.Height-1, 1), im.Height-1)*stride:]
			for j, v := range from[:stride] {
				column[j] += float32(w * float32(v))
			}
		}
		blurRow(row, column, kx, n)
		dst := out.Pix[y*stride : (y+1)*stride]
		for j, v := range row {
			dst[j] = uint8(int32(min(math.RoundToEven(float64(v)), 255)))
		}
	}
	return out, nil
}

// gaussian computes the weights in float32, as torch does.
func gaussian(k []float32, sigma float64) {
	half := float64(len(k)-1) / 2
	sum := float32(0)
	for i := range k {
		x := float32(float64(i)-half) / float32(sigma)
		k[i] = float32(math.Exp(float64(float32(-0.5) * float32(x*x))))
		sum += k[i]
	}
	for i := range k {
		k[i] /= sum
	}
}

// blurRow is the weighted mean along a row of pixels of n channels.
func blurRow(dst, src, k []float32, n int) {
	r := len(k) / 2
	width := len(src) / n
	for x := range width {
		if x < r || x >= width-r {
			for c := range n {
				sum := float32(0)
				for i, w := range k {
					sum += float32(w * src[mirror(x+i-r, 2*max(width-1, 1), width-1)*n+c])
				}
				dst[x*n+c] = sum
			}
			continue
		}
		for c := range n {
			sum := float32(0)
			at := (x-r)*n + c
			for i, w := range k {
				sum += float32(w * src[at+i*n])
			}
			dst[x*n+c] = sum
		}
	}
}

// PILBlur is PIL's own Gaussian blur, as used by 3-Augment: three box blurs with soft
// edges in integer arithmetic (Gwosdek and others, Theoretical foundations of Gaussian
// convolution by extended box filtering, 2011). Radius is the standard deviation in
// pixels.
type PILBlur struct{ Radius float64 }

// String is the step's text.
func (p PILBlur) String() string { return "pilblur(" + decimal(p.Radius) + ")" }

// Apply blurs the picture.
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

// boxRadius is the radius of three box blurs that together have a standard deviation of
// sigma, in float32 as in PIL.
func boxRadius(sigma float32) float32 {
	variance := float32(sigma*sigma) / 3
	length := float32(math.Sqrt(float64(12*float64(variance)) + 1))
	whole := float32(math.Floor((float64(length) - 1) / 2))
	a := float32(2*whole+1) * float32(float32(whole*(whole+1))-float32(3*variance))
	a /= 6 * (variance - float32((whole+1)*(whole+1)))
	return whole + a
}

// blurLine blurs a line of values, which are step apart, three times.
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

// boxBlur is the mean over radius on both sides; its fractional part is the weight of the
// outermost values. Beyond the ends the last value is repeated. Sums are in 24-bit fixed
// point.
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

// Sharpness blends a picture with a smoothed version: Factor 0 gives the smoothed
// version, 1 the picture itself, larger factors sharpen it. The smoothing is PIL's 3x3
// filter, which leaves the outermost pixels unchanged. Factors must not be negative.
type Sharpness struct{ Factor float64 }

// String is the step's text.
func (s Sharpness) String() string { return "sharpness(" + decimal(s.Factor) + ")" }

// Apply blends the picture.
func (s Sharpness) Apply(im *Image) (*Image, error) { return fresh(s, im) }

func (s Sharpness) apply(b *Buffers, im *Image) (*Image, error) {
	if !(s.Factor >= 0) {
		return nil, errFactor
	}
	if im.Width < 3 || im.Height < 3 || s.Factor == 1 {
		return im, nil
	}
	out := b.like(im)
	n, f := im.Channels, float32(s.Factor)
	stride := im.Width * n
	copy(out.Pix[:stride], im.Pix)
	copy(out.Pix[len(out.Pix)-stride:], im.Pix[len(im.Pix)-stride:])
	for y := 1; y < im.Height-1; y++ {
		row := im.Pix[y*stride : (y+1)*stride]
		dst := out.Pix[y*stride : (y+1)*stride]
		above, below := im.Pix[(y-1)*stride:y*stride], im.Pix[(y+1)*stride:(y+2)*stride]
		copy(dst[:n], row)
		copy(dst[stride-n:], row[stride-n:])
		for i := n; i < stride-n; i++ {
			dst[i] = blend(smooth(above, row, below, i, n), row[i], f)
		}
	}
	if n == 4 {
		copyAlpha(out, im)
	}
	return out, nil
}

// smooth is the weighted mean of nine values in float32, in PIL's order.
func smooth(above, row, below []uint8, i, n int) uint8 {
	const edge, middle = float32(1) / 13, float32(5) / 13
	line := func(r []uint8, w float32) float32 {
		return float32(float32(r[i-n])*edge) + float32(float32(r[i])*w) + float32(float32(r[i+n])*edge)
	}
	sum := float32(0.5) + line(below, edge)
	sum += line(row, middle)
	sum += line(above, edge)
	return uint8(int32(min(max(sum, 0), 255)))
}
