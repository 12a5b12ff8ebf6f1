package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"
)

// Download describes a file to fetch and its destination.
type Download struct {
	URL    string
	Path   string // the folder must exist
	Size   int64  // bytes, 0 if not known
	SHA256 string // in hexadecimal, "" if not known: then the server's declared one is checked

	Progress func(Progress) // may be nil; called from the caller's goroutine
	Log      func(string)   // may be nil; gets messages about retries and restarts

	Client   *http.Client  // nil: one with the usual proxy settings and no overall time limit
	Attempts int           // give up after this many consecutive failures without progress; 0: 5
	Stall    time.Duration // drop a connection after this time without data; 0: 30 s
	Backoff  time.Duration // pause before the first retry, doubled for each further one; 0: 0.5 s
}

// Downloaded describes a fetched file.
type Downloaded struct {
	Size    int64
	SHA256  string
	ETag    string // as the server gave it, "" if it didn't
	Resumed int64  // bytes taken from an earlier, unfinished download
}

// errChanged: the file on the server is no longer the one that the partial download
// began with.
var errChanged = errors.New("the file on the server has changed")

// Fetch downloads a file. It resumes a partial download that an earlier, interrupted
// call left beside d.Path (`.part`, with its state in `.part.json`). It retries temporary
// failures (a cut or stalled connection, 5xx, 429) and honours Retry-After. It checks the
// length and the SHA-256 as the bytes arrive, and gives the file its name only if they
// are right. If ctx ends or the disk is full, the partial download is kept for the next
// call.
//
// The caller must ensure that no other process fetches to the same path.
func Fetch(ctx context.Context, d Download) (Downloaded, error) {
	d = d.withDefaults()
	shown := d.URL
	if u, err := url.Parse(d.URL); err == nil {
		shown = u.Redacted()
	}
	got, err := d.fetch(ctx)
	if err != nil {
		if d.SHA256 == "" && errors.Is(err, ErrChecksum) {
			err = fmt.Errorf("%w (compared with what the server declares)", err)
		}
		return Downloaded{}, fmt.Errorf("hub: fetching %s: %w", shown, err)
	}
	return got, nil
}

func (d Download) withDefaults() Download {
	if d.Client == nil {
		d.Client = sharedClient
	}
	if d.Attempts <= 0 {
		d.Attempts = 5
	}
	if d.Stall <= 0 {
		d.Stall = 30 * time.Second
	}
	if d.Backoff <= 0 {
		d.Backoff = 500 * time.Millisecond
	}
	if d.Log == nil {
		d.Log = func(string) {}
	}
	return d
}

// sharedClient has no overall time limit, because a large file may take hours; a stalled
// connection is detected by the time since the last byte.
var sharedClient = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
	TLSHandshakeTimeout:   15 * time.Second,
	ForceAttemptHTTP2:     true,
	DisableKeepAlives:     true, // for a few large files they gain nothing, and would leave connections open
	ResponseHeaderTimeout: time.Minute,
}}

func (d Download) fetch(ctx context.Context) (Downloaded, error) {
	part := partial{d.Path}
	resumed, _ := part.load(d.URL)
	for failures, restarts := 0, 0; ; {
		before, _ := part.load(d.URL)
		got, err := d.attempt(ctx, part)
		if err == nil {
			got.Resumed = resumed
			return got, nil
		}
		if ctx.Err() != nil {
			return Downloaded{}, ctx.Err()
		}
		// A partial download that turned out wrong is discarded once; if it
		// happens again, another restart wouldn't help.
		if errors.Is(err, errChanged) || errors.Is(err, ErrChecksum) {
			if derr := part.discard(); derr != nil {
				return Downloaded{}, errors.Join(err, derr)
			}
			restarts++
			if errors.Is(err, ErrChecksum) && before == 0 || restarts > 2 {
				return Downloaded{}, err
			}
			resumed = 0
			d.Log(fmt.Sprintf("%s: %v: starting again from the beginning", filepath.Base(d.Path), err))
			continue
		}
		var t *transient
		if !errors.As(err, &t) {
			return Downloaded{}, err
		}
		failures++
		if after, _ := part.load(d.URL); after > before {
			failures = 1
		}
		if failures >= d.Attempts || t.quick && failures >= 2 {
			return Downloaded{}, fmt.Errorf("%w (gave up after %d attempts): %w", ErrUnreachable, failures, t.err)
		}
		pause := max(backoff(d.Backoff, failures), t.wait)
		if pause > 10*time.Minute {
			return Downloaded{}, fmt.Errorf("%w: it asks to retry in %s: %w", ErrUnreachable, pause, t.err)
		}
		d.Log(fmt.Sprintf("%s: %v: trying again in %s", filepath.Base(d.Path), t.err, pause))
		if err := sleep(ctx, pause); err != nil {
			return Downloaded{}, err
		}
	}
}
