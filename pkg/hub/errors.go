package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// What a failed download failed at; use errors.Is.
var (
	// ErrUnreachable: the server couldn't be reached, or kept failing.
	ErrUnreachable = errors.New("server not reachable")
	// ErrRefused: the server answered that it doesn't give this file (404, 401,
	// a web page instead of the file …).
	ErrRefused = errors.New("refused by the server")
	// ErrChecksum: what came is not the file that was expected.
	ErrChecksum = errors.New("wrong content")
)

// errMissing: the server has no such file, which is an [ErrRefused], too.
var errMissing = errors.New("it has no such file")

// transient is a failure that the next attempt may not meet.
type transient struct {
	err   error
	wait  time.Duration // how long the server asks to wait, 0 if it doesn't
	quick bool          // the server wasn't even found: don't try for long
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

// statusError is the error for an answer other than 200 and 206.
func statusError(resp *http.Response, now time.Time) error {
	code := resp.StatusCode
	what := fmt.Sprintf("%d %s", code, http.StatusText(code))
	switch {
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		return &transient{err: fmt.Errorf("the server answered %s", what), wait: retryAfter(resp.Header.Get("Retry-After"), now)}
	case code == http.StatusNotFound, code == http.StatusGone:
		return fmt.Errorf("%w: %w (%s); was it renamed, or is the endpoint of a mirror wrong?", ErrRefused, errMissing, what)
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired:
		return fmt.Errorf("%w: it wants a login, or a proxy in between forbids it (%s)", ErrRefused, what)
	}
	return fmt.Errorf("%w: it answered %s", ErrRefused, what)
}
