package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// body is a file of n varying bytes.
func body(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func sumOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// server serves content with faults. Each request takes the next behaviour; after the
// last one the server works correctly.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	content  []byte
	etag     string
	header   http.Header // added to every answer
	next     []behaviour
	requests []*http.Request
	release  chan struct{} // closed at the end: lets stalled requests go
}

type behaviour func(s *server, w http.ResponseWriter, r *http.Request)

func serve(t *testing.T, content []byte, next ...behaviour) *server {
	t.Helper()
	s := &server{content: content, etag: `"v1"`, next: next, header: http.Header{}, release: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		b := behaviour(whole)
		if len(s.next) > 0 {
			b, s.next = s.next[0], s.next[1:]
		}
		s.mu.Unlock()
		for k, v := range s.header {
			w.Header()[k] = v
		}
		b(s, w, r)
	}))
	t.Cleanup(func() { close(s.release); s.Close() })
	return s
}

// whole answers correctly: ranges, If-Range, ETag.
func whole(s *server, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", s.etag)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(s.content)))
}

// cut sends the headers of the whole answer but only n bytes of the body.
func cut(n int) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		start := startOf(r)
		w.Header().Set("ETag", s.etag)
		w.Header().Set("Content-Length", strconv.Itoa(len(s.content)-start))
		if start > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(s.content)-1, len(s.content)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(s.content[start : start+n])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// stall sends n bytes and then nothing more.
func stall(n int) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", s.etag)
		w.Header().Set("Content-Length", strconv.Itoa(len(s.content)))
		w.Write(s.content[:n])
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-s.release:
		}
	}
}

// long declares more bytes than there are.
func long(more int) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		if startOf(r) >= len(s.content) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("ETag", s.etag)
		w.Header().Set("Content-Length", strconv.Itoa(len(s.content)+more))
		w.Write(s.content)
		panic(http.ErrAbortHandler)
	}
}

// short declares and sends fewer bytes than there are.
func short(n int) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(n))
		w.Write(s.content[:n])
	}
}

// chunked doesn't declare a length.
func chunked(extra int) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		w.Write(s.content)
		w.(http.Flusher).Flush()
		w.Write(make([]byte, extra))
	}
}

// deaf ignores range requests.
func deaf(s *server, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", s.etag)
	w.Write(s.content)
}

// shifted sends a range other than the requested one.
func shifted(s *server, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", s.etag)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes 1-%d/%d", len(s.content)-1, len(s.content)))
	w.WriteHeader(http.StatusPartialContent)
	w.Write(s.content[1:])
}

func status(code int, retryAfter string) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(code)
	}
}

func login(kind string) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write([]byte("\n<!DOCTYPE html><title>Log in</title>"))
	}
}

// changed replaces the file before it answers.
func changed(content []byte, etag string, then behaviour) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		s.content, s.etag = content, etag
		then(s, w, r)
	}
}

// mixed answers a range request with bytes of a different file.
func mixed(content []byte, etag string) behaviour {
	return func(s *server, w http.ResponseWriter, r *http.Request) {
		start := startOf(r)
		s.content = content
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(content[start:])
	}
}

func startOf(r *http.Request) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"))
	return n
}

// to is a download with short timeouts, but long enough that a busy machine isn't
// mistaken for a stalled server.
func (s *server) to(path string) Download {
	return Download{
		URL: s.URL + "/w.bin", Path: path, Client: s.Client(),
		Stall: 2 * time.Second, Backoff: time.Millisecond, Attempts: 3,
	}
}

