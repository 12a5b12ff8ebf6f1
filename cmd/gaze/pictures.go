package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gaze/pkg/data"
	"gaze/pkg/transform"
)

// stem is a file's name without folder and ending, as outputs are named.
func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// decoded is a picture on its way to the model, or the reason there is none.
type decoded struct {
	path  string
	image *transform.Image
	err   error
}

// decodeAhead decodes the files in order, a few ahead of whoever receives, so
// that reading overlaps with computing. The channel ends when all are read or
// ctx is done.
func decodeAhead(ctx context.Context, paths []string) <-chan decoded {
	out := make(chan decoded, 2)
	go func() {
		defer close(out)
		for _, path := range paths {
			im, err := data.Decode(path)
			select {
			case out <- decoded{path, im, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// forEachPicture lists the pictures that args name and hands them, decoded and
// in order, to work. A picture that fails is named on log and passed over; the
// error at the end counts them.
func forEachPicture(ctx context.Context, args []string, log io.Writer, work func(path string, im *transform.Image) error) error {
	paths, err := data.List(args)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed, first := 0, ""
	ahead := decodeAhead(ctx, paths)
	for {
		// A picture that takes long to decode doesn't hold up an interruption.
		var d decoded
		more := false
		select {
		case d, more = <-ahead:
		case <-ctx.Done():
		}
		if !more {
			break
		}
		err := d.err
		if err == nil {
			err = work(d.path, d.image)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			fmt.Fprintf(log, "gaze: %s\n", about(d.path, err))
			failed++
			if first == "" {
				first = d.path
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if failed > 0 {
		if failed == len(paths) {
			return fmt.Errorf("no picture of %d could be done (the first: %s)", failed, first)
		}
		return fmt.Errorf("%d of %d pictures failed (the first: %s); the others are done", failed, len(paths), first)
	}
	return nil
}

// about is err on one line, with the file's name before it unless it begins
// with that already.
func about(path string, err error) string {
	if strings.HasPrefix(err.Error(), path+":") {
		return oneLine(err)
	}
	return oneLine(fmt.Errorf("%s: %w", path, err))
}

// names hands out output names and refuses one that was given before.
type names map[string]string

func (n names) take(path string) (string, error) {
	name := stem(path)
	if earlier, taken := n[name]; taken {
		return "", fmt.Errorf("its output would overwrite that of %s: both are called %q; run them into different folders", earlier, name)
	}
	n[name] = path
	return name, nil
}
