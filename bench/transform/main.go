// Command transform applies a pipeline to pictures and prints the time it took. It is
// the Go side of compare.py, which runs it and torchvision alternately.
//
//	transform PIPELINE PICTURE.ppm...
//
// Each line on standard input is a number of rounds. For each, it applies the pipeline to
// all pictures that many times on one core and prints the seconds.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"gaze/pkg/transform"
)

func main() {
	if err := serve(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "transform:", err)
		os.Exit(1)
	}
}

func serve(args []string, in io.Reader, out io.Writer) error {
	runtime.GOMAXPROCS(1)
	if len(args) < 2 {
		return fmt.Errorf("usage: transform PIPELINE PICTURE.ppm")
	}
	p, err := transform.Parse(args[0])
	if err != nil {
		return err
	}
	var pictures []*transform.Image
	for _, path := range args[1:] {
		im, err := readPPM(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		pictures = append(pictures, im)
	}
	var b transform.Buffers
	index := uint64(0)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var rounds int
		if _, err := fmt.Sscan(lines.Text(), &rounds); err != nil {
			return fmt.Errorf("%q isn't a number of rounds", lines.Text())
		}
		start := time.Now()
		for range rounds {
			for _, im := range pictures {
				if _, err := b.Tensor(p, 1, 1, index, im); err != nil {
					return err
				}
				index++
			}
		}
		fmt.Fprintln(out, time.Since(start).Seconds())
	}
	return lines.Err()
}

// readPPM reads a binary RGB portable pixmap without comments.
func readPPM(path string) (*transform.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var width, height, most int
	if _, err := fmt.Fscanf(r, "P6\n%d %d\n%d\n", &width, &height, &most); err != nil || most != 255 || width < 1 || height < 1 || height > 1<<28/width {
		return nil, fmt.Errorf("not an 8-bit portable pixmap")
	}
	im := transform.NewImage(width, height, 3)
	_, err = io.ReadFull(r, im.Pix)
	return im, err
}
