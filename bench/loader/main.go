// Command loader loads a data set's pictures in batches and prints the time it took.
// It is the Go side of compare.py, which runs it and torch's DataLoader alternately.
//
//	loader FOLDER WORKERS PIPELINE
//
// Each line on standard input is the number of an epoch. For each, it loads that epoch in
// shuffled batches of 16 and prints the seconds of wall-clock time and of processor time.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"gaze/pkg/data"
	"gaze/pkg/transform"
)

func main() {
	if err := serve(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "loader:", err)
		os.Exit(1)
	}
}

func serve(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("usage: loader FOLDER WORKERS PIPELINE")
	}
	workers, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(max(workers, 1))
	set, err := data.OpenDataset(args[0])
	if err != nil {
		return err
	}
	pipeline, err := transform.Parse(args[2])
	if err != nil {
		return err
	}
	loader, err := data.NewLoader(set.Train, data.LoaderOptions{Pipeline: pipeline, Batch: 16, Shuffle: true, Workers: workers})
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		epoch, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		start, used := time.Now(), seconds()
		for _, err := range loader.Batches(context.Background(), epoch, 0) {
			if err != nil {
				return err
			}
		}
		fmt.Fprintln(out, time.Since(start).Seconds(), seconds()-used)
	}
	return lines.Err()
}
