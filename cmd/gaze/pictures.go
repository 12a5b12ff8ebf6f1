package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"gaze/internal/outputs"
	"gaze/internal/stages"
	"gaze/internal/textfile"
	"gaze/pkg/data"
	"gaze/pkg/transform"
)

// batchFlags are the flags of commands that process many pictures.
type batchFlags struct {
	recursive, null, quiet, force bool
}

func (f *batchFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&f.recursive, "recursive", "r", false, "also search subfolders; results keep the folder structure")
	flags.BoolVarP(&f.null, "null", "0", false, "with - as PATH: paths on standard input end in NUL, not newline")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress and no summary on standard error")
	forceFlag(cmd, &f.force)
}

// batchHelp explains PATH.
const batchHelp = "PATH is a picture, a folder of pictures, or - for a list of paths on standard input, one per\n" +
	"line. A picture that can't be read is named on standard error and left out; the exit status\n" +
	"is then 1. An existing file that Gaze didn't write is replaced only with --force."

// batch is the list of pictures that a command processes.
type batch struct {
	batchFlags
	cmd     *cobra.Command
	listing *data.Listing
	list    *os.File // the file that paths were read from, or nil
}

// find lists the pictures that args name. The folder leave, if not "", is skipped when
// it is inside a folder that is searched.
func (f *batchFlags) find(cmd *cobra.Command, args []string, leave string) (*batch, error) {
	paths, named, err := f.paths(cmd, args)
	if err != nil {
		return nil, err
	}
	options := data.FindOptions{Recursive: f.recursive, Lenient: len(named) < len(paths)}
	if leave != "" {
		real := outputs.RealPath(leave)
		options.Leave = func(folder string) bool { return outputs.RealPath(folder) == real }
	}
	listing, err := data.Find(paths, options)
	if err != nil {
		return nil, f.hint(err)
	}
	for _, failed := range listing.Failed { // an argument that fails is an error; a list entry that fails is left out
		if slices.Contains(named, failed.Path) {
			return nil, f.hint(failed.Err)
		}
	}
	b := &batch{batchFlags: *f, cmd: cmd, listing: listing}
	if len(named) < len(args) {
		b.list, _ = cmd.InOrStdin().(*os.File)
	}
	return b, nil
}

// hint adds to an error that --recursive searches subfolders.
func (f *batchFlags) hint(err error) error {
	if text := err.Error(); !f.recursive && strings.Contains(text, "folders in it aren't searched") {
		return errors.New(strings.Replace(text, "aren't searched", "are searched with --recursive", 1))
	}
	return err
}

// paths replaces - by the paths on standard input; named are the paths given on the
// command line itself.
func (f *batchFlags) paths(cmd *cobra.Command, args []string) (paths, named []string, err error) {
	read := false
	for _, arg := range args {
		if arg != "-" {
			paths, named = append(paths, arg), append(named, arg)
			continue
		}
		if read {
			return nil, nil, misuse(cmd, errors.New("-: standard input can be read only once (./- is a file called -)"))
		}
		read = true
		list, err := readPaths(cmd.Context(), cmd.InOrStdin(), f.null)
		if err != nil {
			return nil, nil, err
		}
		paths = append(paths, list...)
	}
	if f.null && !read {
		return nil, nil, misuse(cmd, errors.New("--null: it applies to the list that - reads from standard input: give - as a PATH"))
	}
	return paths, named, nil
}

// maxPathList bounds the list of paths on standard input.
const maxPathList = 256 << 20