func TestFetch(t *testing.T) {
	content := body(300_000)
	other := body(300_000)
	other[250_000]++
	sum := sumOf(content)
	for name, c := range map[string]struct {
		next   []behaviour
		size   int64
		sha256 string
		etag   string // of the server, `"v1"` if empty
		want   error  // nil: content must arrive
		text   string // in the error
		asked  int    // requests, 0: don't care
	}{
		"plain":                           {asked: 1},
		"known":                           {size: 300_000, sha256: sum, asked: 1},
		"cut, then the rest":              {next: []behaviour{cut(100_000)}, asked: 2},
		"cut often":                       {next: []behaviour{cut(50_000), cut(50_000), cut(50_000), cut(50_000), cut(50_000)}, asked: 6},
		"cut without a byte, too often":   {next: []behaviour{cut(0), cut(0), cut(0), cut(0)}, want: ErrUnreachable, asked: 3},
		"cut, weak tag: anew":             {next: []behaviour{cut(100_000)}, etag: `W/"v1"`, asked: 2},
		"cut, weak tag, checksum known":   {next: []behaviour{cut(100_000)}, etag: `W/"v1"`, sha256: sum, asked: 2},
		"stalls":                          {next: []behaviour{stall(100_000)}, asked: 2},
		"stalls before the first byte":    {next: []behaviour{stall(0)}, asked: 2},
		"declares too many bytes":         {next: []behaviour{long(7), long(7), long(7), long(7), long(7), long(7), long(7), long(7), long(7)}, want: errChanged, text: "shorter than it declared"},
		"declares too many, size known":   {next: []behaviour{long(7)}, size: 300_000, want: ErrChecksum, text: "declares 300007 bytes"},
		"declares too few, size known":    {next: []behaviour{short(1000)}, size: 300_000, want: ErrChecksum, text: "declares 1000 bytes, expected 300000"},
		"declares too few, checksum":      {next: []behaviour{short(1000)}, sha256: sum, want: ErrChecksum, text: "SHA-256"},
		"no length":                       {next: []behaviour{chunked(0)}},
		"no length, too many bytes":       {next: []behaviour{chunked(9)}, size: 300_000, want: ErrChecksum, text: "more than the expected 300000"},
		"wrong content":                   {sha256: sumOf(other), want: ErrChecksum, asked: 1},
		"ignores ranges":                  {next: []behaviour{cut(100_000), deaf}, asked: 2},
		"sends another range":             {next: []behaviour{cut(100_000), shifted}, asked: 3},
		"mixes two files":                 {next: []behaviour{cut(100_000), mixed(other, `"v1"`), changed(content, `"v1"`, whole)}, sha256: sum, asked: 3},
		"mixes two files, tag tells":      {next: []behaviour{cut(100_000), mixed(other, `"v2"`), changed(content, `"v2"`, whole)}, asked: 3},
		"new file between attempts":       {next: []behaviour{func(s *server, w http.ResponseWriter, r *http.Request) { s.content = other; cut(100_000)(s, w, r) }, changed(content, `"v2"`, whole)}, asked: 2},
		"404":                             {next: []behaviour{status(404, "")}, want: ErrRefused, text: "no such file (404 Not Found)", asked: 1},
		"403":                             {next: []behaviour{status(403, "")}, want: ErrRefused, text: "login", asked: 1},
		"418":                             {next: []behaviour{status(418, "")}, want: ErrRefused, asked: 1},
		"503, then well":                  {next: []behaviour{status(503, ""), status(502, "")}, asked: 3},
		"503 for good":                    {next: []behaviour{status(503, ""), status(503, ""), status(503, "")}, want: ErrUnreachable, text: "503", asked: 3},
		"429 with a wish":                 {next: []behaviour{status(429, "1")}, asked: 2},
		"429 with a long wish":            {next: []behaviour{status(429, "7200")}, want: ErrUnreachable, text: "retry in 2h", asked: 1},
		"login page":                      {next: []behaviour{login("text/html; charset=utf-8")}, want: ErrRefused, text: "web page", asked: 1},
		"login page under another type":   {next: []behaviour{login("application/octet-stream")}, want: ErrRefused, text: "web page", asked: 1},
		"416 without a reason, then well": {next: []behaviour{cut(100_000), status(416, "")}, asked: 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, content, c.next...)
			if c.etag != "" {
				s.etag = c.etag
			}
			path := filepath.Join(t.TempDir(), "w.bin")
			d := s.to(path)
			d.Size, d.SHA256 = c.size, c.sha256
			got, err := Fetch(t.Context(), d)
			if c.asked != 0 && len(s.requests) != c.asked {
				t.Errorf("%d requests, want %d", len(s.requests), c.asked)
			}
			if c.want != nil {
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
					t.Errorf("error %v, want %v with %q", err, c.want, c.text)
				}
				if _, err := os.Stat(path); err == nil {
					t.Error("a file is there all the same")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil || sumOf(data) != sum || got.SHA256 != sum || got.Size != int64(len(content)) {
				t.Errorf("%d bytes, %v, %+v; want the %d of the server", len(data), err, got, len(content))
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
				t.Errorf("files left: %v", left)
			}
		})
	}
}

