package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gaze/internal/environ"
	"gaze/internal/filelock"
)

// Options of [Pull]. The zero value suits most uses.
type Options struct {
	Progress func(Progress) // may be nil
	Log      func(string)   // may be nil; gets messages about waits and retries
	Verify   bool           // for files already in the cache, compare checksums as well as sizes

	// For tests and unusual networks, as in [Download].
	Client   *http.Client
	Attempts int
	Stall    time.Duration
	Backoff  time.Duration
}

func (o Options) log(format string, args ...any) {
	if o.Log != nil {
		o.Log(fmt.Sprintf(format, args...))
	}
}

func (o Options) download(u, path string) Download {
	return Download{
		URL: u, Path: path, Progress: o.Progress, Log: o.Log, Client: o.Client,
		Attempts: o.Attempts, Stall: o.Stall, Backoff: o.Backoff,
	}
}

// Result describes the files that [Pull] put into the cache.
type Result struct {
	Record        // the checkpoint's files and source
	Dir    string // the folder
	Path   string // the file to open
	Cached bool   // it was already in the cache
}

// Pull fetches a checkpoint into the cache: one of the catalogue, or any Hugging Face
// repository ([Find] lists the forms of a name). If it is already there, Pull returns at
// once; an interrupted download is resumed. If another process is fetching the same
// checkpoint, Pull waits for it.
//
// If its host can't be reached or refuses, the error offers another checkpoint that may
// serve ([Checkpoint].Instead); none is ever fetched under another's name.
func Pull(ctx context.Context, name string, o Options) (Result, error) {
	environ.WarnOnce(os.Stderr)
	c, ok := Find(name)
	if !ok {
		return Result{}, unknown(name, fmt.Sprintf("no checkpoint is called %q", name))
	}
	dir, err := c.dir()
	if err != nil {
		return Result{}, err
	}
	if c.Host == Shipped {
		return c.unpack(dir)
	}
	if err := moveImgFocus(ctx, c, o); err != nil {
		return Result{}, err
	}
	if r, ok := c.cached(dir, o.Verify); ok {
		return r, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Result{}, fmt.Errorf("hub: making the cache folder (GAZE_CACHE sets another): %w", err)
	}
	release, err := filelock.Lock(ctx, filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".lock"), func() {
		o.log("%s: another process is fetching it, waiting", c.Name)
	})
	if err != nil {
		return Result{}, err
	}
	defer release()
	if r, ok := c.cached(dir, o.Verify); ok { // the other process fetched it
		return r, nil
	}
	r, err := c.bring(ctx, dir, o)
	if err != nil {
		return Result{}, err
	}
	if err := r.write(dir); err != nil {
		return Result{}, err
	}
	got, ok := c.cached(dir, false)
	if !ok {
		return Result{}, fmt.Errorf("hub: %s: the fetched files were removed meanwhile; fetch them again", dir)
	}
	got.Cached = false
	return got, nil
}

// cached returns the result for a checkpoint that is completely in the cache.
func (c Checkpoint) cached(dir string, full bool) (Result, bool) {
	r, err := readRecord(dir)
	if err != nil || r.Name != c.Name || r.Source == imgFocusSource && c.Name != ImgFocusName || r.check(dir, full) != nil {
		return Result{}, false
	}
	open := r.Files[0].Name
	if len(c.Files) > 0 {
		open = c.Files[0].Name
	}
	if !r.has(open) {
		return Result{}, false
	}
	return Result{Record: r, Dir: dir, Path: filepath.Join(dir, open), Cached: true}, true
}

// bring fetches the files from their host.
func (c Checkpoint) bring(ctx context.Context, dir string, o Options) (Record, error) {
	if c.unwheel != nil {
		return c.unwheel(ctx, c, dir, o)
	}
	if c.from != nil {
		return c.fetchRepository(ctx, dir, o)
	}
	r, err := c.fetch(ctx, dir, o)
	if errors.Is(err, ErrUnreachable) || errors.Is(err, ErrRefused) {
		if offer := c.offer(); offer != "" {
			err = fmt.Errorf("%w; %s", err, offer)
		}
	}
	return r, err
}

// offer names the checkpoint that may serve where this one can't be had, "" if there is
// none.
func (c Checkpoint) offer() string {
	other, ok := Lookup(c.Instead)
	if !ok {
		return ""
	}
	return fmt.Sprintf("where %s can't be had, `gaze pull %s` fetches another model of the same shape from %s: a %s", c.Name, other.Name, other.Host, other.Title)
}

// fetch downloads the missing files, small ones first, so that a refusing repository is
// noticed at once.
func (c Checkpoint) fetch(ctx context.Context, dir string, o Options) (Record, error) {
	if err := checkEndpoint(c.Host); err != nil {
		return Record{}, err
	}
	r := Record{Name: c.Name, Source: fmt.Sprintf("%s, %s at %s", c.Host, c.Repo, c.Revision), License: c.License, Page: c.Page}
	files := slices.Clone(c.Files)
	slices.Reverse(files)
	for _, f := range files {
		d := o.download(c.url(f), filepath.Join(dir, f.Name))
		d.Size, d.SHA256 = f.Size, f.SHA256
		got, err := Fetch(ctx, d)
		if err != nil {
			return Record{}, err
		}
		r.Files = append(r.Files, RecordFile{Name: f.Name, Size: got.Size, SHA256: got.SHA256, URL: withoutLogin(d.URL)})
	}
	slices.Reverse(r.Files)
	return r, nil
}

// withoutLogin removes user, password and query from a URL.
func withoutLogin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}

func fileSHA256(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
