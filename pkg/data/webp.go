package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"

	"golang.org/x/image/webp"

	"gaze/pkg/transform"
)

// webpChunk is a chunk of a WebP file, which is a RIFF container.
type webpChunk struct {
	name string
	data []byte
}

// webpChunks splits b into chunks; a truncated chunk is left out.
func webpChunks(b []byte) (chunks []webpChunk, whole bool) {
	for len(b) >= 8 {
		n := uint64(binary.LittleEndian.Uint32(b[4:]))
		if n+8 > uint64(len(b)) {
			return chunks, false
		}
		chunks = append(chunks, webpChunk{string(b[:4]), b[8 : 8+n]})
		b = b[min(8+n+n&1, uint64(len(b))):]
	}
	return chunks, len(b) == 0
}

// decodeWebP decodes a picture, or the first frame of an animation. A frame that doesn't
// cover the whole picture is put on a black canvas.
func (d *Decoder) decodeWebP(data []byte) (*transform.Image, int, error) {
	end := uint64(binary.LittleEndian.Uint32(data[4:])) + 8
	if end > uint64(len(data)) || end < 12 {
		return nil, 0, ErrTruncated
	}
	chunks, whole := webpChunks(data[12:end])
	if !whole {
		return nil, 0, ErrTruncated // libwebp refuses the file, even if the pixels are complete
	}
	var exif, xmp, frame []byte
	canvas := image.Point{}
	for _, c := range chunks {
		switch {
		case c.name == "VP8X" && len(c.data) >= 10:
			if c.data[0]&^webpFlags != 0 {
				return nil, 0, errors.New("the data is damaged: unknown flags")
			}
			canvas = image.Pt(uint24(c.data[4:])+1, uint24(c.data[7:])+1)
		case c.name == "ANMF" && frame == nil && len(c.data) >= 16:
			frame = c.data
		case c.name == "EXIF" && exif == nil:
			exif = c.data
		case c.name == "XMP " && xmp == nil:
			xmp = c.data
		}
	}
	var im *transform.Image
	var err error
	if frame == nil {
		im, err = decodeStillWebP(chunks, d.Background)
	} else {
		under := d.Background
		if !slices.ContainsFunc(chunks, func(c webpChunk) bool { return c.name == "ANIM" }) {
			return nil, 0, errors.New("the data is damaged: an animation without a header")
		}
		if err := checkWebPFrames(chunks, canvas); err != nil {
			return nil, 0, err
		}
		if chunks[0].name == "VP8X" && chunks[0].data[0]&webpHasAlpha == 0 {
			under = nil
		}
		im, err = decodeWebPFrame(frame, canvas, under)
	}
	return im, orientation(exif, xmp), err
}

// Flags of the header of the extended format.
const (
	webpFlags    = 0x3e // all flags
	webpAnimated = 0x02
	webpHasAlpha = 0x10
)

// checkWebPFrames refuses an animation with any invalid frame, as libwebp does.
func checkWebPFrames(chunks []webpChunk, canvas image.Point) error {
	for _, c := range chunks {
		if c.name != "ANMF" {
			continue
		}
		if len(c.data) < 16 {
			return errors.New("the data is damaged: a frame without a header")
		}
		parts, whole := webpChunks(c.data[16:])
		if !whole {
			return errors.New("the data is damaged: a frame is cut off")
		}
		if len(parts) > 1 && parts[0].name == "ALPH" && parts[1].name == "VP8 " {
			parts = parts[1:]
		}
		var size image.Point
		if len(parts) > 0 {
			size = parts[0].size()
		}
		if size == (image.Point{}) {
			return errors.New("the data is damaged: a frame doesn't begin with a picture")
		}
		// The size in the frame's own data is ignored.
		at := image.Pt(2*uint24(c.data), 2*uint24(c.data[3:]))
		if at.X+size.X > canvas.X || at.Y+size.Y > canvas.Y {
			return errors.New("the data is damaged: a frame is outside the picture")
		}
	}
	return nil
}

// size is the size in a picture's data, or zero if it isn't a picture.
func (c webpChunk) size() image.Point {
	b := c.data
	switch {
	case c.name == "VP8 " && len(b) >= 10:
		bits := uint24(b)
		wrong := bits&1 != 0 || bits>>1&7 > 3 || bits>>4&1 == 0 || bits>>5 >= len(b) || string(b[3:6]) != "\x9d\x01\x2a"
		size := image.Pt(int(binary.LittleEndian.Uint16(b[6:]))&0x3fff, int(binary.LittleEndian.Uint16(b[8:]))&0x3fff)
		if !wrong && size.X > 0 && size.Y > 0 {
			return size
		}
	case c.name == "VP8L" && len(b) >= 5 && b[0] == 0x2f && b[4]>>5 == 0:
		bits := int(binary.LittleEndian.Uint32(b[1:]))
		return image.Pt(bits&0x3fff+1, bits>>14&0x3fff+1)
	}
	return image.Point{}
}

