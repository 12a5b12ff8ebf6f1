package outputs

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gaze/internal/atomicfile"
	"gaze/internal/cachedir"
	"gaze/internal/filelock"
)

// record is what Gaze has written, in the folder "outputs" of the cache: a text
// file for each folder that holds outputs, named by a hash of the folder's real
// path. Its first line names the folder, each other line an output: SHA-256, size
// and quoted name, the latest last. Lines are only added, until many are out of
// date. A file is Gaze's own if its content is that of one of its lines: then
// nothing is lost that Gaze didn't make.
type record struct {
	dir     string // "" if there is no cache
	broken  error  // why it can't be read or written
	folders map[string]*folderRecord
}

// entry is one version of an output.
type entry struct {
	size int64
	sum  [sha256.Size]byte
}

// folderRecord is what is known of one folder.
type folderRecord struct {
	names map[string][]entry // the latest last
	lines int                // in the file
	bytes int64
}

// Bounds of the record. A name keeps two versions: the one that is there, and the
// one that was about to replace it when a process was killed.
const (
	maxVersions      = 2
	maxRecordFile    = 64 << 20 // bytes of a folder's file: some 500,000 outputs
	maxRecordFolders = 1000
	recordEnding     = ".txt"
	lockWait         = 5 * time.Second
)

func openRecord() *record {
	r := &record{folders: map[string]*folderRecord{}}
	cache, err := cachedir.Dir()
	if err != nil {
		r.broken = err
		return r
	}
	r.dir = filepath.Join(cache, "outputs")
	return r
}

// file is where a folder's outputs are noted.
func (r *record) file(folder string) string {
	sum := sha256.Sum256([]byte(folder))
	return filepath.Join(r.dir, hex.EncodeToString(sum[:16])+recordEnding)
}

// verdict is whose a file is.
type verdict int

const (
	stranger verdict = iota
	ours
	changed // Gaze wrote a file of that name, but not this content
)

// find tells whose the file at path is. canon is its canonical path.
func (r *record) find(canon, path string, info fs.FileInfo) verdict {
	known := r.folder(filepath.Dir(canon)).names[filepath.Base(canon)]
	if len(known) == 0 {
		return stranger
	}
	for _, e := range known {
		if e.size != info.Size() {
			continue
		}
		if sum, err := sumOf(path); err == nil && sum == e.sum {
			return ours
		}
	}
	return changed
}

// sumOf is the SHA-256 of a file.
func sumOf(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// folder reads what is known of a folder, once; nothing if the record can't be
// read.
func (r *record) folder(folder string) *folderRecord {
	if f, read := r.folders[folder]; read {
		return f
	}
	var text []byte
	if r.dir != "" {
		var err error
		if text, err = readTail(r.file(folder), maxRecordFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.broken = err
		}
	}
	f := parseFolder(text, folder)
	r.folders[folder] = f
	return f
}

// usable is an error if the record can't be read, or couldn't have been written.
func (r *record) usable() error {
	if r.broken == nil {
		if r.broken = os.MkdirAll(r.dir, 0o755); r.broken == nil {
			r.broken = canCreateIn(r.dir)
		}
	}
	return r.broken
}

// readTail reads a file, of one that is too long only the end.
func readTail(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if skip := info.Size() - most; skip > 0 {
		if _, err := f.Seek(skip, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, most))
}

// parseFolder reads a folder's lines. Lines that are damaged are passed over, and
// so is the file of a folder whose path has the same hash.
func parseFolder(text []byte, folder string) *folderRecord {
	f := &folderRecord{names: map[string][]entry{}, bytes: int64(len(text))}
	for line := range strings.Lines(string(text)) {
		f.lines++
		line = strings.TrimSuffix(line, "\n")
		if rest, head := strings.CutPrefix(line, headPrefix); head {
			if of, err := strconv.Unquote(rest); err == nil && of != folder {
				return &folderRecord{names: map[string][]entry{}}
			}
			continue
		}
		if name, e, ok := parseLine(line); ok {
			f.note(name, e)
		}
	}
	return f
}

// note adds a version of a name.
func (f *folderRecord) note(name string, e entry) {
	old := f.names[name]
	for i, known := range old {
		if known == e { // written again
			old = append(old[:i:i], old[i+1:]...)
			break
		}
	}
	if len(old) >= maxVersions {
		old = old[len(old)-maxVersions+1:]
	}
	f.names[name] = append(old[:len(old):len(old)], e)
}

const headPrefix = "# outputs in "

func head(folder string) string { return headPrefix + strconv.Quote(folder) + "\n" }

func (e entry) line(name string) string {
	return fmt.Sprintf("%x %d %s\n", e.sum, e.size, strconv.Quote(name))
}

// parseLine is the reverse of line; ok is false for anything else.
func parseLine(line string) (name string, e entry, ok bool) {
	sum, rest, found := strings.Cut(line, " ")
	size, quoted, more := strings.Cut(rest, " ")
	if !found || !more || len(sum) != hex.EncodedLen(sha256.Size) {
		return "", entry{}, false
	}
	if _, err := hex.Decode(e.sum[:], []byte(sum)); err != nil {
		return "", entry{}, false
	}
	var err error
	if e.size, err = strconv.ParseInt(size, 10, 64); err != nil || e.size < 0 {
		return "", entry{}, false
	}
	if name, err = strconv.Unquote(quoted); err != nil || name == "" {
		return "", entry{}, false
	}
	return name, e, true
}

// add notes that a file is about to be written. After a failure nothing is noted
// any more.
func (r *record) add(canon string, e entry) error {
	if r.broken != nil {
		return r.broken
	}
	folder, name := filepath.Dir(canon), filepath.Base(canon)
	f := r.folder(folder) // before the lock: it may take a moment
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	release, err := filelock.Lock(ctx, filepath.Join(r.dir, "lock"), nil)
	if err != nil {
		r.broken = err
		return err
	}
	defer release()
	r.broken = r.addLine(folder, e.line(name))
	f.note(name, e)
	f.lines++
	f.bytes += int64(len(e.line(name)))
	if r.broken == nil && (f.bytes > maxRecordFile || f.lines > 2*maxVersions*len(f.names)+100) {
		r.broken = r.compact(folder)
	}
	return r.broken
}

// addLine adds a line to the file of a folder, which is begun if need be.
func (r *record) addLine(folder, line string) error {
	path := r.file(folder)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		r.forgetOld()
		if err := atomicfile.WriteBytes(path, []byte(head(folder))); err != nil {
			return err
		}
	}
	return appendLine(path, line)
}

