// Package data finds and decodes pictures, opens data sets of them, and loads batches.
// The bytes are those that PIL's ImageOps.exif_transpose and convert("RGB") give, and so
// those that a checkpoint was trained on. It knows files, labels and pipelines; it
// doesn't know models, nor where data sets are downloaded.
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

// Decoder decodes pictures one after another and keeps its memory between them:
// for JPEG files of one size nothing of the picture's size is allocated after the
// first. The zero value is ready. It serves one goroutine at a time.
type Decoder struct {
	// Background is the colour that pictures with transparency are put on, as
	// transformers' convert_to_rgb does; with nil alpha is dropped.
	// [transform.Pipeline.Background] is the one that a pipeline wants.
	Background *[3]uint8

	jpeg          jpeg.Decoder
	file          []byte // the file's content
	pixels, spare []uint8
	image         transform.Image
	damage        string // of the picture that was decoded last
}

// Damage says what is wrong with the picture that was decoded last, "" if nothing
// is; see [DecodeWarn].
func (d *Decoder) Damage() string { return d.damage }

// Decode is the package's [Decode], but the picture lies in the decoder's memory:
// it is good until the decoder's next use.
func (d *Decoder) Decode(path string) (*transform.Image, error) {
	d.damage = ""
	f, size, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return d.decode(f, path, size)
}

// DecodeReader is [Decoder.Decode] for a picture that isn't a file of its own;
// name stands for it in errors. It reads r to its end.
func (d *Decoder) DecodeReader(r io.Reader, name string) (*transform.Image, error) {
	return d.decode(r, name, 0)
}

// open opens a regular file and tells its size.
func open(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if info.IsDir() {
		return nil, 0, fmt.Errorf("%s: is a folder, not a picture", path)
	}
	// Opening a pipe would wait for somebody to write into it, perhaps forever.
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: is no regular file but a pipe, socket or device: save the picture to a file first", path)
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

// decode reads and decodes; size is a guess at the number of bytes.
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

// read reads r to its end into d.file. Content that is no picture is refused
// before it's read whole.
func (d *Decoder) read(r io.Reader, size int64) (*format, error) {
	const first = 4096
	d.file = slices.Grow(d.file[:0], max(int(min(size, maxBytes)), first)+1) // one more, to see the end
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

// run decodes d.file and turns the picture upright. A decoder that fails on data
// it didn't foresee is an error about that data.
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
