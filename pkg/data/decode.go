// Package data finds and decodes pictures: the bytes are those that PIL's
// ImageOps.exif_transpose and convert("RGB") give, and so those that a
// checkpoint was trained on.
package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
func Decode(path string) (*transform.Image, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: is a folder, not a picture", path)
	}
	// Opening a pipe would wait for somebody to write into it, perhaps forever.
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is no regular file but a pipe, socket or device: save the picture to a file first", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return decode(f, path, info.Size())
}

// DecodeReader is [Decode] for a picture that isn't a file of its own; name
// stands for it in errors. It reads r to its end.
func DecodeReader(r io.Reader, name string) (*transform.Image, error) {
	return decode(r, name, 0)
}

// decode reads and decodes; size is a guess at the number of bytes.
func decode(r io.Reader, name string, size int64) (*transform.Image, error) {
	// Content that is no picture is refused before it's read whole.
	br := bufio.NewReaderSize(r, 4096)
	head, err := br.Peek(64)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f, err := sniff(head)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(size, 0), maxBytes)) + bytes.MinRead)
	if _, err := buf.ReadFrom(io.LimitReader(br, maxBytes+1)); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if buf.Len() > maxBytes {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", name, ErrTooLarge, maxBytes)
	}
	im, err := f.run(buf.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", name, f.name, err)
	}
	return im, nil
}

// run decodes and turns the picture upright. A decoder that fails on data it
// didn't foresee is an error about that data.
func (f *format) run(data []byte) (im *transform.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			im, err = nil, fmt.Errorf("the data is damaged (%v)", r)
		}
	}()
	im, orientation, err := f.decode(data)
	if err != nil {
		if endsEarly(err) {
			err = ErrTruncated
		}
		return nil, err
	}
	return upright(im, orientation), nil
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
