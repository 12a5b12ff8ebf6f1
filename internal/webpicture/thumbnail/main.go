// Command thumbnail makes a picture small: it reads a PNG, JPEG or GIF file from standard
// input and writes one that fits into the given size, as a PNG or JPEG file, to standard
// output. The page of all notebooks uses it.
//
//	go run ./internal/webpicture/thumbnail -width 608 -height 384 <picture.png >small.jpg
package main

import (
	"flag"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"

	"golang.org/x/image/draw"

	"gaze/internal/webpicture"
)

func main() {
	width := flag.Int("width", 608, "largest width in pixels")
	height := flag.Int("height", 384, "largest height in pixels")
	flag.Parse()
	if err := write(os.Stdout, os.Stdin, *width, *height); err != nil {
		fmt.Fprintln(os.Stderr, "thumbnail:", err)
		os.Exit(1)
	}
}

// write reads a picture and writes a smaller one, or the same if it is small enough.
func write(w io.Writer, r io.Reader, width, height int) error {
	if width < 1 || height < 1 {
		return fmt.Errorf("a thumbnail of %dx%d: both must be at least 1", width, height)
	}
	img, _, err := image.Decode(r)
	if err != nil {
		return fmt.Errorf("the picture on standard input: %w", err)
	}
	data, _, err := webpicture.Encode(fit(img, width, height))
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// fit returns the picture in a size that fits into width x height, never enlarged.
func fit(img image.Image, width, height int) image.Image {
	size := img.Bounds().Size()
	scale := min(1, float64(width)/float64(size.X), float64(height)/float64(size.Y))
	to := image.Rect(0, 0, max(1, int(float64(size.X)*scale+0.5)), max(1, int(float64(size.Y)*scale+0.5)))
	small := image.NewRGBA(to)
	draw.CatmullRom.Scale(small, to, img, img.Bounds(), draw.Src, nil)
	return small
}
