// Package source says where the pictures of a corpus are, and reads them: files in folders,
// in lists and tables, members of WebDataset tars, and rows of Parquet files, each on a
// local disk, in a bucket or on a web server (see package store).
//
// Listing streams: memory doesn't grow with the number of pictures, and no picture is opened.
// A source that can't be used is an error then; a single picture that can't be read is an
// error of [Reader.Read].
package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"gaze/pkg/batch/store"
	"gaze/pkg/data"
)

// Input is one picture of a corpus: the key of its row, and where its bytes are.
type Input struct {
	// Key is unique in a list and valid UTF-8; other bytes of file names are in it as \xNN.
	Key string
	// File is the absolute path or the URL of the file that holds the picture. A path may
	// have any bytes.
	File   string
	Offset int64  // of a tar's member in File, in bytes
	Size   int64  // of a tar's member, in bytes; -1: the whole file
	Row    int64  // of a Parquet file, from 0; -1: none
	Column string // of a Parquet file: the column of bytes, with dots between its names
}

// Options say how sources are read. The zero value finds out everything by itself.
type Options struct {
	// Column is the column of Parquet files with the pictures. A source can say its own:
	// photos.parquet#image.
	Column string
	// Member is the ending of the pictures in tars, such as seg.png. By default all endings
	// of pictures count that are the only one of a member's name. A source can say its own:
	// photos-{000..012}.tar#jpg.
	Member string
	// Base is the folder or URL that relative paths in lists and tables start from. By
	// default that is the folder of the list.
	Base string
	// Qualify puts the name of its source, without folder and ending, in front of each key,
	// for sources that give the same keys.
	Qualify bool
	// Unchecked leaves out the search for equal keys, for callers that make it themselves.
	Unchecked bool
}

// List yields the pictures of all sources, in the order of the sources and of the pictures in
// each. An error comes last; it is one if a source can't be used or holds no pictures, and if
// two pictures have the same key.
//
// A source is the path or URL of
//   - a folder, which is searched with its subfolders, sorted by name; what begins with a dot
//     is passed over, links are followed, each folder once; key: the path in the folder;
//   - a picture; key: the path as given;
//   - a list (.txt, .lst, .list): a path or URL on each line, or ended by NUL; key: the line;
//   - a table (.csv, .tsv) with the column path, file, filename, image or url, and perhaps
//     key; key: that column, or else the path;
//   - a tar (.tar) as WebDataset writes it; key: the member's path up to the first dot of its
//     base name;
//   - a Parquet file (.parquet) with pictures' bytes in a column; key: the file's name without
//     folder and ending, a slash and the row's number from 0.
//
// Ranges in braces name many: photos-{000..012}.tar, {train,val}.csv.
func List(ctx context.Context, sources []string, o Options) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		l := &lister{ctx: ctx, Options: o, yield: yield}
		defer l.keys.close()
		err := l.all(sources)
		if err == nil && !l.stopped {
			err = l.checkKeys(sources)
		}
		if err != nil && !l.stopped {
			yield(Input{}, err)
		}
	}
}

// lister is the state of [List].
type lister struct {
	Options
	ctx     context.Context
	yield   func(Input, error) bool
	stopped bool // the caller wants no more

	from  string // the source that is being listed, for messages
	label string // what qualifies its keys, with a slash
	found int    // pictures in it
	keys  keySet
}

// errStopped ends a listing whose caller wants no more.
var errStopped = errors.New("stopped")

