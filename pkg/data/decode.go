// Package data finds and decodes pictures: the bytes are those that PIL's
// ImageOps.exif_transpose and convert("RGB") give, and so those that a
// checkpoint was trained on.
package data

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"gaze/pkg/transform"
)

// MaxPixels is the largest picture that is decoded, width times height: the
// size at which Pillow refuses one as a decompression bomb. It is checked
// against the header, before anything is allocated.
const MaxPixels = 178_956_970

// maxBytes bounds what is read into memory: MaxPixels of the widest pixels
// there are (16-bit RGBA) and as much room for metadata as anybody needs.
const maxBytes = MaxPixels*8 + 64<<20

// Errors that Decode wraps, for those who want to tell them apart.
var (
	// ErrFormat means that the content is of no known picture format.
	ErrFormat = errors.New("not a picture that can be read")
	// ErrTruncated means that the data ends before the picture does.
	ErrTruncated = errors.New("the file is truncated: copy or download it again")
	// ErrTooLarge means that the picture has more than MaxPixels.
	ErrTooLarge = errors.New("too large")
)

// Decode reads a picture file and returns it upright (EXIF orientation applied)
// with 3 channels.
//
// The format is found from the content, whatever the name's ending: JPEG, PNG,
// GIF, WebP, BMP, TIFF. Of several frames or pages the first is taken. Pixels
// are those of PIL's convert("RGB"): alpha is dropped, not composited; 16-bit
// colours keep their high byte; CMYK is converted without a colour profile.
// The one difference is 16-bit grey, which keeps its high byte too, where PIL
// cuts it off at 255 and so makes nearly every such picture white. The error
// names the file.
//
// A damaged file that PIL decodes is decoded to the same pixels; [DecodeWarn] tells
// which are. One that PIL refuses is an error.
func Decode(path string) (*transform.Image, error) {
	im, _, err := DecodeWarn(path)
	return im, err
}

// DecodeWarn is [Decode] that also says what is wrong with a file that is damaged and
// could be decoded all the same, in a line without its name, as "the data ends early,
// in row 96 of the picture". Damage is "" where nothing is wrong.
func DecodeWarn(path string) (im *transform.Image, damage string, err error) {
	return DecodeFor(path, nil)
}

// DecodeFor is [DecodeWarn] for a pipeline: transparent pictures are put on the colour
// that it says, if it begins with a background.
func DecodeFor(path string, p transform.Pipeline) (im *transform.Image, damage string, err error) {
	im, err = lend(func(d *Decoder) (*transform.Image, error) {
		d.Background = p.Background()
		im, err := d.Decode(path)
		d.Background = nil
		damage = d.damage
		return im, err
	})
	return im, damage, err
}

// DecodeReader is [Decode] for a picture that isn't a file of its own; name
// stands for it in errors. It reads r to its end.
func DecodeReader(r io.Reader, name string) (*transform.Image, error) {
	return lend(func(d *Decoder) (*transform.Image, error) { return d.DecodeReader(r, name) })
}

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// lend decodes by a decoder of the pool and takes the picture out of its memory.
func lend(decode func(*Decoder) (*transform.Image, error)) (*transform.Image, error) {
	d := decoders.Get().(*Decoder)
	im, err := decode(d)
	if err == nil {
		own := *im
		im, d.pixels, d.image = &own, nil, transform.Image{}
	}
	decoders.Put(d)
	return im, err
}

// endsEarly tells whether a decoder ran out of data. Those of PNG and GIF have
// no error value for a compressed stream that ends too soon.
func endsEarly(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		strings.Contains(err.Error(), "not enough pixel data") || strings.Contains(err.Error(), "not enough image data")
}

// checkSize refuses sizes out of a header before anything is allocated.
func checkSize(width, height int) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("the header says %dx%d pixels", width, height)
	}
	if width > MaxPixels/height {
		return fmt.Errorf("%w: %dx%d pixels, more than the limit of %d: make it smaller first", ErrTooLarge, width, height, MaxPixels)
	}
	return nil
}
