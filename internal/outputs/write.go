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

// Write writes an output of a plan that passed [Plan.Check]. The file is written under a
// temporary name and renamed, so that it is complete or absent; a device or a pipe is
// written to directly. Missing folders are created. If the file at path has changed or
// appeared since Check, it is kept and Write returns an error.
func (p *Plan) Write(path string, write func(w io.Writer) error) error {
	o := p.planned[p.canonical(path)]
	if o == nil {
		return fmt.Errorf("%s isn't in the list of files to write: this is a bug in Gaze", path)
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
		// Record the file before renaming it. If the process ends in between, the
		// record has a file that doesn't exist, which does no harm.
		err := p.record.add(o.canon, entry{size: size, sum: [sha256.Size]byte(sum.Sum(nil))})
		if err != nil && p.Warn != nil {
			p.Warn(fmt.Sprintf("the cache can't record the files written here, so writing them again will need --force: %v", err))
			p.Warn = nil
		}
		return p.place(o, temp)
	})
}

// WriteBytes is [Plan.Write] for content in memory.
func (p *Plan) WriteBytes(path string, data []byte) error {
	return p.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// place renames a finished file to its path, if the file there is still the one that
// Check saw.
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

// recheck returns the file now at an output's path, or an error if it may not be replaced.
func (p *Plan) recheck(o *output) (fs.FileInfo, error) {
	now, target, err := lookAt(o.path)
	if err != nil || now == nil {
		return nil, err
	}
	if input, is := p.inputs.at(o.canon, now, target); is {
		return nil, fmt.Errorf("%s has become the same file as %s, which is read here", o.path, input)
	}
	if now.IsDir() {
		return nil, fmt.Errorf("%s can't be written: it is now a folder", o.path)
	}
	if target != nil && !target.Mode().IsRegular() {
		return nil, fmt.Errorf("%s can't be written: it is no longer a regular file", o.path)
	}
	if !p.Force && !same(o.before, now) {
		return nil, appeared(o)
	}
	return now, nil
}

func appeared(o *output) error {
	if o.before == nil {
		return fmt.Errorf("another program has created %s in the meantime: use --force to replace it, or choose another name", o.path)
	}
	return fmt.Errorf("another program has changed %s in the meantime: use --force to replace it, or choose another name", o.path)
}

// same reports whether a file is unchanged.
func same(before, now fs.FileInfo) bool {
	return before != nil && os.SameFile(before, now) && before.Size() == now.Size() && before.ModTime().Equal(now.ModTime())
}

// Remove removes a planned output that an earlier command left and that this one doesn't
// write. It is no error if the file doesn't exist.
func (p *Plan) Remove(path string) error {
	o := p.planned[p.canonical(path)]
	if o == nil {
		return fmt.Errorf("%s isn't in the list of files to write: this is a bug in Gaze", path)
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

// tee writes to a writer and computes the checksum and size of the written bytes.
type tee struct {
	to   io.Writer
	sum  io.Writer
	size *int64
}

func (t *tee) Write(p []byte) (int, error) {
	n, err := t.to.Write(p)
	t.sum.Write(p[:n]) // writing to a hash never fails
	*t.size += int64(n)
	return n, err
}
