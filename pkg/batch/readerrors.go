package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gaze/pkg/batch/source"
	"gaze/pkg/batch/store"
)

// passing are errors of the system that say nothing about the file: another try, perhaps on
// another machine, can succeed.
var passing = []error{
	syscall.ESTALE, syscall.ETIMEDOUT, syscall.ENOTCONN, syscall.ECONNRESET, syscall.ECONNREFUSED,
	syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
}

// fatal is an error if a picture that couldn't be read isn't alone at fault: the work was
// stopped, the network fails, or its source is gone. A shard isn't finished with rows of
// such errors, which would look like those of bad pictures.
func (j *Job) fatal(ctx context.Context, in source.Input, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if store.IsURL(in.File) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return err // of the network or the server, after several tries
	}
	for _, p := range passing {
		if errors.Is(err, p) {
			return err
		}
	}
	switch container := in.Size >= 0 || in.Row >= 0; {
	case errors.Is(err, fs.ErrNotExist) && container:
		return fmt.Errorf("the source is gone: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		return j.gone(in.File)
	}
	return nil
}

// gone is an error if the folder given as the source of a file isn't there any more, or is
// empty, as the place of a disk is that isn't mounted.
func (j *Job) gone(file string) error {
	for _, folder := range j.Sources {
		rel, err := filepath.Rel(folder, file)
		if store.IsURL(folder) || err != nil || !filepath.IsLocal(rel) || rel == "." {
			continue
		}
		f, err := os.Open(folder)
		if err == nil {
			_, err = f.Readdirnames(1)
			_ = f.Close() // it was only read
		}
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the source %s is empty: is its disk mounted?", folder)
		}
		if err != nil {
			return fmt.Errorf("the source %s is gone: %w", folder, err)
		}
	}
	return nil
}

// reason is an error as a row has it: on one line, and with the picture's key, if at all, in
// the place of its path, which may differ from machine to machine.
func reason(err error, in source.Input) string {
	var at *fs.PathError
	if errors.As(err, &at) && at.Path == in.File {
		return at.Op + ": " + at.Err.Error()
	}
	text := strings.TrimPrefix(err.Error(), in.Key+": ")
	text = strings.ReplaceAll(text, in.File, in.Key)
	return strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "\uFFFD")
}
