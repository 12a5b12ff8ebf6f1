// Command decode decodes pictures and says how long it took: the Go side of
// compare.py, which runs it and PIL in turns.
//
//	decode PICTURE...
//
// For each line on standard input, a number of rounds, it decodes all pictures so
// many times on one core and answers with the seconds of processor time.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"gaze/pkg/data"
)

func main() {
	if err := serve(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "decode:", err)
		os.Exit(1)
	}
}

func serve(paths []string, in io.Reader, out io.Writer) error {
	runtime.GOMAXPROCS(1)
	if len(paths) == 0 {
		return errors.New("usage: decode PICTURE [PICTURE]")
	}
	var d data.Decoder
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var rounds int
		if _, err := fmt.Sscan(lines.Text(), &rounds); err != nil {
			return fmt.Errorf("%q: a number of rounds should be here", lines.Text())
		}
		start := seconds()
		for range rounds {
			for _, path := range paths {
				if _, err := d.Decode(path); err != nil {
					return err
				}
			}
		}
		fmt.Fprintln(out, seconds()-start)
	}
	return lines.Err()
}
