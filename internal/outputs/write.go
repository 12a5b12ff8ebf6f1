package outputs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gaze/internal/atomicfile"
)

// Write writes an output of a plan that passed [Plan.Check]: whole or not at all,
// by a temporary name beside it; a device or a pipe is written to as it is. Folders
// are made as needed. If the file that Check saw there has changed meanwhile, or
// one has appeared, it stays as it is and Write is an error.
func (p *Plan) Write(path string, write func(w io.Writer) error) error {
	o := p.planned[p.canonical(path)]
	if o == nil {
		return fmt.Errorf("%s isn't among the files that were to be written: this is a mistake in Gaze", path)
	}
	if o.device {
		return writeStream(o.path, write)
	}
	if err := os.MkdirAll(filepath.Dir(o.path), 0o755); err != nil {
		return err
	}
	sum, size := sha256.New(), int64(0)
	counted := func(w io.Writer) error { return write(&tee{w, sum, &size}) }
	return atomicfile.WriteWith(o.path, counted, func(temp, path string) error {
		// Before the file has its name: a process that ends in between leaves a
		// record of a file that isn't there, which does no harm.
		err := p.record.add(o.canon, entry{size: size, sum: [sha256.Size]byte(sum.Sum(nil))})
		if err != nil && p.Warn != nil {
			p.Warn(fmt.Sprintf("the cache can't note what is written here, so that writing it again needs --force: %v", err))
			p.Warn = nil
		}
		return p.place(o, temp)
	})
}

// WriteBytes is [Plan.Write] for content that is at hand.
func (p *Plan) WriteBytes(path string, data []byte) error {
	return p.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// place gives a finished file its name, if what is there still is what Check saw.
func (p *Plan) place(o *output, temp string) error {
	now, err := p.recheck(o)
	if err != nil {
		return err
	}
	if now != nil {
		err = os.Rename(temp, o.path)
	} else if err = atomicfile.PlaceNew(temp, o.path); errors.Is(err, fs.ErrExist) {
		return appeared(o)
	}
	if err != nil {
		return err
	}
	o.before, err = os.Lstat(o.path)
	return err
}

// recheck returns what is at an output's path now, an error if that may not be
// replaced.
func (p *Plan) recheck(o *output) (fs.FileInfo, error) {
	now, target, err := lookAt(o.path)
	if err != nil || now == nil {
		return nil, err
	}
	if input, is := p.inputs.at(o.canon, now, target); is {
		return nil, fmt.Errorf("%s has become the same file as %s, which is read here", o.path, input)
	}
	if now.IsDir() {
		return nil, fmt.Errorf("%s can't be written: it is a folder now", o.path)
	}
	if target != nil && !target.Mode().IsRegular() {
		return nil, fmt.Errorf("%s can't be written: it is not a regular file any more", o.path)
	}
	if !p.Force && !same(o.before, now) {
		return nil, appeared(o)
	}
	return now, nil
}

func appeared(o *output) error {
	if o.before == nil {
		return fmt.Errorf("%s has been made by another program meanwhile: --force replaces it, or choose another name", o.path)
	}
	return fmt.Errorf("%s has been changed by another program meanwhile: --force replaces it, or choose another name", o.path)
}

// same tells whether a file is as it was.
func same(before, now fs.FileInfo) bool {
	return before != nil && os.SameFile(before, now) && before.Size() == now.Size() && before.ModTime().Equal(now.ModTime())
}

// Remove removes a planned output that an earlier command has left and that this
// one doesn't make. What isn't there needs no removing.
func (p *Plan) Remove(path string) error {
	o := p.planned[p.canonical(path)]
	if o == nil {
		return fmt.Errorf("%s isn't among the files that were to be written: this is a mistake in Gaze", path)
	}
	if o.device {
		return nil
	}
	now, err := p.recheck(o)
	if err != nil || now == nil {
		return err
	}
	o.before = nil
	return os.Remove(o.path)
}

// tee passes on what is written, and takes its sum and size.
type tee struct {
	to   io.Writer
	sum  io.Writer
	size *int64
}

func (t *tee) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	t.sum.Write(p[:n]) // a hash takes everything
	*t.size += int64(n)
	return n, err
}
