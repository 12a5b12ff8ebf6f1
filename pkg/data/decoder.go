package data

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"gaze/pkg/data/jpeg"
	"gaze/pkg/transform"
)

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
