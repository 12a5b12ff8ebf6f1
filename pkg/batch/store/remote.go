package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gaze/internal/bucketserver"
)

// remote reads objects over HTTP: those of web servers, and those of buckets, which the
// program gaze-cloud serves.
type remote struct {
	client *http.Client
	// locate is the URL that is asked for an object; about is what messages call it.
	locate, about func(name string) string
}

// maxRead bounds the size of a file that is read whole. Pictures are smaller.
const maxRead = 1 << 30

// tries is how often a request is made in all while nothing comes back; pause is the time
// before the second, which doubles.
const tries = 5

var pause = 200 * time.Millisecond

// maxPause bounds the time that a server asks to wait for.
const maxPause = 20 * time.Second

// stall is how long a server may send nothing.
var stall = time.Minute

// newClient is a client that keeps many connections, as several pictures are read at once.
func newClient(dial func(ctx context.Context, network, addr string) (net.Conn, error)) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32
	t.ResponseHeaderTimeout = stall
	t.DisableCompression = true // offsets are those of the object itself
	if dial != nil {
		t.DialContext, t.Proxy = dial, nil
	}
	return &http.Client{Transport: t}
}

// stream is a download that goes on where it was when a connection breaks.
type stream struct {
	*remote
	ctx    context.Context
	name   string
	at     int64 // the offset of the next byte
	end    int64 // where it ends, -1 for the object's end
	size   int64 // of the object, -1 until it is known
	tag    string
	whole  bool // the server sent the whole object though a part was asked for
	failed int  // tries since the last byte came
	body   io.ReadCloser
	stop   func()
}

// open starts a download of the bytes from offset to end (-1: to the object's end).
func (r *remote) open(ctx context.Context, name string, offset, end int64) (*stream, error) {
	s := &stream{remote: r, ctx: ctx, name: name, at: offset, end: end, size: -1}
	return s, s.connect()
}

// Read reads on. It tries again where a server may recover; its errors name the object.
func (s *stream) Read(p []byte) (int, error) {
	for {
		if s.end >= 0 && s.at >= s.end {
			return 0, io.EOF
		}
		if s.body == nil {
			if err := s.connect(); err != nil {
				return 0, err
			}
		}
		n, err := s.body.Read(p)
		s.at += int64(n)
		if n > 0 {
			s.failed = 0
		}
		switch {
		case n > 0:
			return n, nil // an error comes again
		case err == nil:
			continue
		case errors.Is(err, io.EOF) && (s.end < 0 || s.at >= s.end):
			return 0, io.EOF
		case errors.Is(err, io.EOF):
			err = io.ErrUnexpectedEOF
		}
		s.Close()
		if err := s.again(fmt.Errorf("%s: the connection ended after %d bytes: %w", s.about(s.name), s.at, err), 0); err != nil {
			return 0, err
		}
	}
}

// Close ends the download.
func (s *stream) Close() error {
	if s.body != nil {
		s.body.Close()
		s.stop()
		s.body = nil
	}
	return nil
}

// connect asks for the bytes that are missing, several times if need be.
func (s *stream) connect() error {
	for {
		wait, err := s.ask()
		if err == nil {
			return nil
		}
		if err := s.again(err, wait); err != nil {
			return err
		}
	}
}

// again waits before the next try, or returns why there is none.
func (s *stream) again(err error, wait time.Duration) error {
	s.failed++
	return sleepBefore(s.ctx, s.failed, err, wait)
}

// ask makes one request. wait is how long the server asks to wait.
func (s *stream) ask() (wait time.Duration, err error) {
	ctx, cancel := context.WithCancel(s.ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.locate(s.name), nil)
	if err != nil {
		cancel()
		return 0, fmt.Errorf("%s: %w", s.about(s.name), err)
	}
	if s.at > 0 || s.end >= 0 {
		last := ""
		if s.end >= 0 {
			last = strconv.FormatInt(s.end-1, 10)
		}
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-%s", s.at, last))
	}
	response, err := s.client.Do(request)
	if err != nil {
		cancel()
		return 0, s.transport(s.name, err)
	}
	if err = s.accept(response); err != nil {
		response.Body.Close()
		cancel()
		return retryAfter(response), err
	}
	watch := time.AfterFunc(stall, cancel)
	s.body, s.stop = &watched{response.Body, watch}, func() { watch.Stop(); cancel() }
	return 0, nil
}

