package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"gaze/pkg/data/jpeg"
	"gaze/pkg/transform"
)

// MaxPixels is the largest picture that is decoded, in pixels. A file of a few
// kilobytes can claim more and fill the memory; PIL warns at the same number.
const MaxPixels = 178_956_970

// maxFile bounds what is read of one file.
const maxFile = 1 << 30

// Decode reads a picture file as RGB, upright: what PIL's
// ImageOps.exif_transpose(Image.open(path)).convert("RGB") gives. The format
// is found from the content, not from the name.
//
//   - JPEG: the same bytes as PIL (libjpeg-turbo), grey, RGB and CMYK.
//   - PNG: an alpha channel is dropped, not blended, as PIL does. Of 16 bits
//     the upper 8 are kept, also for grey ones (where PIL clips at 255, which
//     turns nearly every picture white).
//   - GIF, and animated PNG and WebP where the format allows: the first frame.
//   - BMP, TIFF, WebP: through golang.org/x/image; lossy WebP may differ from
//     PIL by a few levels at coloured edges.
//
// Pictures of more than [MaxPixels] are refused before they are decoded. Errors
// name the file.
func Decode(path string) (*transform.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return DecodeReader(f, path)
}

// DecodeReader is [Decode] for an open file; name is for errors.
func DecodeReader(r io.Reader, name string) (*transform.Image, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes, too large for a picture", name, maxFile)
	}
	im, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return im, nil
}

// format is one kind of picture file.
type format struct {
	name   string
	magic  []string // what a file begins with; '?' stands for any byte
	size   func([]byte) (width, height int, err error)
	decode func([]byte) (*transform.Image, error)
}

var formats = []format{
	{"JPEG", []string{"\xFF\xD8\xFF"}, jpegSize, decodeJPEG},
	{"PNG", []string{"\x89PNG\r\n\x1a\n"}, sizeWith(png.DecodeConfig), decodeWith(png.Decode)},
	{"GIF", []string{"GIF87a", "GIF89a"}, sizeWith(gif.DecodeConfig), decodeGIF},
	{"BMP", []string{"BM"}, sizeWith(bmp.DecodeConfig), decodeWith(bmp.Decode)},
	{"TIFF", []string{"II*\x00", "MM\x00*"}, sizeWith(tiff.DecodeConfig), decodeWith(tiff.Decode)},
	{"WebP", []string{"RIFF????WEBP"}, sizeWith(webp.DecodeConfig), decodeWith(webp.Decode)},
}

func decode(data []byte) (*transform.Image, error) {
	if len(data) == 0 {
		return nil, errors.New("the file is empty")
	}
	for _, f := range formats {
		if !f.matches(data) {
			continue
		}
		width, height, err := f.size(data)
		if err != nil {
			return nil, f.explain(err)
		}
		if width <= 0 || height <= 0 {
			return nil, fmt.Errorf("a %s picture of %dx%d pixels", f.name, width, height)
		}
		if width > MaxPixels/height {
			return nil, fmt.Errorf("a %s picture of %dx%d pixels: more than %d are refused, in case the file lies; make it smaller first", f.name, width, height, MaxPixels)
		}
		im, err := f.decode(data)
		if err != nil {
			return nil, f.explain(err)
		}
		return upright(im, orientation(f.name, data)), nil
	}
	return nil, errors.New("not a picture that can be read (JPEG, PNG, GIF, BMP, TIFF or WebP)")
}

func (f format) matches(data []byte) bool {
	for _, magic := range f.magic {
		if len(data) < len(magic) {
			continue
		}
		same := true
		for i := range len(magic) {
			same = same && (magic[i] == '?' || magic[i] == data[i])
		}
		if same {
			return true
		}
	}
	return false
}

