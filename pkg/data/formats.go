package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/image/bmp"

	"gaze/internal/jpeg"
	"gaze/pkg/transform"
)

// format is a picture format, with its detection and its decoder.
type format struct {
	name string
	// is recognises the format by the first bytes, at most 64.
	is func(head []byte) bool
	// decode returns the picture in RGB, possibly in d's memory, and its EXIF
	// orientation, 1 to 8. It sets d.damage if the file is damaged.
	decode func(d *Decoder, data []byte) (im *transform.Image, orientation int, err error)
}

func startsWith(magics ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, m := range magics {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
}

var formats = []format{
	{"JPEG", startsWith("\xff\xd8\xff"), (*Decoder).decodeJPEG},
	{"PNG", startsWith(pngMagic), (*Decoder).decodePNG},
	{"GIF", startsWith("GIF87a", "GIF89a"), (*Decoder).decodeGIF},
	{"WebP", func(h []byte) bool { return len(h) >= 12 && string(h[:4]) == "RIFF" && string(h[8:12]) == "WEBP" }, (*Decoder).decodeWebP},
	{"TIFF", startsWith("II*\x00", "MM\x00*"), (*Decoder).decodeTIFF},
	{"BMP", startsWith("BM"), (*Decoder).decodeBMP},
}

// strangers are other formats that often have a picture's name, with advice.
var strangers = []struct {
	is   func(head []byte) bool
	says string
}{
	{isBox("avif", "avis"), "it is an AVIF picture, which isn't supported: export it as JPEG or PNG, for example with 'avifdec photo.avif photo.png'"},
	{isBox("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "mif2"), "it is a HEIC picture, which isn't supported: export it as JPEG or PNG, for example with 'heif-convert photo.heic photo.png'"},
	{isBox(""), "it is a video: export a frame as JPEG or PNG"},
	{startsWith("\x00\x00\x00\x0cjP  ", "\xff\x4f\xff\x51"), "it is a JPEG 2000 picture, which isn't supported: export it as JPEG or PNG"},
	{startsWith("\x00\x00\x00\x0cJXL ", "\xff\x0a"), "it is a JPEG XL picture, which isn't supported: export it as JPEG or PNG"},
	{startsWith("8BPS"), "it is a Photoshop document: export it as JPEG or PNG"},
	{startsWith("%PDF"), "it is a PDF document: export the page as PNG"},
	{startsWith("II+\x00", "MM\x00+"), "it is a BigTIFF picture, which isn't supported: save it as ordinary TIFF or PNG"},
	{startsWith("version https://git-lfs"), "it is a Git LFS pointer, not the picture itself: run 'git lfs pull'"},
	{startsWith("<svg", "<?xml"), "it is a drawing or another XML document: export it as PNG"},
	{startsWith("<!DOCTYPE", "<!doctype", "<html", "<HTML"), "it is a web page, perhaps saved instead of the picture: download it again"},
}

// isBox recognises ISO media formats by their brands ("" means any): the file's main
// brand and the compatible brands that are among the first bytes.
func isBox(brands ...string) func([]byte) bool {
	return func(h []byte) bool {
		if len(h) < 12 || string(h[4:8]) != "ftyp" {
			return false
		}
		end := min(int64(binary.BigEndian.Uint32(h)), int64(len(h)))
		for at := 8; at+4 <= int(end); at += 4 {
			if at == 12 { // the version field
				continue
			}
			if slices.Contains(brands, "") || slices.Contains(brands, string(h[at:at+4])) {
				return true
			}
		}
		return false
	}
}

// sniff recognises the format by the first bytes.
func sniff(head []byte) (*format, error) {
	if len(head) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrFormat)
	}
	for i := range formats {
		if formats[i].is(head) {
			return &formats[i], nil
		}
	}
	for _, s := range strangers {
		if s.is(head) {
			return nil, fmt.Errorf("%w: %s", ErrFormat, s.says)
		}
	}
	return nil, fmt.Errorf("%w: its content isn't JPEG, PNG, GIF, WebP, BMP or TIFF", ErrFormat)
}

func (d *Decoder) decodeJPEG(data []byte) (*transform.Image, int, error) {
	h, err := d.jpeg.DecodeHeader(data)
	if err == nil {
		err = checkSize(h.Width, h.Height)
	}
	var p jpeg.Picture
	if err == nil {
		p, err = d.jpeg.Decode(data, d.pixels)
	}
	if errors.Is(err, jpeg.ErrTruncated) {
		err = ErrTruncated
	}
	if err != nil {
		return nil, 0, err
	}
	d.pixels, d.damage = p.Pix, p.Damage
	exif, xmp := jpegMetadata(data)
	return d.jpegRGB(p), orientation(exif, xmp), nil
}

// jpegRGB converts grey and CMYK pictures to RGB; CMYK samples are inverted.
func (d *Decoder) jpegRGB(p jpeg.Picture) *transform.Image {
	if p.Channels == 3 {
		return d.keep(p.Pix, p.Width, p.Height)
	}
	d.spare = slices.Grow(d.spare[:0], p.Width*p.Height*3)[:p.Width*p.Height*3]
	out := d.keep(d.spare, p.Width, p.Height)
	d.pixels, d.spare = d.spare, d.pixels
	if p.Channels == 1 {
		spread(out.Pix, p.Pix)
		return out
	}
	eachPixel(out, p.Pix, p.Width*4, 4, func(d, s []byte) { cmykRGB(d, 255-s[0], 255-s[1], 255-s[2], 255-s[3]) })
	return out
}

// jpegMetadata finds the EXIF and XMP blocks before the first scan.
func jpegMetadata(data []byte) (exif, xmp []byte) {
	const (
		app1    = 0xE1
		xmpName = "http://ns.adobe.com/xap/1.0/\x00"
	)
	jpeg.Segments(data, func(marker byte, segment []byte) {
		if marker != app1 {
			return
		}
		if exif == nil && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			exif = segment
		}
		if rest, ok := bytes.CutPrefix(segment, []byte(xmpName)); ok && xmp == nil {
			xmp = rest
		}
	})
	return exif, xmp
}

// bmpMasks is the compression value of files with a bit mask for each colour.
const bmpMasks = 3

func (d *Decoder) decodeBMP(data []byte) (*transform.Image, int, error) {
	h, err := bmp.DecodeConfig(bytes.NewReader(data))
	if err == nil {
		err = checkSize(h.Width, h.Height)
	}
	if err != nil {
		return nil, 0, advise(err)
	}
	bits := int(binary.LittleEndian.Uint16(data[28:]))
	if int64(h.Width)*int64(h.Height)*int64(bits)/8 > int64(len(data)) {
		return nil, 0, ErrTruncated
	}
	// Rows are padded to four bytes; the padding of the last may be missing.
	fill := make([]byte, -((h.Width*bits+7)/8)&3)
	src, err := bmp.Decode(io.MultiReader(bytes.NewReader(data), bytes.NewReader(fill)))
	if err != nil {
		return nil, 0, advise(err)
	}
	under := d.Background
	if compression := binary.LittleEndian.Uint32(data[30:]); compression != bmpMasks {
		under = nil // without a mask the fourth byte isn't alpha
	}
	im, err := toRGB(src, under)
	return im, 1, err
}

// advise adds advice to errors about rare variants of a format that aren't supported.
func advise(err error) error {
	if endsEarly(err) {
		return err
	}
	return fmt.Errorf("%w (if other programs open it, save it as PNG)", err)
}