// accept checks that a response has the bytes that were asked for.
func (s *stream) accept(r *http.Response) error {
	size := r.ContentLength
	switch r.StatusCode {
	case http.StatusOK:
		s.whole = true
		if s.at > 0 {
			// Without ranges, what was read or isn't wanted is read past.
			if _, err := io.CopyN(io.Discard, r.Body, s.at); err != nil {
				return temporary{fmt.Errorf("%s: it ends at byte %d or before", s.about(s.name), s.at)}
			}
		}
	case http.StatusPartialContent:
		var ok bool
		if size, ok = rangeSize(r.Header.Get("Content-Range"), s.at); !ok {
			return fmt.Errorf("%s: asked for bytes from %d, the server sent %q", s.about(s.name), s.at, r.Header.Get("Content-Range"))
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%s: %w, byte %d", s.about(s.name), errPastEnd, s.at)
	default:
		return s.status(s.name, r)
	}
	tag := r.Header.Get("ETag")
	if s.size >= 0 && (size != s.size || tag != s.tag) {
		return fmt.Errorf("%s: it changed while it was read", s.about(s.name))
	}
	s.size, s.tag = size, tag
	if s.end < 0 && size >= 0 {
		s.end = size
	}
	return nil
}

// errPastEnd is the error of a request for bytes that an object doesn't have.
var errPastEnd = errors.New("it ends before the bytes that are asked for")

// rangeSize reads a Content-Range that begins at offset and returns the object's size, -1 if
// the server doesn't say it.
func rangeSize(header string, offset int64) (size int64, ok bool) {
	rest, ok := strings.CutPrefix(header, "bytes "+strconv.FormatInt(offset, 10)+"-")
	if !ok {
		return 0, false
	}
	_, total, ok := strings.Cut(rest, "/")
	if total == "*" {
		return -1, ok
	}
	size, err := strconv.ParseInt(total, 10, 64)
	return size, ok && err == nil && size >= offset
}

// watched stops a download that stands still.
type watched struct {
	io.ReadCloser
	timer *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(stall)
	return w.ReadCloser.Read(p)
}

// temporary marks an error after which another try may succeed.
type temporary struct{ error }

func (t temporary) Unwrap() error { return t.error }

// transport is the error of a request that got no response.
func (r *remote) transport(name string, err error) error {
	if at := (interface{ Unwrap() error })(nil); errors.As(err, &at) {
		err = at.Unwrap() // without the URL, which may hold secrets
	}
	err = fmt.Errorf("%s: %w", r.about(name), err)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return temporary{err}
}

// maxMessage bounds what is shown of a server's answer.
const maxMessage = 500

// status is the error that a response's status means.
func (r *remote) status(name string, response *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxMessage))
	says := ""
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain") {
		says = ": " + strings.TrimSpace(string(text))
	}
	code := response.StatusCode
	switch code {
	case http.StatusNotFound, http.StatusGone:
		return &objectError{r.about(name), "it isn't there" + says, fs.ErrNotExist}
	case http.StatusUnauthorized, http.StatusForbidden:
		return &objectError{r.about(name), "access is refused; check the credentials" + says, fs.ErrPermission}
	case http.StatusPreconditionFailed:
		return &objectError{r.about(name), "it exists already" + says, fs.ErrExist}
	}
	if code == bucketserver.StatusFailed {
		return fmt.Errorf("%s%s", r.about(name), says)
	}
	err := fmt.Errorf("%s: the server answers %s%s", r.about(name), response.Status, says)
	switch code {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return temporary{err}
	}
	return err
}

// objectError is an error about an object that also is one of package fs.
type objectError struct {
	object, text string
	kind         error
}

func (e *objectError) Error() string { return e.object + ": " + e.text }
func (e *objectError) Unwrap() error { return e.kind }

// retryAfter is how long a server asks to wait, 0 if it doesn't.
func retryAfter(r *http.Response) time.Duration {
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxPause)
}

// sleepBefore waits before another try after the given number of failures. It returns err
// if another try makes no sense.
func sleepBefore(ctx context.Context, failures int, err error, wait time.Duration) error {
	var t temporary
	if !errors.As(err, &t) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.Canceled) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failures >= tries {
		return fmt.Errorf("%w (tried %d times)", err, failures)
	}
	if wait == 0 {
		wait = pause << (failures - 1)
		wait += time.Duration(rand.Int64N(int64(wait)/2 + 1)) // so that many workers don't come at once
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Read reads a whole object.
func (r *remote) Read(ctx context.Context, name string) ([]byte, error) {
	s, err := r.open(ctx, name, 0, -1)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if s.size > maxRead {
		return nil, fmt.Errorf("%s: %d bytes, and only %d are read at once", r.about(name), s.size, maxRead)
	}
	if s.size >= 0 {
		data := make([]byte, s.size)
		_, err := io.ReadFull(s, data)
		return data, err
	}
	data, err := io.ReadAll(io.LimitReader(s, maxRead+1))
	if err == nil && len(data) > maxRead {
		err = fmt.Errorf("%s: more than %d bytes", r.about(name), maxRead)
	}
	return data, err
}

// Stream opens an object that is read from its beginning on.
func (r *remote) Stream(ctx context.Context, name string) (io.ReadCloser, error) {
	s, err := r.open(ctx, name, 0, -1)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ReaderAt opens an object by reading its first byte, which tells its size and whether the
// server sends parts.
func (r *remote) ReaderAt(ctx context.Context, name string) (File, error) {
	s, err := r.open(ctx, name, 0, 1)
	if err != nil {
		if errors.Is(err, errPastEnd) { // an empty object has no first byte
			return &object{remote: r, ctx: ctx, name: name}, nil
		}
		return nil, err
	}
	defer s.Close()
	if s.size < 0 {
		return nil, fmt.Errorf("%s: the server doesn't say how large it is, so parts of it can't be read: download it first", r.about(name))
	}
	if s.whole && s.size > 1 {
		return nil, fmt.Errorf("%s: the server doesn't send parts of files (no Range requests): download it first", r.about(name))
	}
	return &object{remote: r, ctx: ctx, name: name, size: s.size, tag: s.tag}, nil
}

// object is an object of which parts are read.
type object struct {
	*remote
	ctx  context.Context
	name string
	size int64
	tag  string
}

func (o *object) Size() int64  { return o.size }
func (o *object) Close() error { return nil }

func (o *object) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("%s: offset %d is negative", o.about(o.name), offset)
	}
	want := min(int64(len(p)), o.size-offset)
	if want <= 0 {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	s := &stream{remote: o.remote, ctx: o.ctx, name: o.name, at: offset, end: offset + want, size: o.size, tag: o.tag}
	defer s.Close()
	n, err := io.ReadFull(s, p[:want])
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}
