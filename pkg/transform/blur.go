package transform

import (
	"fmt"
	"math"
	"strconv"
)

// GaussianBlur takes the Gaussian mean over Width x Height pixels (odd numbers)
// with standard deviation Sigma in pixels, mirrored at the edges, as
// torchvision's gaussian_blur does. torch sums the pixels in an order of its own,
// so that a value next to a rounding limit may come out 1/255 off.
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

// Apply blurs. A picture not larger than half the kernel is an error, as in
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

// gaussian fills in the weights in float32, as torch does.
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
