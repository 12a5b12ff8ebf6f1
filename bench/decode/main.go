// Command decode decodes pictures and prints the time it took. It is the Go side of
// compare.py, which runs it and PIL alternately.
//
//	decode [-pipeline PIPELINE] PICTURE...
//
// Each line on standard input is a number of rounds. For each, it decodes all pictures
// that many times on one core, applies the pipeline to them if there is one, and prints
// the seconds of processor time.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"gaze/pkg/data"
	"gaze/pkg/transform"
)

func main() {
	if err := serve(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "decode:", err)
		os.Exit(1)
	}
}

func serve(args []string, in io.Reader, out io.Writer) error {
	runtime.GOMAXPROCS(1)
	flags := flag.NewFlagSet("decode", flag.ContinueOnError)
	spec := flags.String("pipeline", "", "transforms to apply to each picture")
	if err := flags.Parse(args); err != nil {
		return err
	}
	paths := flags.Args()
	if len(paths) == 0 {
		return errors.New("no pictures: give their paths")
	}
	var w worker
	if *spec != "" {
		p, err := transform.Parse(*spec)
		if err != nil {
			return err
		}
		w.pipeline = &p
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var rounds int
		if _, err := fmt.Sscan(lines.Text(), &rounds); err != nil {
			return fmt.Errorf("%q isn't a number of rounds", lines.Text())
		}
		start := seconds()
		for range rounds {
			for _, path := range paths {
				if err := w.work(path); err != nil {
					return err
				}
			}
		}
		fmt.Fprintln(out, seconds()-start)
	}
	return lines.Err()
}

// worker has the buffers that a loader's worker reuses.
type worker struct {
	decoder  data.Decoder
	buffers  transform.Buffers
	pipeline *transform.Pipeline
	index    uint64
}

func (w *worker) work(path string) error {
	im, err := w.decoder.Decode(path)
	if err != nil || w.pipeline == nil {
		return err
	}
	w.index++
	_, err = w.buffers.Tensor(*w.pipeline, 1, 1, w.index, im)
	return err
}
