// Package outputs decides which files a command may write. A command lists the files it
// reads and the files it will write in a [Plan], and then writes through the plan. A plan
// refuses outputs that are inputs and outputs that are the same file, and replaces an
// existing file only if the record in the cache says that Gaze wrote it, or with Force.
// The package doesn't know what the files contain.
package outputs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Plan lists the files that one command reads and writes. It isn't safe for concurrent
// use.
type Plan struct {
	// Force allows existing files that Gaze didn't write to be replaced, but not
	// inputs.
	Force bool
	// Warn is called once if the record of written files can't be updated; it may
	// be nil.
	Warn func(string)

	inputs  inputs
	outputs []*output
	prints  []printed
	names   map[string]bool    // canonical paths of all outputs
	planned map[string]*output // by canonical path; filled by Check
	real    map[string]string  // folders to their real paths
	record  *record
}

// printed is an open file that is written to.
type printed struct {
	info fs.FileInfo
	name string
}

// output is a file to be written.
type output struct {
	path  string // as the user wrote it
	from  string // its source: a flag, or a picture's path
	canon string
	// stream allows path to be a device or a pipe, which is written to, not replaced.
	stream bool
	// device is set if Check found a device or a pipe at path.
	device bool
	// before is the file that Check found at path, and target the file it links to,
	// or before itself if it isn't a link; nil if there was none.
	before, target fs.FileInfo
}

// New returns an empty plan. The record of earlier outputs is read from the cache.
func New(force bool) *Plan {
	return &Plan{Force: force, names: map[string]bool{}, planned: map[string]*output{}, real: map[string]string{}, record: openRecord()}
}

// Reads adds files that the command reads. They may be missing: a configuration written
// where a checkpoint looks for one would be read the next time. Empty paths are ignored.
func (p *Plan) Reads(paths ...string) {
	for _, path := range paths {
		if path != "" {
			p.inputs.add(path, p.canonical(path))
		}
	}
}

// ReadsOpen adds an input that the command reads without having opened it by a path, such
// as a list on standard input; name is its name in messages. Anything but a regular file
// is ignored.
func (p *Plan) ReadsOpen(f *os.File, name string) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		p.inputs.addInfo(info, name)
	}
}

// Prints adds a file that the command writes to without having opened it by a path: the
// standard output, which a shell may redirect to a file. Check compares it with the
// inputs. Anything but a regular file is ignored.
func (p *Plan) Prints(f *os.File, name string) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		p.prints = append(p.prints, printed{info, name})
	}
}

// Writes adds a regular file to be written. from is its source in messages: a flag or a
// picture. An empty path is ignored.
func (p *Plan) Writes(path, from string) { p.plan(path, from, false) }

// WritesStream is like [Plan.Writes] for a single file that the user named, which may
// also be a device or a pipe, such as /dev/stdout.
func (p *Plan) WritesStream(path, from string) { p.plan(path, from, true) }

func (p *Plan) plan(path, from string, stream bool) {
	if path != "" {
		o := &output{path: path, from: from, canon: p.canonical(path), stream: stream}
		p.names[o.canon] = true
		p.outputs = append(p.outputs, o)
	}
}

// Planned reports whether path, in any spelling, is an output of the plan.
func (p *Plan) Planned(path string) bool { return p.names[p.canonical(path)] }

// Wrote reports whether path is a file that Gaze wrote and that hasn't changed since.
func (p *Plan) Wrote(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && p.record.find(p.canonical(path), path, info) == ours
}

// canonical returns a path with the links in its folder resolved, as far as the folder
// exists. The file itself may still be a link.
func (p *Plan) canonical(path string) string {
	dir, base := filepath.Split(filepath.Clean(path))
	if base == "" || base == "." || base == ".." {
		return RealPath(path)
	}
	real, known := p.real[dir]
	if !known {
		real = RealPath(dir)
		p.real[dir] = real
	}
	return filepath.Join(real, base)
}

// RealPath returns the absolute path with links resolved, as far as the path exists.
func RealPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		if found, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(found, rest)
		}
		if dir == filepath.Dir(dir) {
			return abs
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// fold maps names that some file systems treat as the same to the same string: names that
// differ in case, or in how an accented letter is composed.
func fold(path string) string { return cases.Fold().String(norm.NFC.String(path)) }

// Conflict is the error for a command line that contradicts itself: an output is an
// input, or two outputs are the same file.
type Conflict struct {
	lines []string
	// Collision is set if outputs of different pictures have the same name.
	Collision bool
}

// maxListed is the largest number of files that an error names.
const maxListed = 5

func (c *Conflict) Error() string { return listed(c.lines, "; ") }

// listed joins the first lines and counts the others.
func listed(lines []string, between string) string {
	if len(lines) <= maxListed {
		return strings.Join(lines, between)
	}
	return fmt.Sprintf("%s%sand %d more", strings.Join(lines[:maxListed], between), between, len(lines)-maxListed)
}

// lookAt returns the file at a path, and the file it links to or the same file if it
// isn't a link. Both are nil if nothing exists.
func lookAt(path string) (itself, target fs.FileInfo, err error) {
	itself, err = os.Lstat(path)
	if os.IsNotExist(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if itself.Mode()&fs.ModeSymlink == 0 {
		return itself, itself, nil
	}
	target, err = os.Stat(path)
	if err != nil {
		return itself, nil, nil // a dangling link
	}
	return itself, target, nil
}