// readPaths reads a list of paths, one per line (with any system's line ending) or each
// ended by NUL. Empty lines are ignored.
func readPaths(ctx context.Context, from io.Reader, null bool) ([]string, error) {
	type answer struct {
		text []byte
		err  error
	}
	came := make(chan answer, 1)
	go func() { // a read from a terminal can't be interrupted, so it gets its own goroutine
		text, err := io.ReadAll(io.LimitReader(bufio.NewReader(from), maxPathList+1))
		came <- answer{text, err}
	}()
	var got answer
	select {
	case got = <-came:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if got.err != nil {
		return nil, fmt.Errorf("standard input: %w", got.err)
	}
	if len(got.text) > maxPathList {
		return nil, fmt.Errorf("standard input: more than %d MB of paths", maxPathList>>20)
	}
	paths := splitPaths(got.text, null)
	if !null {
		paths = withoutBlanks(paths)
	}
	if len(paths) == 0 {
		return nil, errors.New("standard input: it holds no paths of pictures; write one per line")
	}
	return paths, nil
}

func splitPaths(text []byte, null bool) []string {
	end := "\n"
	if null {
		end = "\x00"
	} else if decoded, err := textfile.Decode("", text); err == nil {
		text = decoded
	} // otherwise it isn't valid text; file names may contain any bytes, so they are used as they are
	if !null && !bytes.Contains(text, []byte(end)) {
		end = "\r" // the line ending of old Macs and some spreadsheets
	}
	var paths []string
	for path := range strings.SplitSeq(string(text), end) {
		if !null {
			path = strings.TrimSuffix(path, "\r")
		}
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// withoutBlanks trims spaces around paths, unless a file with the exact name exists.
// Lines that are all spaces are dropped.
func withoutBlanks(paths []string) []string {
	var out []string
	for _, path := range paths {
		if trimmed := strings.TrimSpace(path); trimmed != path && !exists(path) {
			path = trimmed
		}
		if path != "" {
			out = append(out, path)
		}
	}
	return out
}

// reads registers the pictures as inputs.
func (b *batch) reads(p *outputs.Plan) {
	for _, picture := range b.listing.Pictures {
		p.Reads(picture.Path)
	}
	if b.list != nil {
		p.ReadsOpen(b.list, "the list on standard input")
	}
}

// output is the path of a picture's result in the folder out, with the picture's
// subfolders kept.
func output(out string, picture data.Found, ending string) string {
	return filepath.Join(out, filepath.Dir(picture.Name), stem(picture.Name)+ending)
}

// stem is a file's name without folder and ending, from which outputs are named.
func stem(path string) string {
	base := filepath.Base(path)
	if name := strings.TrimSuffix(base, filepath.Ext(base)); name != "" {
		return name
	}
	return base
}

// plan plans an output file in the folder out for each picture and ending, and checks
// that all can be written.
func (b *batch) plan(p *outputs.Plan, out string, endings ...string) error {
	b.reads(p)
	for _, picture := range b.listing.Pictures {
		for _, ending := range endings {
			path := output(out, picture, ending)
			p.Writes(path, picture.Path)
		}
	}
	if err := checkPlan(b.cmd, p, b.collisionAdvice()); err != nil {
		return err
	}
	return b.checkFolders(out, endings)
}

// collisionAdvice is the advice for pictures whose results would have the same name.
func (b *batch) collisionAdvice() string {
	dir := ""
	for i, picture := range b.listing.Pictures {
		if i == 0 {
			dir = filepath.Dir(picture.Path)
		}
		if filepath.Dir(picture.Path) != dir && !b.recursive {
			return "nothing was written; keep the pictures' folders with --recursive, or write to a different folder for each"
		}
	}
	return "nothing was written; write to a different folder for each"
}

// checkFolders refuses to write figures into folders that are searched for pictures:
// the next run would take the figures for photographs.
func (b *batch) checkFolders(out string, endings []string) error {
	if !slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(e, ".png") }) {
		return nil
	}
	asked := map[string]bool{}
	for _, picture := range b.listing.Pictures {
		dir := filepath.Dir(output(out, picture, ""))
		if asked[dir] {
			continue
		}
		asked[dir] = true
		if err := b.checkFolder(out, dir); err != nil {
			return misuse(b.cmd, err)
		}
	}
	return nil
}

// checkFolder does so for one folder; out is the -o whose figures it would hold.
func (b *batch) checkFolder(out, dir string) error {
	if !b.listing.Searched(outputs.RealPath(dir)) {
		return nil
	}
	return fmt.Errorf("-o %s: the next run would take the figures in %s for photographs, because that folder is searched for pictures: choose another folder, or name the pictures instead of their folder", out, dir)
}

// each calls work on the pictures in order, decoded for the pipeline, a few ahead. It is
// [process] for work that can't be divided.
func (b *batch) each(p *outputs.Plan, pipeline transform.Pipeline, work func(picture data.Found, im *transform.Image) error) error {
	return process(b, p, pipeline, pictureWork[*transform.Image, *transform.Image, *transform.Image]{
		workers: 1, // so that few whole photographs are in memory
		prepare: func(_ data.Found, im *transform.Image) (*transform.Image, error) { return im, nil },
		run:     func(images []*transform.Image) ([]*transform.Image, error) { return images, nil },
		finish:  func(_ data.Found, im, _ *transform.Image) (*transform.Image, error) { return im, nil },
		deliver: work,
	})
}

// pictureWork is what a command does with each picture, in the stages of [stages.Job].
type pictureWork[P, R, F any] struct {
	prepare func(picture data.Found, im *transform.Image) (P, error)
	size    func(P) any
	atOnce  int // pictures that run together; 0: 1
	workers int // that prepare, and that finish; 0: one for each processor, up to maxWorkers
	run     func(batch []P) ([]R, error)
	finish  func(picture data.Found, ready P, result R) (F, error)
	// deliver writes and prints. It is called in the order of the pictures, and never twice
	// at a time.
	deliver func(picture data.Found, finished F) error
}

// maxWorkers bounds the decoded photographs in memory, and with them the pictures that are
// under way: 2*(maxWorkers+usualBatch).
const maxWorkers = 8

// process does the work on the pictures, decoded for the pipeline. A picture that fails is
// named on standard error and skipped; the error at the end counts the failures. If results
// can no longer be written at all, process returns at once. After an interrupt, finished
// results are kept.
func process[P, R, F any](b *batch, p *outputs.Plan, pipeline transform.Pipeline, w pictureWork[P, R, F]) error {
	ctx, pictures := b.cmd.Context(), b.listing.Pictures
	t := b.begin()
	defer t.end(p)
	for _, failed := range b.listing.Failed {
		t.fail(failed.Path, failed.Err)
	}
	t.show()
	damages := make([]string, len(pictures)) // see data.DecodeWarn
	if w.workers == 0 {
		w.workers = min(runtime.GOMAXPROCS(0), maxWorkers)
	}
	job := stages.Job[P, R, F]{
		N: len(pictures), Size: w.size, Batch: w.atOnce, Workers: w.workers, Run: w.run,
		Prepare: func(i int) (ready P, err error) {
			im, damage, err := data.DecodeFor(pictures[i].Path, pipeline)
			damages[i] = damage
			if err == nil {
				ready, err = w.prepare(pictures[i], im)
			}
			return ready, err
		},
		Finish: func(i int, ready P, result R) (F, error) { return w.finish(pictures[i], ready, result) },
		Deliver: func(i int, finished F, err error) error {
			if damages[i] != "" {
				fmt.Fprintln(b.cmd.ErrOrStderr(), damagedLine(pictures[i].Path, damages[i]))
			}
			if err == nil {
				err = w.deliver(pictures[i], finished)
			}
			return t.count(ctx, pictures[i].Path, err)
		},
	}
	if err := job.Do(ctx); err != nil {
		return err
	}
	return t.failure()
}

// batchStopped is the error of a batch whose results can no longer be written.
type batchStopped struct{ error }

func (n *batchStopped) Unwrap() error { return n.error }

// stopped reports whether err ended a batch before its last picture.
func stopped(err error) bool {
	var n *batchStopped
	return errors.As(err, &n)
}

// unwritable reports whether err comes from the destination of all results, such as
// a full disk or standard output, and not from one picture.
func unwritable(err error) bool {
	var at *fs.PathError
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.As(err, &at) && at.Op == "write" && at.Path == os.Stdout.Name()
}

// about puts err on one line and prefixes the file's name, unless err already begins
// with it.
func about(path string, err error) string {
	if strings.HasPrefix(err.Error(), path+":") {
		return oneLine(err)
	}
	return oneLine(fmt.Errorf("%s: %w", path, err))
}