// appendLine adds a line to a file, on a line of its own even if a process that was
// killed has left half of one.
func appendLine(path, line string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if end, err := f.Seek(0, io.SeekEnd); err != nil {
		return err
	} else if end > 0 {
		last := []byte{0}
		if _, err := f.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = "\n" + line
		}
	}
	_, err = f.WriteString(line)
	return err
}

// compact writes a folder's file anew, without what is out of date, and of a very
// long one only the end.
func (r *record) compact(folder string) error {
	path := r.file(folder)
	text, err := readTail(path, maxRecordFile/2) // other processes may have added to it
	if err != nil {
		return err
	}
	f := parseFolder(text, folder)
	var out strings.Builder
	out.WriteString(head(folder))
	f.lines = 1
	for _, name := range slices.Sorted(maps.Keys(f.names)) {
		for _, e := range f.names[name] {
			out.WriteString(e.line(name))
			f.lines++
		}
	}
	f.bytes = int64(out.Len())
	r.folders[folder] = f
	return atomicfile.WriteBytes(path, []byte(out.String()))
}

// forgetOld makes room when there are many folders: those that are gone are
// forgotten first, then those that were written to least recently. What can't be
// removed stays.
func (r *record) forgetOld() {
	list, err := os.ReadDir(r.dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.HasSuffix(e.Name(), recordEnding) {
			files = append(files, info)
		}
	}
	if len(files) < maxRecordFolders {
		return
	}
	files = r.withoutGone(files)
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for len(files) >= maxRecordFolders*9/10 {
		_ = os.Remove(filepath.Join(r.dir, files[0].Name()))
		files = files[1:]
	}
}

// withoutGone removes the files of folders that are gone and returns the others.
func (r *record) withoutGone(files []fs.FileInfo) (kept []fs.FileInfo) {
	for _, info := range files {
		path := filepath.Join(r.dir, info.Name())
		if folder, ok := folderOf(path); ok {
			if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
				_ = os.Remove(path)
				continue
			}
		}
		kept = append(kept, info)
	}
	return kept
}

// folderOf is the folder that a record's file is about.
func folderOf(path string) (folder string, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	line, err := bufio.NewReaderSize(io.LimitReader(f, 1<<16), 1<<10).ReadString('\n')
	if err != nil {
		return "", false
	}
	quoted, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), headPrefix)
	if !ok {
		return "", false
	}
	folder, err = strconv.Unquote(quoted)
	return folder, err == nil
}
