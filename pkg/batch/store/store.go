// Package store reads and writes files that are in a local folder, in a bucket (s3://,
// gs://) or on a web server (https://, http://, only read), all in the same way.
//
// A file is whole or not there: a reader never sees half of it. Names are relative to the
// store and have slashes; errors satisfy [fs.ErrNotExist], [fs.ErrExist] and
// [fs.ErrPermission] where they mean that.
//
// Reading tries again when a server fails or a connection breaks, and goes on where it was.
package store

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Store is a place that holds files. Its methods can be called at the same time.
type Store interface {
	// Read returns a file's content.
	Read(ctx context.Context, name string) ([]byte, error)
	// Stream opens a file that is read from its beginning on.
	Stream(ctx context.Context, name string) (io.ReadCloser, error)
	// ReaderAt opens a file of which parts are read. ctx bounds all reads.
	ReaderAt(ctx context.Context, name string) (File, error)
	// Write makes a file, or replaces it, with what write writes to w. If write or anything
	// else fails, nothing changes.
	Write(ctx context.Context, name string, write func(w io.Writer) error) error
	// Create is Write for a file that must not exist: of several that create the same file
	// at the same time, one succeeds, and the others' error is [fs.ErrExist].
	Create(ctx context.Context, name string, write func(w io.Writer) error) error
	// List yields the files whose names begin with prefix, sorted by name, byte by byte. An
	// error comes last. A store that doesn't exist has no files.
	List(ctx context.Context, prefix string) iter.Seq2[Entry, error]
	// Remove removes a file.
	Remove(ctx context.Context, name string) error
	// String is the store's URL or path for messages, without secrets.
	String() string
}

// File is an open file of a [Store]. ReadAt can be called at the same time.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64 // in bytes
}

// Entry is a file in a list.
type Entry struct {
	Name     string
	Size     int64 // in bytes
	Modified time.Time
}

// Open returns the store at a URL or path: a folder, which needn't exist yet (a path, or
// file://), a bucket with or without a prefix (s3://bucket/prefix, gs://bucket/prefix), or
// a folder of a web server (https://host/folder).
//
// A bucket's URL takes parameters: for s3, endpoint, region, profile, anonymous=true and
// use_path_style=true; for gs, anonymous=true. Otherwise the environment decides as for
// other programs: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_REGION,
// AWS_ENDPOINT_URL, AWS_NO_SIGN_REQUEST=true; GOOGLE_APPLICATION_CREDENTIALS,
// STORAGE_EMULATOR_HOST. Buckets need the program gaze-cloud, which is started when it is
// first needed.
func Open(ctx context.Context, location string) (Store, error) {
	u, remote, err := parse(location)
	switch {
	case err != nil:
		return nil, err
	case !remote:
		return openLocal(location)
	}
	switch u.Scheme {
	case "file":
		return openLocal(filepath.FromSlash(u.Path))
	case "http", "https":
		return openWeb(u), nil
	case "s3", "gs":
		return openBucket(ctx, u)
	}
	return nil, fmt.Errorf("%s: unknown scheme %s: it can be s3, gs, https, http or file", location, u.Scheme)
}

// IsURL reports whether a location is a URL (scheme://…), not a path.
func IsURL(location string) bool {
	scheme, _, ok := strings.Cut(location, "://")
	if !ok || len(scheme) < 2 {
		return false
	}
	for i, r := range scheme {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", r)) {
			return false
		}
	}
	return true
}

// Split divides the location of a file into that of the store that holds it and the file's
// name there. All files of a folder have the same store.
func Split(location string) (store, name string, err error) {
	u, remote, err := parse(location)
	if err != nil {
		return "", "", err
	}
	if !remote {
		dir, base := filepath.Split(location)
		if dir == "" {
			dir = "."
		}
		return dir, base, nil
	}
	dir, base := path.Split(u.Path)
	if base == "" {
		return "", "", fmt.Errorf("%s: this is a folder, not a file", location)
	}
	at := *u
	at.Path, at.RawPath = dir, ""
	return at.String(), base, nil
}

// Join is the location of a file in a store.
func Join(location, name string) string {
	u, remote, err := parse(location)
	if err != nil || !remote {
		return filepath.Join(location, filepath.FromSlash(name))
	}
	at := *u
	at.Path, at.RawPath = strings.TrimSuffix(u.Path, "/")+"/"+name, ""
	return at.String()
}

// parse reads a location; remote is false for a path.
func parse(location string) (u *url.URL, remote bool, err error) {
	if location == "" {
		return nil, false, fmt.Errorf("an empty location: name a folder or a URL")
	}
	if !IsURL(location) {
		return nil, false, nil
	}
	u, err = url.Parse(location)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", Redact(location), err.(*url.Error).Err)
	}
	if u.Host == "" && u.Scheme != "file" {
		return nil, false, fmt.Errorf("%s: the name of the bucket or host is missing", Redact(location))
	}
	return u, true, nil
}

// Redact removes what may be secret from a location: passwords and parameters.
func Redact(location string) string {
	if !IsURL(location) {
		return location
	}
	if u, err := url.Parse(location); err == nil {
		u.RawQuery, u.ForceQuery = "", false
		return u.Redacted()
	}
	location, _, _ = strings.Cut(location, "?")
	return location
}

// checkName refuses names that aren't inside a store.
func checkName(name string) error {
	if name == "" || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || !filepath.IsLocal(filepath.FromSlash(name)) {
		return &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return nil
}
