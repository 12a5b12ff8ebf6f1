package draw

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"gaze/internal/atomicfile"
	"gaze/pkg/transform"
)

const jpegQuality = 92

// CheckFormat returns the format, "jpg" for "", or an error if it is neither "jpg" nor
// "png".
func CheckFormat(format string) (string, error) {
	switch format {
	case "":
		return "jpg", nil
	case "jpg", "png":
		return format, nil
	}
	return "", fmt.Errorf("can't write pictures as %q; use jpg or png", format)
}

// Save writes a picture to a file, as "png" or "jpg".
func Save(path string, im *transform.Image, format string) error {
	var buf bytes.Buffer
	var err error
	if format == "png" {
		err = png.Encode(&buf, standard(im))
	} else {
		err = jpeg.Encode(&buf, standard(im), &jpeg.Options{Quality: jpegQuality})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.WriteBytes(path, buf.Bytes())
}

// standard returns the picture as a type that the encoders have fast paths for.
func standard(im *transform.Image) image.Image {
	if im.Channels == 1 {
		return &image.Gray{Pix: im.Pix, Stride: im.Width, Rect: im.Bounds()}
	}
	out := image.NewRGBA(im.Bounds())
	for i := range im.Width * im.Height {
		copy(out.Pix[4*i:4*i+3], im.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	return out
}
