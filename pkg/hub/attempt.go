package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// attempt makes one request and stores the bytes that arrive.
func (d Download) attempt(ctx context.Context, part partial) (Downloaded, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errStall := &transient{err: fmt.Errorf("no data arrived for %s", d.Stall)}
	watch := time.AfterFunc(d.Stall, func() { cancel(errStall) })
	defer watch.Stop()

	have, state := part.load(d.URL)
	if !d.canResume(state) {
		have, state = 0, partState{}
	}
	got, err := d.request(ctx, part, have, state, func() { watch.Reset(d.Stall) })
	if cause := context.Cause(ctx); cause == errStall && err != nil {
		return Downloaded{}, errStall
	}
	return got, err
}

// canResume reports whether a partial download can be continued. That needs a way to
// tell that the rest belongs to the same file.
func (d Download) canResume(s partState) bool {
	if d.Size > 0 && s.Size > 0 && d.Size != s.Size {
		return false
	}
	return d.SHA256 != "" || strongETag(s.ETag)
}

func (d Download) request(ctx context.Context, part partial, have int64, state partState, alive func()) (got Downloaded, err error) {
	if size := max(d.Size, state.Size); have > 0 && have == size {
		// All bytes are there, but an earlier process ended before renaming the file.
		if f, err := part.open(have); err == nil {
			return d.complete(part, f, answer{etag: state.ETag, size: size, sha256: d.SHA256}, sha256.New(), have, 0)
		}
	}
	resp, err := d.send(ctx, have, state)
	if err != nil {
		return Downloaded{}, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	a, err := d.judge(resp, have, state)
	if err != nil {
		return Downloaded{}, err
	}
	if err := part.save(partState{URL: d.URL, ETag: a.etag, Size: a.size}); err != nil {
		return Downloaded{}, err
	}
	f, err := part.open(a.start)
	if err != nil {
		return Downloaded{}, err
	}
	sum := sha256.New()
	if a.start > 0 {
		if err := hashPrefix(ctx, f, a.start, sum, alive); err != nil {
			return Downloaded{}, errors.Join(err, f.Close())
		}
	}
	n, err := d.receive(resp.Body, f, sum, a, alive)
	if err != nil {
		return Downloaded{}, errors.Join(err, f.Close())
	}
	return d.complete(part, f, a, sum, 0, a.start+n)
}

func (d Download) send(ctx context.Context, have int64, state partState) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "gaze")
	req.Header.Set("Accept-Encoding", "identity") // so that lengths and ranges refer to the file itself
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		if strongETag(state.ETag) {
			req.Header.Set("If-Range", state.ETag)
		}
	}
	resp, err := d.Client.Do(req)
	if err != nil {
		return nil, requestError(err)
	}
	return resp, nil
}

// hashPrefix adds the bytes fetched earlier to sum.
func hashPrefix(ctx context.Context, f *os.File, n int64, sum hash.Hash, alive func()) error {
	buf := make([]byte, 1<<20)
	r := io.NewSectionReader(f, 0, n)
	for {
		alive()
		if err := ctx.Err(); err != nil {
			return err
		}
		k, err := r.Read(buf)
		sum.Write(buf[:k])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// receive appends the body to f and sum and returns the number of bytes.
func (d Download) receive(body io.Reader, f *os.File, sum hash.Hash, a answer, alive func()) (n int64, err error) {
	m := newMeter(d.Progress, filepath.Base(d.Path), a.start, a.size)
	buf := make([]byte, 128<<10)
	for {
		k, rerr := body.Read(buf)
		if k > 0 {
			alive()
			if n == 0 && a.start == 0 && looksLikeHTML(buf[:k]) && !isHTMLName(d.Path) {
				return 0, fmt.Errorf("%w: it sent a web page instead of the file (perhaps a login page)", ErrRefused)
			}
			if a.size > 0 && a.start+n+int64(k) > a.size {
				return n, fmt.Errorf("%w: the server sent more than the expected %d bytes", ErrChecksum, a.size)
			}
			if _, err := f.Write(buf[:k]); err != nil {
				return n, err
			}
			sum.Write(buf[:k])
			n += int64(k)
			m.at(a.start+n, rerr != nil)
		}
		switch {
		case rerr == nil:
		case errors.Is(rerr, io.EOF) && (a.size == 0 || a.start+n == a.size):
			return n, nil
		case errors.Is(rerr, io.EOF), errors.Is(rerr, io.ErrUnexpectedEOF):
			return n, &transient{err: fmt.Errorf("the connection ended after %d of %d bytes", a.start+n, a.size)}
		default:
			return n, requestError(rerr)
		}
	}
}

// complete checks a completely downloaded file and renames it. unhashed is the number
// of bytes not yet added to sum.
func (d Download) complete(part partial, f *os.File, a answer, sum hash.Hash, unhashed, size int64) (Downloaded, error) {
	if unhashed > 0 {
		if err := hashPrefix(context.Background(), f, unhashed, sum, func() {}); err != nil {
			return Downloaded{}, errors.Join(err, f.Close())
		}
		size = unhashed
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return Downloaded{}, err
	}
	got := Downloaded{Size: size, SHA256: hex.EncodeToString(sum.Sum(nil)), ETag: a.etag}
	if a.sha256 != "" && got.SHA256 != a.sha256 {
		return Downloaded{}, fmt.Errorf("%w: SHA-256 is %s, expected %s", ErrChecksum, got.SHA256, a.sha256)
	}
	if a.gitBlob != "" {
		if id, err := gitBlobID(part.data(), size); err != nil || id != a.gitBlob {
			return Downloaded{}, errors.Join(err, fmt.Errorf("%w: its git id is %s, expected %s", ErrChecksum, id, a.gitBlob))
		}
	}
	return got, part.finish()
}
