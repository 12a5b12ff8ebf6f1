package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// web is a folder of a web server, which can only be read.
type web struct {
	remote
	base *url.URL
}

// webClient is shared, so that connections are.
var webClient = sync.OnceValue(func() *http.Client { return newClient(nil) })

func openWeb(u *url.URL) Store {
	w := &web{base: u}
	w.remote = remote{client: webClient(), locate: w.locate, about: func(name string) string { return Redact(w.locate(name)) }}
	return w
}

// locate keeps the parameters, which may be what gives access.
func (w *web) locate(name string) string {
	at := *w.base
	at.Path, at.RawPath = strings.TrimSuffix(at.Path, "/")+"/"+name, ""
	return at.String()
}

func (w *web) String() string { return Redact(w.base.String()) }

// errReadOnly is the error of writing to a web server.
var errReadOnly = errors.New("a web server's files can only be read: write to a folder or a bucket (s3://, gs://)")

func (w *web) Write(context.Context, string, func(io.Writer) error) error {
	return fmt.Errorf("%s: %w", w, errReadOnly)
}

func (w *web) Create(context.Context, string, func(io.Writer) error) error {
	return fmt.Errorf("%s: %w", w, errReadOnly)
}

func (w *web) Remove(context.Context, string) error { return fmt.Errorf("%s: %w", w, errReadOnly) }

func (w *web) List(context.Context, string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		yield(Entry{}, fmt.Errorf("%s: a web server's files can't be listed: name them, in a list file or with a range such as {000..099}", w))
	}
}