// TestFetchAsksForTheRest checks the request that resumes a download.
func TestFetchAsksForTheRest(t *testing.T) {
	s := serve(t, body(10_000), cut(4_000))
	if _, err := Fetch(t.Context(), s.to(filepath.Join(t.TempDir(), "w.bin"))); err != nil {
		t.Fatal(err)
	}
	h := s.requests[1].Header
	if h.Get("Range") != "bytes=4000-" || h.Get("If-Range") != `"v1"` || h.Get("Accept-Encoding") != "identity" {
		t.Errorf("the second request's headers: %v", h)
	}
}

// TestFetchAfterKill is interrupted in the middle, as by Ctrl-C, and resumes in a later call.
func TestFetchAfterKill(t *testing.T) {
	content := body(400_000)
	s := serve(t, content, stall(300_000))
	path := filepath.Join(t.TempDir(), "w.bin")
	ctx, cancel := context.WithCancel(t.Context())
	d := s.to(path)
	d.Stall = time.Minute
	d.Progress = func(p Progress) {
		if p.Done > 0 {
			cancel()
		}
	}
	stop := time.AfterFunc(500*time.Millisecond, cancel) // all may come before the first report
	defer stop.Stop()
	if _, err := Fetch(ctx, d); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Fatal("half a file has the file's name")
	}
	part, err := os.Stat(path + ".part")
	if err != nil || part.Size() == 0 {
		t.Fatalf("no partial download stayed: %v", err)
	}
	got, err := Fetch(t.Context(), s.to(path))
	if err != nil || got.Resumed != part.Size() || got.SHA256 != sumOf(content) {
		t.Errorf("%+v, %v; want %d bytes resumed", got, err, part.Size())
	}
}

// TestFetchCompletePart: killed between the last byte and the renaming.
func TestFetchCompletePart(t *testing.T) {
	content := body(5_000)
	s := serve(t, content)
	path := filepath.Join(t.TempDir(), "w.bin")
	d := s.to(path)
	p := partial{path}
	if err := errors.Join(p.save(partState{URL: d.URL, ETag: `"v1"`, Size: 5_000}), os.WriteFile(p.data(), content, 0o644)); err != nil {
		t.Fatal(err)
	}
	got, err := Fetch(t.Context(), d)
	if err != nil || got.SHA256 != sumOf(content) || len(s.requests) != 0 {
		t.Errorf("%+v, %v after %d requests", got, err, len(s.requests))
	}
}

