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

// record lists the files that Gaze has written. It is kept in the folder "outputs" of the
// cache, as one text file for each folder that has outputs, named by a hash of the
// folder's real path. The first line is the folder; each other line is an output: SHA-256,
// size and quoted name, the latest last. Lines are appended until many are out of date.
// A file counts as Gaze's own if its content matches one of its lines: then replacing it
// loses nothing that Gaze didn't write.
type record struct {
	dir     string // "" if there is no cache
	broken  error  // why the record can't be read or written
	folders map[string]*folderRecord
}

// entry is one version of an output.
type entry struct {
	size int64
	sum  [sha256.Size]byte
}

// folderRecord is the record of one folder.
type folderRecord struct {
	names map[string][]entry // the latest last
	lines int                // in the file
	bytes int64
}

// Limits of the record. Two versions are kept for each name: the current one, and one
// that was about to replace it when a process was killed.
const (
	maxVersions      = 2
	maxRecordFile    = 64 << 20 // bytes of a folder's file: about 500,000 outputs
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

// file returns the path of the record of a folder.
func (r *record) file(folder string) string {
	sum := sha256.Sum256([]byte(folder))
	return filepath.Join(r.dir, hex.EncodeToString(sum[:16])+recordEnding)
}

// verdict says whether Gaze wrote a file.
type verdict int

const (
	stranger verdict = iota // Gaze wrote no file of that name
	ours                    // Gaze wrote the file with this content
	changed                 // Gaze wrote a file of that name, with other content
)

// find says whether Gaze wrote the file at path. canon is its canonical path.
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

// sumOf returns the SHA-256 of a file.
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

// folder reads the record of a folder and caches it. The result is empty if the record
// can't be read.
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

// usable returns an error if the record can't be read or written.
func (r *record) usable() error {
	if r.broken == nil {
		if r.broken = os.MkdirAll(r.dir, 0o755); r.broken == nil {
			r.broken = canCreateIn(r.dir)
		}
	}
	return r.broken
}

// readTail reads a file, or only its last most bytes if it is longer.
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

// parseFolder parses the record of a folder. Damaged lines are skipped. The result is
// empty if the record belongs to another folder whose path has the same hash.
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

// parseLine parses a line that [entry.line] wrote; ok is false for anything else.
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

// add records a file that is about to be written. After an error nothing more is
// recorded.
func (r *record) add(canon string, e entry) error {
	if r.broken != nil {
		return r.broken
	}
	folder, name := filepath.Dir(canon), filepath.Base(canon)
	f := r.folder(folder) // before taking the lock, because it may take a while
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

// addLine appends a line to the record of a folder, creating it if necessary.
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

// appendLine appends a line to a file. It first ends a partial line that a killed process
// may have left.
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

// compact rewrites the record of a folder without outdated lines. If the file is very
// long, only its end is kept.
func (r *record) compact(folder string) error {
	path := r.file(folder)
	text, err := readTail(path, maxRecordFile/2) // read again: other processes may have appended
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

// forgetOld removes records when there are too many: first those of folders that no longer
// exist, then those written to least recently. Files that can't be removed stay.
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

// withoutGone removes the records of folders that no longer exist and returns the others.
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

// folderOf returns the folder that a record file belongs to.
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
