// Package bucketserver is how Gaze's programs and gaze-cloud, which has the drivers of
// buckets, speak to each other: HTTP over a Unix socket. This is the side of gaze-cloud;
// package store is the other. It knows no provider.
package bucketserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Paths of the requests. Both take the parameters bucket, a URL without a path, and name or
// prefix.
const (
	ObjectPath = "/object" // GET (with Range), PUT (with If-None-Match: *), DELETE
	ListPath   = "/list"   // GET: an [Line] of JSON for each object, and an empty one at the end
)

// Bucket is what a driver does. Errors are those of package fs where they mean that.
type Bucket interface {
	// Open reads length bytes from offset; a length of -1 is all. size is the object's.
	Open(ctx context.Context, name string, offset, length int64) (body io.ReadCloser, info Info, err error)
	// Put writes an object, only if it doesn't exist (else [fs.ErrExist]) if fresh is set.
	Put(ctx context.Context, name string, body io.Reader, fresh bool) error
	Remove(ctx context.Context, name string) error
	// List yields the objects whose names begin with prefix, sorted by name.
	List(ctx context.Context, prefix string) iter.Seq2[Line, error]
}

// Info says which object was opened.
type Info struct {
	Size int64
	Tag  string // changes when the object does
}

// Line is an object in a list, or the end of the list, or why it ends early.
type Line struct {
	Name     string    `json:"name,omitempty"`
	Size     int64     `json:"size,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	Error    string    `json:"error,omitempty"`
	Status   int       `json:"status,omitempty"` // the error's, as of a request
}

// Object is the query of a request for an object.
func Object(bucket, name string) string {
	return url.Values{"bucket": {bucket}, "name": {name}}.Encode()
}

// List is the query of a request for a list.
func List(bucket, prefix string) string {
	return url.Values{"bucket": {bucket}, "prefix": {prefix}}.Encode()
}

// Handler serves buckets, which open opens by their URL. It is called for each request.
func Handler(open func(ctx context.Context, bucket string) (Bucket, error)) http.Handler {
	mux := http.NewServeMux()
	with := func(do func(b Bucket, w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			b, err := open(r.Context(), r.FormValue("bucket"))
			if err == nil {
				err = do(b, w, r)
			}
			if err != nil {
				http.Error(w, err.Error(), Status(err))
			}
		}
	}
	mux.HandleFunc("GET "+ObjectPath, with(get))
	mux.HandleFunc("PUT "+ObjectPath, with(put))
	mux.HandleFunc("DELETE "+ObjectPath, with(func(b Bucket, _ http.ResponseWriter, r *http.Request) error {
		return b.Remove(r.Context(), r.FormValue("name"))
	}))
	mux.HandleFunc("GET "+ListPath, with(list))
	return mux
}

// StatusFailed is the status for what a driver couldn't do after its own tries. The other side
// doesn't try again.
const StatusFailed = http.StatusFailedDependency

// Status is the HTTP status for an error.
func Status(err error) int {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	case errors.Is(err, fs.ErrExist):
		return http.StatusPreconditionFailed
	case errors.Is(err, ErrRange):
		return http.StatusRequestedRangeNotSatisfiable
	case errors.Is(err, ErrConflict):
		return http.StatusConflict
	}
	return StatusFailed
}

// Errors of a [Bucket] besides those of package fs.
var (
	ErrRange    = errors.New("it ends before the bytes that are asked for")
	ErrConflict = errors.New("it is being written by others") // another try may succeed
)

func get(b Bucket, w http.ResponseWriter, r *http.Request) error {
	offset, length, part, err := parseRange(r.Header.Get("Range"))
	if err != nil {
		return err
	}
	body, info, err := b.Open(r.Context(), r.FormValue("name"), offset, length)
	if err != nil {
		return err
	}
	defer body.Close()
	if part && offset >= info.Size {
		return ErrRange
	}
	end := info.Size
	if length >= 0 {
		end = min(end, offset+length)
	}
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Content-Length", strconv.FormatInt(end-offset, 10))
	header.Set("ETag", info.Tag)
	if part {
		header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, end-1, info.Size))
		w.WriteHeader(http.StatusPartialContent)
	}
	if n, err := io.Copy(w, body); err != nil || n != end-offset {
		panic(http.ErrAbortHandler) // ends the connection, so that the other side sees it and tries again
	}
	return nil
}

// parseRange reads a Range header with one range, as package store writes it.
func parseRange(header string) (offset, length int64, part bool, err error) {
	if header == "" {
		return 0, -1, false, nil
	}
	wrong := fmt.Errorf("the range %q: it must be bytes=FIRST-LAST or bytes=FIRST-", header)
	text, ok := strings.CutPrefix(header, "bytes=")
	first, last, ok2 := strings.Cut(text, "-")
	offset, err = strconv.ParseInt(first, 10, 64)
	if !ok || !ok2 || err != nil || offset < 0 {
		return 0, 0, false, wrong
	}
	if last == "" {
		return offset, -1, true, nil
	}
	end, err := strconv.ParseInt(last, 10, 64)
	if err != nil || end < offset || end-offset+1 < 0 {
		return 0, 0, false, wrong
	}
	return offset, end - offset + 1, true, nil
}

func put(b Bucket, w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength < 0 {
		return errors.New("the length of the content is missing")
	}
	return b.Put(r.Context(), r.FormValue("name"), r.Body, r.Header.Get("If-None-Match") == "*")
}

func list(b Bucket, w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/jsonl")
	out := json.NewEncoder(w)
	for line, err := range b.List(r.Context(), r.FormValue("prefix")) {
		if err != nil {
			line = Line{Error: err.Error(), Status: Status(err)}
		}
		if out.Encode(line) != nil || err != nil {
			return nil // the other side knows
		}
	}
	out.Encode(Line{})
	return nil
}
