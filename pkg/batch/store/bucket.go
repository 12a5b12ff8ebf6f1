package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"

	"gaze/internal/bucketserver"
)

// bucket is a prefix of a bucket, which gaze-cloud reads and writes.
type bucket struct {
	remote
	url    string // of the bucket, without the prefix
	prefix string // ends in a slash, or is empty
	says   string // the URL without parameters
}

// host is the host in requests to gaze-cloud; the client knows its socket.
const host = "http://gaze-cloud"

func openBucket(ctx context.Context, u *url.URL) (Store, error) {
	client, err := cloud(ctx, u.Scheme)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Redact(u.String()), err)
	}
	root := *u
	root.Path, root.RawPath = "", ""
	b := &bucket{url: root.String(), prefix: strings.TrimPrefix(u.Path, "/"), says: strings.TrimSuffix(Redact(u.String()), "/")}
	if b.prefix != "" && !strings.HasSuffix(b.prefix, "/") {
		b.prefix += "/"
	}
	b.remote = remote{client: client, locate: b.locate, about: func(name string) string { return b.says + "/" + name }}
	return b, nil
}

func (b *bucket) locate(name string) string {
	return host + bucketserver.ObjectPath + "?" + bucketserver.Object(b.url, b.prefix+name)
}

func (b *bucket) String() string { return b.says }

func (b *bucket) Write(ctx context.Context, name string, write func(w io.Writer) error) error {
	return b.put(ctx, name, write, false)
}

func (b *bucket) Create(ctx context.Context, name string, write func(w io.Writer) error) error {
	if s, err := b.open(ctx, name, 0, 1); err == nil { // known before the work is done
		s.Close()
		return &objectError{b.about(name), "it exists already", os.ErrExist}
	}
	return b.put(ctx, name, write, true)
}

// put collects the content in a temporary file, because its length has to be known and it
// may be large, and sends it at once.
func (b *bucket) put(ctx context.Context, name string, write func(w io.Writer) error, fresh bool) error {
	if err := checkName(name); err != nil {
		return err
	}
	f, err := os.CreateTemp("", "gaze-upload-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	for failures := 1; ; failures++ {
		err := b.send(ctx, name, io.NewSectionReader(f, 0, size), size, fresh)
		if err == nil {
			return nil
		}
		if err := sleepBefore(ctx, failures, err, 0); err != nil {
			return err
		}
	}
}

// send makes an object of size bytes.
func (b *bucket) send(ctx context.Context, name string, content io.Reader, size int64, fresh bool) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, b.locate(name), content)
	if err != nil {
		return err
	}
	request.ContentLength = size
	if size == 0 {
		request.Body = http.NoBody // else a length of 0 means that it isn't known
	}
	if fresh {
		request.Header.Set("If-None-Match", "*")
	}
	return b.do(request, name)
}

func (b *bucket) Remove(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, b.locate(name), nil)
	if err != nil {
		return err
	}
	return b.do(request, name)
}

// do makes a request that has no other answer than an error. Where a server may recover, the
// driver tried several times.
func (b *bucket) do(request *http.Request, name string) error {
	response, err := b.client.Do(request)
	if err != nil {
		return b.transport(name, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return b.status(name, response)
	}
	return nil
}

func (b *bucket) List(ctx context.Context, prefix string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		at := host + bucketserver.ListPath + "?" + bucketserver.List(b.url, b.prefix+prefix)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err == nil {
			err = b.list(request, prefix, yield)
		}
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

// list yields the objects in the answer to a request. It returns nil when yield doesn't
// want more.
func (b *bucket) list(request *http.Request, prefix string, yield func(Entry, error) bool) error {
	response, err := b.client.Do(request)
	if err != nil {
		return b.transport(prefix, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return b.status(prefix, response)
	}
	in := json.NewDecoder(bufio.NewReader(response.Body))
	for {
		var line bucketserver.Line
		if err := in.Decode(&line); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("%s: the list ended early: %w", b.about(prefix), err)
		}
		if line.Error != "" {
			return b.status(prefix, &http.Response{
				StatusCode: line.Status, Status: http.StatusText(line.Status),
				Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader(line.Error)),
			})
		}
		if line.Name == "" {
			return nil
		}
		name := strings.TrimPrefix(line.Name, b.prefix)
		if strings.HasSuffix(name, "/") || name == "" {
			continue // the empty objects that some programs make for folders
		}
		if !yield(Entry{name, line.Size, line.Modified}, nil) {
			return nil
		}
	}
}