// decodeWebPFrame decodes the first frame of an animation.
func decodeWebPFrame(frame []byte, canvas image.Point, under backdrop) (*transform.Image, error) {
	if err := checkSize(canvas.X, canvas.Y); err != nil {
		return nil, err
	}
	im, err := decodeWebPFile(stillOf(frame), under)
	if err != nil {
		return nil, err
	}
	at := image.Pt(2*uint24(frame), 2*uint24(frame[3:]))
	if at.X+im.Width > canvas.X || at.Y+im.Height > canvas.Y {
		return nil, errors.New("the first frame is outside the picture")
	}
	out := transform.NewImage(canvas.X, canvas.Y, 3)
	if under != nil {
		for i := 0; i < len(out.Pix); i += 3 {
			copy(out.Pix[i:], under[:])
		}
	}
	for y := range im.Height {
		copy(out.Pix[((at.Y+y)*canvas.X+at.X)*3:], im.Pix[y*im.Width*3:(y+1)*im.Width*3])
	}
	return out, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// stillOf makes a still WebP file from a frame of an animation.
func stillOf(frame []byte) []byte {
	chunks, _ := webpChunks(frame[16:])
	hasAlpha := len(chunks) > 1 && chunks[0].name == "ALPH"
	b := []byte("RIFF\x00\x00\x00\x00WEBP")
	if hasAlpha {
		b = append(b, "VP8X\x0a\x00\x00\x00\x10\x00\x00\x00"...)
		size := chunks[1].size()
		for _, n := range []int{size.X - 1, size.Y - 1} {
			b = append(b, byte(n), byte(n>>8), byte(n>>16))
		}
	}
	b = append(b, frame[16:]...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// decodeStillWebP decodes a file's only picture. The decoder gets a file with only the
// picture's chunks, because it doesn't expect a lossless picture to have its own alpha
// and refuses one in a file with metadata.
func decodeStillWebP(chunks []webpChunk, under backdrop) (*transform.Image, error) {
	if len(chunks) == 0 {
		return nil, ErrTruncated
	}
	head := chunks[0]
	if head.name != "VP8X" {
		if head.name != "VP8 " && head.name != "VP8L" {
			return nil, errors.New("the data is damaged: it doesn't begin with the picture")
		}
		return decodeWebPFile(riff(head), lossless(head, under))
	}
	if len(head.data) != 10 {
		return nil, errors.New("the data is damaged: a header of the wrong length")
	}
	if head.data[0]&webpAnimated != 0 {
		return nil, errors.New("the data is damaged: an animation without pictures")
	}
	var parts []webpChunk
	last := 0
	for i, c := range chunks[1:] {
		if c.name == "VP8X" {
			return nil, errors.New("the data is damaged: two headers")
		}
		if c.name == "VP8 " || c.name == "VP8L" || c.name == "ALPH" {
			if len(parts) > 0 && i != last+1 {
				return nil, errors.New("the data is damaged: alpha and colours aren't adjacent")
			}
			parts, last = append(parts, c), i
		}
	}
	var im *transform.Image
	var err error
	switch {
	case len(parts) == 1 && parts[0].name != "ALPH":
		im, err = decodeWebPFile(riff(parts[0]), lossless(parts[0], under))
	case len(parts) == 2 && parts[0].name == "ALPH" && parts[1].name == "VP8 ":
		if head.data[0]&webpHasAlpha == 0 { // then alpha is ignored
			im, err = decodeWebPFile(riff(parts[1]), nil)
			break
		}
		header := bytes.Clone(head.data)
		header[0] = webpHasAlpha
		return decodeWebPFile(riff(webpChunk{"VP8X", header}, parts[0], parts[1]), under)
	default:
		return nil, errors.New("the data is damaged: it doesn't hold exactly one picture")
	}
	if err != nil {
		return nil, err
	}
	if width, height := uint24(head.data[4:])+1, uint24(head.data[7:])+1; width != im.Width || height != im.Height {
		return nil, fmt.Errorf("the data is damaged: pixels for %dx%d, but the header says %dx%d", im.Width, im.Height, width, height)
	}
	return im, nil
}

// lossless is the background for a picture: none for a lossless picture that declares
// that it has no alpha.
func lossless(c webpChunk, under backdrop) backdrop {
	if c.name == "VP8L" && len(c.data) >= 5 && c.data[4]&0x10 == 0 {
		return nil
	}
	return under
}

// riff makes a file from chunks.
func riff(chunks ...webpChunk) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WEBP")
	for _, c := range chunks {
		b = binary.LittleEndian.AppendUint32(append(b, c.name...), uint32(len(c.data)))
		b = append(b, c.data...)
		if len(c.data)%2 != 0 {
			b = append(b, 0)
		}
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// decodeWebPFile decodes a file that contains only a picture.
func decodeWebPFile(data []byte, under backdrop) (*transform.Image, error) {
	h, err := webp.DecodeConfig(bytes.NewReader(data))
	if err == nil {
		err = checkSize(h.Width, h.Height)
	}
	var src image.Image
	if err == nil {
		src, err = webp.Decode(bytes.NewReader(data))
	}
	if err != nil {
		if uint64(binary.LittleEndian.Uint32(data[4:]))+8 > uint64(len(data)) {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if size := src.Bounds().Size(); size != image.Pt(h.Width, h.Height) || size.X < 1 || size.Y < 1 {
		return nil, fmt.Errorf("the data is damaged: pixels for %dx%d, but the header says %dx%d", size.X, size.Y, h.Width, h.Height)
	}
	switch src := src.(type) {
	case *image.YCbCr:
		return videoRGB(src), nil
	case *image.NYCbCrA:
		out := videoRGB(&src.YCbCr)
		if under != nil {
			for y := range out.Height {
				row := out.Pix[y*out.Width*3:]
				for x, a := range src.A[y*src.AStride:][:out.Width] {
					p := row[3*x : 3*x+3 : 3*x+3]
					put(p, p[0], p[1], p[2], a, under)
				}
			}
		}
		return out, nil
	}
	return toRGB(src, under)
}

// videoRGB converts the planes of lossy WebP as libwebp does. They have the video range
// (16 to 235), which image.YCbCr doesn't support, and chroma at half the resolution, where
// each sample is weighted 9:3:3:1 with its neighbours.
func videoRGB(src *image.YCbCr) *transform.Image {
	out := transform.NewImage(src.Rect.Dx(), src.Rect.Dy(), 3)
	chromaRows := (out.Height + 1) / 2
	for y := range out.Height {
		// The two chroma rows around row y; at the edges both are the same.
		near := y / 2
		far := near - 1 + 2*(y&1)
		if far < 0 || far >= chromaRows {
			far = near
		}
		videoRow(out.Pix[y*out.Width*3:(y+1)*out.Width*3], src, y, near, far)
	}
	return out
}

// videoRow converts one row, with its near and far rows of chroma.
func videoRow(dst []byte, src *image.YCbCr, y, near, far int) {
	width := len(dst) / 3
	luma := src.Y[y*src.YStride:][:width]
	chromaWidth := (width + 1) / 2
	at := func(plane []byte, row int) []byte { return plane[row*src.CStride:][:chromaWidth] }
	cbNear, cbFar, crNear, crFar := at(src.Cb, near), at(src.Cb, far), at(src.Cr, near), at(src.Cr, far)
	for x, v := range luma {
		n := x / 2
		f := n - 1 + 2*(x&1)
		var cb, cr int
		if f < 0 || f >= chromaWidth {
			cb = (3*int(cbNear[n]) + int(cbFar[n]) + 2) >> 2
			cr = (3*int(crNear[n]) + int(crFar[n]) + 2) >> 2
		} else {
			cb = blendChroma(cbNear[n], cbNear[f], cbFar[n], cbFar[f])
			cr = blendChroma(crNear[n], crNear[f], crFar[n], crFar[f])
		}
		luma := int(v) * 19077 >> 8
		d := dst[3*x : 3*x+3 : 3*x+3]
		d[0] = clipVideo(luma + cr*26149>>8 - 14234)
		d[1] = clipVideo(luma - cb*6419>>8 - cr*13320>>8 + 8708)
		d[2] = clipVideo(luma + cb*33050>>8 - 17685)
	}
}

// blendChroma is (9a + 3b + 3c + d + 8) / 16 in libwebp's two rounded steps.
func blendChroma(a, b, c, d byte) int {
	sum := int(a) + int(b) + int(c) + int(d) + 8
	diagonal := (sum + 2*(int(b)+int(c))) >> 3
	return (diagonal + int(a)) >> 1
}

func clipVideo(v int) byte { return byte(min(max(v>>6, 0), 255)) }