// explain says which format failed, and that a cut-off file is one.
func (f format) explain(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%s, truncated: the file ends before the picture does; get the file again", f.name)
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

func sizeWith(config func(io.Reader) (image.Config, error)) func([]byte) (int, int, error) {
	return func(data []byte) (int, int, error) {
		c, err := config(bytes.NewReader(data))
		return c.Width, c.Height, err
	}
}

func decodeWith(read func(io.Reader) (image.Image, error)) func([]byte) (*transform.Image, error) {
	return func(data []byte) (*transform.Image, error) {
		im, err := read(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return toRGB(im, im.Bounds()), nil
	}
}

func jpegSize(data []byte) (int, int, error) {
	h, err := jpeg.DecodeHeader(data)
	return h.Width, h.Height, err
}

// decodeJPEG converts grey and CMYK to RGB as PIL does.
func decodeJPEG(data []byte) (*transform.Image, error) {
	p, err := jpeg.Decode(data)
	if err != nil {
		return nil, err
	}
	if p.Channels == 3 {
		return &transform.Image{Pix: p.Pix, Width: p.Width, Height: p.Height, Channels: 3}, nil
	}
	out := transform.NewImage(p.Width, p.Height, 3)
	for i := range p.Width * p.Height {
		d := out.Pix[3*i : 3*i+3]
		if p.Channels == 1 {
			d[0], d[1], d[2] = p.Pix[i], p.Pix[i], p.Pix[i]
			continue
		}
		c := p.Pix[4*i : 4*i+4] // inverted: 255 is no ink
		for j := range d {
			t := int(255-c[j])*int(c[3]) + 128
			d[j] = uint8(max(int(c[3])-((t>>8)+t)>>8, 0))
		}
	}
	return out, nil
}

// decodeGIF draws the first frame on a canvas of the GIF's size, black where
// the frame doesn't reach.
func decodeGIF(data []byte) (*transform.Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return toRGB(frame, image.Rect(0, 0, c.Width, c.Height)), nil
}

// toRGB copies the pixels of a rectangle, without their alpha.
func toRGB(im image.Image, r image.Rectangle) *transform.Image {
	out := transform.NewImage(r.Dx(), r.Dy(), 3)
	inside := r.Intersect(im.Bounds())
	at := pixelReader(im)
	for y := inside.Min.Y; y < inside.Max.Y; y++ {
		for x := inside.Min.X; x < inside.Max.X; x++ {
			d := out.Pix[((y-r.Min.Y)*out.Width+x-r.Min.X)*3:]
			d[0], d[1], d[2] = at(x, y)
		}
	}
	return out
}

// pixelReader returns a function that gives a pixel's colour before it was
// multiplied by its alpha, the upper 8 bits of each channel.
func pixelReader(im image.Image) func(x, y int) (r, g, b uint8) {
	switch im := im.(type) {
	case *image.RGBA:
		if im.Opaque() {
			return func(x, y int) (uint8, uint8, uint8) {
				p := im.Pix[im.PixOffset(x, y):]
				return p[0], p[1], p[2]
			}
		}
	case *image.NRGBA:
		return func(x, y int) (uint8, uint8, uint8) {
			p := im.Pix[im.PixOffset(x, y):]
			return p[0], p[1], p[2]
		}
	case *image.NRGBA64:
		return func(x, y int) (uint8, uint8, uint8) {
			p := im.Pix[im.PixOffset(x, y):]
			return p[0], p[2], p[4]
		}
	case *image.Gray:
		return func(x, y int) (uint8, uint8, uint8) {
			v := im.Pix[im.PixOffset(x, y)]
			return v, v, v
		}
	case *image.Paletted:
		table := make([][3]uint8, max(len(im.Palette), 256))
		for i, c := range im.Palette {
			table[i] = straight(c)
		}
		return func(x, y int) (uint8, uint8, uint8) {
			c := table[im.Pix[im.PixOffset(x, y)]]
			return c[0], c[1], c[2]
		}
	}
	return func(x, y int) (uint8, uint8, uint8) {
		c := straight(im.At(x, y))
		return c[0], c[1], c[2]
	}
}

// straight is a colour without its alpha, not premultiplied.
func straight(c color.Color) [3]uint8 {
	if n, ok := c.(color.NRGBA); ok { // keeps the colour of what is fully transparent
		return [3]uint8{n.R, n.G, n.B}
	}
	n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	return [3]uint8{uint8(n.R >> 8), uint8(n.G >> 8), uint8(n.B >> 8)}
}