// TestFetchPartOfAnother starts from the beginning if the partial files are invalid.
func TestFetchPartOfAnother(t *testing.T) {
	content := body(5_000)
	for name, state := range map[string]string{
		"another address": `{"url": "http://elsewhere/", "etag": "\"v1\""}`,
		"not json":        `{`,
		"shorter":         `{"url": "URL", "etag": "\"v1\"", "size": 3}`,
		"absent":          "",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, content)
			path := filepath.Join(t.TempDir(), "w.bin")
			d := s.to(path)
			p := partial{path}
			if err := os.WriteFile(p.data(), []byte("nonsense"), 0o644); err != nil {
				t.Fatal(err)
			}
			if state != "" {
				if err := os.WriteFile(p.state(), []byte(strings.Replace(state, "URL", d.URL, 1)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := Fetch(t.Context(), d); err != nil || got.SHA256 != sumOf(content) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestFetchDiskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	s := serve(t, body(5_000))
	path := filepath.Join(t.TempDir(), "w.bin")
	if err := os.Symlink("/dev/full", path+".part"); err != nil {
		t.Fatal(err)
	}
	_, err := Fetch(t.Context(), s.to(path))
	if err == nil || !strings.Contains(err.Error(), "no space") || len(s.requests) != 1 {
		t.Errorf("error %v after %d requests, want a full disk after one", err, len(s.requests))
	}
	if _, err := os.Lstat(path + ".part"); err != nil {
		t.Errorf("the partial download is gone: %v", err)
	}
}

func TestFetchUnreachable(t *testing.T) {
	s := serve(t, nil)
	d := s.to(filepath.Join(t.TempDir(), "w.bin"))
	d.Client, d.URL = nil, "http://127.0.0.1:1/w.bin"
	start := time.Now()
	if _, err := Fetch(t.Context(), d); !errors.Is(err, ErrUnreachable) || time.Since(start) > 10*time.Second {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
	d.URL = "http://user:secret@127.0.0.1:1/w.bin"
	if _, err := Fetch(t.Context(), d); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error shows the password: %v", err)
	}
}

// TestFetchHubHeaders checks what Hugging Face declares before its redirect.
func TestFetchHubHeaders(t *testing.T) {
	content := body(2_000)
	const gitID = "8b137891791fe96927ad78e64b0aad7bded08bdc" // of a file holding one newline
	for name, c := range map[string]struct {
		content []byte
		header  map[string]string
		want    string
	}{
		"large file":         {content, map[string]string{"X-Linked-Etag": `"` + sumOf(content) + `"`, "X-Linked-Size": "2000"}, ""},
		"large file, wrong":  {content, map[string]string{"X-Linked-Etag": `"` + sumOf(nil) + `"`}, "compared with what the server declares"},
		"wrong size":         {content, map[string]string{"X-Linked-Size": "1999"}, "declares"},
		"small file":         {[]byte("\n"), map[string]string{"X-Repo-Commit": "c", "ETag": `"` + gitID + `"`}, ""},
		"small file, wrong":  {[]byte(" "), map[string]string{"X-Repo-Commit": "c", "ETag": `"` + gitID + `"`}, "git id"},
		"tag by SHA-256":     {content, map[string]string{"X-Repo-Commit": "c", "ETag": `"` + sumOf(nil) + `"`}, "SHA-256"},
		"not a hub, any tag": {content, map[string]string{"ETag": `"` + gitID + `"`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			store := serve(t, c.content)
			hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				http.Redirect(w, r, store.URL, http.StatusFound)
			}))
			defer hub.Close()
			d := store.to(filepath.Join(t.TempDir(), "w.bin"))
			d.URL = hub.URL + "/w.bin"
			_, err := Fetch(t.Context(), d)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestFetchProgress(t *testing.T) {
	s := serve(t, body(200_000), cut(50_000))
	var seen []Progress
	d := s.to(filepath.Join(t.TempDir(), "w.bin"))
	d.Progress = func(p Progress) { seen = append(seen, p) }
	if _, err := Fetch(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	last := seen[len(seen)-1]
	if last.Done != 200_000 || last.Total != 200_000 || last.Name != "w.bin" || last.Rate <= 0 {
		t.Errorf("the last report: %+v", last)
	}
	for i := 1; i < len(seen); i++ {
		if seen[i].Done < seen[i-1].Done {
			t.Errorf("progress went back: %+v", seen)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "99999999": 0, "soon": 0,
		"Wed, 01 May 2024 12:00:30 GMT": 30 * time.Second,
		"Wed, 01 May 2024 11:00:00 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("retryAfter(%q) = %s, want %s", value, got, want)
		}
	}
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 90: 30 * time.Second} {
		if got := backoff(time.Second, n); got != want {
			t.Errorf("backoff(1s, %d) = %s, want %s", n, got, want)
		}
	}
}

func FuzzParsePartState(f *testing.F) {
	f.Add([]byte(`{"url": "http://h/f", "etag": "\"x\"", "size": 5}`))
	f.Add([]byte(`{"url": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := parsePartState(data); err == nil && (s.URL == "" || s.Size < 0) {
			t.Errorf("accepted %+v", s)
		}
	})
}

func FuzzParseContentRange(f *testing.F) {
	for _, s := range []string{"bytes 5-9/10", "bytes 5-9/*", "bytes 9-5/10", "bytes */10", "items 1-2/3", "bytes -1-2/3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start, size, err := parseContentRange(s)
		if err == nil && (start < 0 || size != 0 && start >= size) {
			t.Errorf("%q gave %d of %d", s, start, size)
		}
	})
}
