// Package data finds and decodes pictures, opens data sets and loads batches. The decoded
// bytes are those of PIL's ImageOps.exif_transpose and convert("RGB"), and so those that
// checkpoints were trained on. It knows files, labels and pipelines; it doesn't know
// models or download data sets.
package data

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"gaze/internal/jpeg"
	"gaze/pkg/transform"
)

// MaxPixels is the largest picture that is decoded, width times height: the size above
// which Pillow refuses a picture as a decompression bomb. It is checked in the header,
// before anything is allocated.
const MaxPixels = 178_956_970

// maxBytes bounds the bytes read into memory: MaxPixels of the largest pixels (16-bit
// RGBA), and ample room for metadata.
const maxBytes = MaxPixels*8 + 64<<20

// Errors that Decode wraps, for errors.Is.
var (
	// ErrFormat means that the content isn't in a known picture format.
	ErrFormat = errors.New("not a picture that can be read")
	// ErrTruncated means that the data ends before the picture does.
	ErrTruncated = errors.New("the file is truncated: copy or download it again")
	// ErrTooLarge means that the picture has more than MaxPixels.
	ErrTooLarge = errors.New("too large")
)

// Decode reads a picture file and returns it upright (EXIF orientation applied)
// with 3 channels.
//
// The format is recognised by the content, not by the name: JPEG, PNG, GIF, WebP,
// BMP, TIFF. If there are several frames or pages, the first is used. Pixels
// are those of PIL's convert("RGB"): alpha is dropped, not composited; 16-bit
// colours keep their high byte; CMYK is converted without a colour profile.
// The one difference is 16-bit grey, which keeps its high byte too, where PIL
// cuts it off at 255 and so makes nearly every such picture white. The error
// names the file.
//
// A damaged file that PIL decodes is decoded to the same pixels; [DecodeWarn] reports
// the damage. A file that PIL refuses is an error.
func Decode(path string) (*transform.Image, error) {
	im, _, err := DecodeWarn(path)
	return im, err
}

// DecodeWarn is [Decode] that also describes the damage in a damaged file that could
// still be decoded, in a line without its name, such as "the data ends early, in row 96
// of the picture". Damage is "" for an undamaged file.
func DecodeWarn(path string) (im *transform.Image, damage string, err error) {
	return DecodeFor(path, nil)
}

// DecodeFor is [DecodeWarn] for a pipeline: if it begins with a background step,
// transparent pictures are put on that colour.
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

// DecodeReader is [Decode] for a picture from a reader; name is used in errors. It reads
// r to its end.
func DecodeReader(r io.Reader, name string) (*transform.Image, error) {
	return lend(func(d *Decoder) (*transform.Image, error) { return d.DecodeReader(r, name) })
}

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// lend decodes with a decoder from the pool and detaches the picture from its memory.
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

// endsEarly reports whether a decoder ran out of data. Those of PNG and GIF have no error
// value for a compressed stream that ends early.
func endsEarly(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		strings.Contains(err.Error(), "not enough pixel data") || strings.Contains(err.Error(), "not enough image data")
}

// checkSize refuses invalid or too large sizes in a header before anything is allocated.
func checkSize(width, height int) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("the header says %dx%d pixels", width, height)
	}
	if width > MaxPixels/height {
		return fmt.Errorf("%w: %dx%d pixels, more than the limit of %d: make it smaller first", ErrTooLarge, width, height, MaxPixels)
	}
	return nil
}

// Decoder decodes pictures one after another and reuses its memory: for JPEG files of
// one size, no memory of the picture's size is allocated after the first. The zero value
// is ready to use. A Decoder may be used by one goroutine at a time.
type Decoder struct {
	// Background is the colour that pictures with transparency are put on, as in
	// transformers' convert_to_rgb; if it is nil, alpha is dropped.
	// [transform.Pipeline.Background] gives a pipeline's colour.
	Background *[3]uint8

	jpeg          jpeg.Decoder
	file          []byte // the file's content
	pixels, spare []uint8
	image         transform.Image
	damage        string // damage of the last decoded picture
}

// Damage describes the damage in the last decoded picture, "" if there is none; see
// [DecodeWarn].
func (d *Decoder) Damage() string { return d.damage }

// Decode is the package's [Decode], but the picture is in the decoder's memory and
// valid only until the decoder's next use.
func (d *Decoder) Decode(path string) (*transform.Image, error) {
	d.damage = ""
	f, size, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return d.decode(f, path, size)
}

// DecodeReader is [Decoder.Decode] for a picture from a reader; name is used in errors.
// It reads r to its end.
func (d *Decoder) DecodeReader(r io.Reader, name string) (*transform.Image, error) {
	return d.decode(r, name, 0)
}

// open opens a regular file and returns its size.
func open(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if info.IsDir() {
		return nil, 0, fmt.Errorf("%s: is a folder, not a picture", path)
	}
	// Opening a pipe would wait for a writer, perhaps forever.
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: is not a regular file but a pipe, socket or device: save the picture to a file first", path)
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

// decode reads and decodes; size is an estimate of the number of bytes.
func (d *Decoder) decode(r io.Reader, name string, size int64) (*transform.Image, error) {
	d.damage = ""
	f, err := d.read(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	im, err := f.run(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", name, f.name, err)
	}
	return im, nil
}

// read reads r to its end into d.file. Content that isn't a picture is refused before
// all of it is read.
func (d *Decoder) read(r io.Reader, size int64) (*format, error) {
	const first = 4096
	d.file = slices.Grow(d.file[:0], max(int(min(size, maxBytes)), first)+1) // one extra byte, to see the end
	n, err := io.ReadAtLeast(r, d.file[:first], 64)
	d.file = d.file[:n]
	ended := err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !ended {
		return nil, err
	}
	f, err := sniff(d.file[:min(n, 64)])
	if err != nil || ended {
		return f, err
	}
	for {
		if len(d.file) > maxBytes {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, maxBytes)
		}
		d.file = slices.Grow(d.file, 1)
		n, err := r.Read(d.file[len(d.file):cap(d.file)])
		d.file = d.file[:len(d.file)+n]
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// run decodes d.file and turns the picture upright. A panic in a decoder, caused by
// unexpected data, becomes an error about the data.
func (f *format) run(d *Decoder) (im *transform.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			im, err = nil, fmt.Errorf("the data is damaged (%v)", r)
		}
	}()
	im, orientation, err := f.decode(d, d.file)
	if err != nil {
		d.damage = ""
		if endsEarly(err) {
			err = ErrTruncated
		}
		return nil, err
	}
	return d.upright(im, orientation), nil
}

// keep makes the picture the decoder's current one.
func (d *Decoder) keep(pix []uint8, width, height int) *transform.Image {
	d.image = transform.Image{Pix: pix, Width: width, Height: height, Channels: 3}
	return &d.image
}
