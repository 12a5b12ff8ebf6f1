package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Kinds of download errors, for errors.Is.
var (
	// ErrUnreachable: the server couldn't be reached, or kept failing.
	ErrUnreachable = errors.New("server not reachable")
	// ErrRefused: the server answered, but not with this file (404, 401, a web page
	// instead of the file …).
	ErrRefused = errors.New("refused by the server")
	// ErrChecksum: the downloaded file is not the expected one.
	ErrChecksum = errors.New("wrong content")
)

// errMissing: the server has no such file; such an error is also an [ErrRefused].
var errMissing = errors.New("it has no such file")

// transient is a failure that a retry may overcome.
type transient struct {
	err   error
	wait  time.Duration // the wait that the server asks for, 0 if none
	quick bool          // the server wasn't found at all: give up sooner
}

func (t *transient) Error() string { return t.err.Error() }
func (t *transient) Unwrap() error { return t.err }

// requestError classifies an error of http.Client.Do or of reading a body.
func requestError(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var dial *net.OpError
	var dns *net.DNSError
	quick := errors.As(err, &dns) || errors.As(err, &dial) && dial.Op == "dial"
	return &transient{err: err, quick: quick}
}

// statusError is the error for a status other than 200 and 206.
func statusError(resp *http.Response, now time.Time) error {
	code := resp.StatusCode
	what := fmt.Sprintf("%d %s", code, http.StatusText(code))
	switch {
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		return &transient{err: fmt.Errorf("the server answered %s", what), wait: retryAfter(resp.Header.Get("Retry-After"), now)}
	case code == http.StatusNotFound, code == http.StatusGone:
		return fmt.Errorf("%w: %w (%s); it may have been renamed, or the address of a mirror may be wrong", ErrRefused, errMissing, what)
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		return fmt.Errorf("%w: it requires a login, or a proxy forbids access (%s)", ErrRefused, what)
	}
	return fmt.Errorf("%w: it answered %s", ErrRefused, what)
}
