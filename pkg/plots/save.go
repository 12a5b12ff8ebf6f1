package plots

import (
	"image"

	"gaze/internal/atomicfile"
)

// PNG draws a figure with scale pixels per CSS pixel and encodes it. The same figure
// gives the same bytes.
func PNG(f Figure, scale float64) ([]byte, error) {
	img, err := f.Image(scale)
	if err != nil {
		return nil, err
	}
	return EncodePNG(img)
}

// SavePNG writes a picture as PNG. The folder must exist. On an error no partial file
// is left.
func SavePNG(path string, img image.Image) error {
	data, err := EncodePNG(img)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, data)
}

// SaveSVG writes a figure as SVG. The folder must exist. On an error no partial file is
// left.
func SaveSVG(path string, f Figure) error {
	s, err := f.SVG()
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, []byte(s))
}