// all lists all sources.
func (l *lister) all(sources []string) error {
	if len(sources) == 0 {
		return errors.New("no sources: name a folder, a list, a table, a tar or a Parquet file")
	}
	for _, s := range sources {
		for name, err := range expandSource(s) {
			if err == nil {
				err = l.source(name)
			}
			if errors.Is(err, errStopped) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// source lists one source.
func (l *lister) source(name string) error {
	s, err := identify(name)
	if err != nil {
		return err
	}
	l.from, l.label, l.found = store.Redact(name), "", 0
	if l.Qualify {
		l.label = label(s.at) + "/"
	}
	if err := s.kind.list(l, s); err != nil {
		return err
	}
	if l.found == 0 {
		return fmt.Errorf("%s: %s", l.from, s.kind.nothing)
	}
	return nil
}

// label is a source's name without folder and ending.
func label(at string) string {
	at = filepath.ToSlash(store.Redact(at))
	base := path.Base(strings.TrimSuffix(at, "/"))
	if name, _, _ := strings.Cut(base, "."); name != "" {
		return name
	}
	return base
}

// add yields a picture.
func (l *lister) add(in Input) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	in.Key = l.label + printable(in.Key)
	l.found++
	if !l.Unchecked {
		if err := l.keys.add(in.Key); err != nil {
			return err
		}
	}
	if !l.yield(in, nil) {
		l.stopped = true
		return errStopped
	}
	return nil
}

// file yields a picture that is a file of its own.
func (l *lister) file(key, at string) error {
	return l.add(Input{Key: key, File: at, Size: -1, Row: -1})
}

// printable replaces bytes that aren't UTF-8 by \xNN.
func printable(key string) string {
	if utf8.ValidString(key) {
		return key
	}
	var b strings.Builder
	for i, r := range key {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(key[i:]); n == 1 {
				fmt.Fprintf(&b, `\x%02x`, key[i])
				continue
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

// named is a source whose kind is known.
type named struct {
	at     string // absolute path or URL
	given  string // as the user wrote it
	choice string // after #: a column or an ending
	kind   *kind
}

// kind is a kind of source.
type kind struct {
	endings []string
	list    func(l *lister, s named) error
	nothing string // what to say if it has no pictures
	choose  bool   // whether #choice means anything
}

// The kinds of sources.
var (
	folderKind  = &kind{list: (*lister).folder, nothing: "no pictures in this folder or its subfolders: name the tars, Parquet files, lists or tables in it themselves"}
	pictureKind = &kind{list: (*lister).picture}
	listKind    = &kind{endings: []string{".txt", ".lst", ".list"}, list: (*lister).listFile, nothing: "the list is empty: write a path or URL on each line"}
	tableKind   = &kind{endings: []string{".csv", ".tsv"}, list: (*lister).table, nothing: "the table has no rows"}
	tarKind     = &kind{endings: []string{".tar"}, list: (*lister).tar, choose: true, nothing: "no member is a picture (.jpg, .png, .webp, …): if they have several endings, name them, as in photos.tar#seg.png"}
	parquetKind = &kind{endings: []string{".parquet", ".pq"}, list: (*lister).parquet, choose: true, nothing: "the file has no rows"}
)

// kindOf is the kind of a file by its name, nil if it isn't known.
func kindOf(name string) *kind {
	lower := strings.ToLower(name)
	for _, k := range []*kind{listKind, tableKind, tarKind, parquetKind} {
		for _, ending := range k.endings {
			if strings.HasSuffix(lower, ending) {
				return k
			}
		}
	}
	if data.IsPictureName(name) {
		return pictureKind
	}
	return nil
}

// identify finds out what a source is.
func identify(name string) (named, error) {
	s := named{at: name, given: name}
	remote := store.IsURL(name)
	if !remote && !exists(name) || remote {
		if file, choice, ok := cutLast(name, "#"); ok {
			if k := kindOf(fileName(file)); k != nil && k.choose {
				s.at, s.choice = file, choice
			}
		}
	}
	if remote {
		return s.identifyRemote()
	}
	info, err := os.Stat(s.at)
	if err != nil {
		return s, fmt.Errorf("%s: %w", name, reason(err))
	}
	if s.at, err = filepath.Abs(s.at); err != nil {
		return s, err
	}
	if info.IsDir() {
		s.kind = folderKind
	} else if s.kind = kindOf(s.at); s.kind == nil {
		return s, unknown(name)
	}
	return s, nil
}

func (s named) identifyRemote() (named, error) {
	file := fileName(s.at)
	switch s.kind = kindOf(file); {
	case s.kind != nil && !strings.HasSuffix(file, "/"):
	case strings.HasPrefix(s.at, "http"):
		return s, unknown(s.given)
	default:
		s.kind = folderKind
	}
	return s, nil
}

// fileName is a path, or the path of a URL, without parameters.
func fileName(at string) string { return store.Redact(at) }

// reason is an error without the path, which the caller names.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// unknown is the error for a file that is no source.
func unknown(name string) error {
	for _, ending := range []string{".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz", ".zip"} {
		if strings.HasSuffix(strings.ToLower(fileName(name)), ending) {
			return fmt.Errorf("%s: a compressed archive can't be read in parts: unpack it, or pack it again as .tar", store.Redact(name))
		}
	}
	return fmt.Errorf("%s: what this is can't be told from its name: it must be a folder, a picture, a list (.txt, .lst, .list), a table (.csv, .tsv), a tar (.tar) or a Parquet file (.parquet)", store.Redact(name))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// cutLast is [strings.Cut] at the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}
