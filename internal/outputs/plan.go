// Package outputs decides what a command may write. A command lists the files it
// reads and the files it is going to write before it writes any of them, and
// writes through the [Plan] from then on. A plan never lets an output land on an
// input, nor two outputs on each other, and it replaces an existing file only if
// Gaze wrote it, as a record in the cache says, or if it was told to.
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

// Plan is what one command reads and writes. It isn't safe for concurrent use.
type Plan struct {
	// Force allows existing files that Gaze didn't write to be replaced. Inputs
	// are refused all the same.
	Force bool
	// Warn is told once if the record of what was written can't be kept; it may
	// be nil.
	Warn func(string)

	inputs  inputs
	outputs []*output
	prints  []printed
	names   map[string]bool    // canonical paths of all outputs
	planned map[string]*output // by canonical path, once they are checked
	real    map[string]string  // where folders lead
	record  *record
}

// printed is an open file that is written to.
type printed struct {
	info fs.FileInfo
	name string
}

// output is a file that is going to be written.
type output struct {
	path  string // as the user knows it
	from  string // what it is the output of: a flag, or a picture's path
	canon string
	// stream allows path to be a device or a pipe, which is written to as it is.
	stream bool
	// device tells that Check found a device or a pipe there.
	device bool
	// before is what Check found there, and target where that leads if it is a
	// link; nil if there was nothing.
	before, target fs.FileInfo
}

// New is an empty plan. The record of earlier outputs is looked for in the cache.
func New(force bool) *Plan {
	return &Plan{Force: force, names: map[string]bool{}, planned: map[string]*output{}, real: map[string]string{}, record: openRecord()}
}

// Reads notes files that the command reads, by whatever path. A file that doesn't
// exist is noted, too: a configuration written where a checkpoint looks for one
// would be read the next time. Empty paths are passed over.
func (p *Plan) Reads(paths ...string) {
	for _, path := range paths {
		if path != "" {
			p.inputs.add(path, p.canonical(path))
		}
	}
}

// ReadsOpen notes a file that the command reads without having opened it by a path,
// such as a list on standard input; name is what messages call it. What isn't a regular
// file is passed over.
func (p *Plan) ReadsOpen(f *os.File, name string) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		p.inputs.addInfo(info, name)
	}
}

// Prints notes a file that the command writes to without having opened it by a path: the
// standard output, which a shell may lead to a file, and which Check then compares with
// the inputs. What isn't a regular file is passed over.
func (p *Plan) Prints(f *os.File, name string) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		p.prints = append(p.prints, printed{info, name})
	}
}

// Writes plans a regular file. from says in messages what it is the output of: a
// flag or a picture. An empty path is passed over.
func (p *Plan) Writes(path, from string) { p.plan(path, from, false) }

// WritesStream is [Plan.Writes] for a single file that the user named, which may
// also be a device or a pipe, such as /dev/stdout.
func (p *Plan) WritesStream(path, from string) { p.plan(path, from, true) }

func (p *Plan) plan(path, from string, stream bool) {
	if path != "" {
		o := &output{path: path, from: from, canon: p.canonical(path), stream: stream}
		p.names[o.canon] = true
		p.outputs = append(p.outputs, o)
	}
}

// Planned tells whether path, however it is spelled, is an output of the plan.
func (p *Plan) Planned(path string) bool { return p.names[p.canonical(path)] }

// Wrote tells whether there is a file at path whose content Gaze wrote there.
func (p *Plan) Wrote(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && p.record.find(p.canonical(path), path, info) == ours
}

// canonical is a path with the links in its folder resolved, as far as that exists,
// but not a link that the file itself may be.
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

// RealPath is where a path leads: absolute, and without links as far as it
// exists.
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

// fold makes names equal that some file systems take for one: those that differ in
// case, or in how an accented letter is composed.
func fold(path string) string { return cases.Fold().String(norm.NFC.String(path)) }

// Conflict is a command line that contradicts itself: an output that is an input,
// or two outputs in one file.
type Conflict struct {
	lines []string
	// Collision tells that outputs of different pictures have the same name.
	Collision bool
}

// maxListed bounds the files that an error names.
const maxListed = 5

func (c *Conflict) Error() string { return listed(c.lines, "; ") }

// listed joins the first lines and counts the others.
func listed(lines []string, between string) string {
	if len(lines) <= maxListed {
		return strings.Join(lines, between)
	}
	return fmt.Sprintf("%s%sand %d more", strings.Join(lines[:maxListed], between), between, len(lines)-maxListed)
}

// lookAt returns what is at a path, and where a link there leads; nil for what
// isn't there.
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
		return itself, nil, nil // a link that leads nowhere
	}
	return itself, target, nil
}
