package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"gaze/pkg/batch/store"
	"gaze/pkg/batch/store/storetest"
)

// TestMain makes this program a gaze-cloud when package store starts it as such.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		main()
		return
	}
	os.Setenv("GAZE_CLOUD", os.Args[0])
	os.Setenv("AWS_ACCESS_KEY_ID", "key")
	os.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	os.Exit(m.Run())
}

// server is an S3 server with a bucket called photos, behind something that may interfere.
func server(t *testing.T, interfere func(w http.ResponseWriter, r *http.Request, serve http.Handler)) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("photos"); err != nil {
		t.Fatal(err)
	}
	serve := gofakes3.New(backend).Server()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { interfere(w, r, serve) }))
	t.Cleanup(s.Close)
	return s.URL
}

func plain(w http.ResponseWriter, r *http.Request, serve http.Handler) { serve.ServeHTTP(w, r) }

// open opens a place on a server.
func open(t *testing.T, place, endpoint string) store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), place+"?endpoint="+url.QueryEscape(endpoint))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestS3(t *testing.T) {
	endpoint := server(t, plain)
	storetest.Check(t, open(t, "s3://photos/some/prefix", endpoint))
}

// TestS3Large writes an object that the driver sends in several parts.
func TestS3Large(t *testing.T) {
	ctx := context.Background()
	s := open(t, "s3://photos", server(t, plain))
	want := strings.Repeat("0123456789abcdef", 1<<20+1)
	write := func(w io.Writer) error { _, err := io.WriteString(w, want); return err }
	if err := s.Write(ctx, "large", write); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(ctx, "large"); err != nil || string(got) != want {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestS3Faults(t *testing.T) {
	ctx := context.Background()
	var broken atomic.Int32 // requests that fail from now on
	way := ""
	s := open(t, "s3://photos", server(t, func(w http.ResponseWriter, r *http.Request, serve http.Handler) {
		switch {
		case broken.Load() <= 0:
		case way == "500":
			broken.Add(-1)
			http.Error(w, "", http.StatusInternalServerError)
			return
		case way == "cut" && r.Method == http.MethodGet:
			broken.Add(-1)
			w = &cutter{w, 1000}
		}
		serve.ServeHTTP(w, r)
	}))
	want := strings.Repeat("0123456789", 1000)
	write := func(w io.Writer) error { _, err := io.WriteString(w, want); return err }
	way = "500"
	broken.Store(2)
	if err := s.Write(ctx, "a", write); err != nil {
		t.Errorf("writing: %v", err)
	}
	for _, way = range []string{"500", "cut"} {
		broken.Store(2)
		if got, err := s.Read(ctx, "a"); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", way, len(got), err)
		}
	}
	way = "500"
	broken.Store(2)
	for e, err := range s.List(ctx, "") {
		if err != nil || e.Name != "a" {
			t.Error(e, err)
		}
	}
}

// cutter breaks the connection after some bytes.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	c.left -= n
	if n < len(p) {
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func TestS3Errors(t *testing.T) {
	ctx := context.Background()
	refused := server(t, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>not yours</Message></Error>`)
	})
	down := httptest.NewServer(nil)
	down.Close()
	for _, test := range []struct {
		name, place, endpoint, want string
		kind                        error
	}{
		{"no bucket", "s3://other", server(t, plain), "isn't there", fs.ErrNotExist},
		{"refused", "s3://photos", refused, "not yours", fs.ErrPermission},
		{"down", "s3://photos", down.URL, "connection refused", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "down" && testing.Short() {
				t.Skip("the driver waits seconds between its tries")
			}
			s := open(t, test.place, test.endpoint)
			_, err := s.Read(ctx, "a.jpg")
			var listed error
			for _, listed = range s.List(ctx, "") {
			}
			for i, err := range []error{err, listed, s.Write(ctx, "a.jpg", func(io.Writer) error { return nil })} {
				if err == nil || !strings.Contains(err.Error(), test.want) || test.kind != nil && !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.place) {
					t.Errorf("%d: %v", i, err)
				}
			}
		})
	}
}

// TestS3Anonymous checks that requests are signed unless the parameter says otherwise.
func TestS3Anonymous(t *testing.T) {
	ctx := context.Background()
	var signed atomic.Int32
	endpoint := server(t, func(w http.ResponseWriter, r *http.Request, serve http.Handler) {
		if r.Header.Get("Authorization") != "" {
			signed.Add(1)
		}
		serve.ServeHTTP(w, r)
	})
	for _, anonymous := range []bool{false, true} {
		signed.Store(0)
		s, err := store.Open(ctx, fmt.Sprintf("s3://photos?region=eu-central-1&endpoint=%s&anonymous=%v", url.QueryEscape(endpoint), anonymous))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(ctx, "x"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if (signed.Load() == 0) != anonymous {
			t.Errorf("anonymous %v: %d signed requests", anonymous, signed.Load())
		}
	}
}

func TestParameters(t *testing.T) {
	for _, at := range []string{"s3://b?nonsense=1", "s3://b?use_path_style=perhaps", "gs://b?nonsense=1", "azblob://b"} {
		if _, err := openBucket(context.Background(), at); err == nil {
			t.Errorf("%s: no error", at)
		}
	}
	t.Setenv("AWS_NO_SIGN_REQUEST", "YES")
	if _, err := openBucket(context.Background(), "s3://b"); err != nil {
		t.Error(err)
	}
}

// TestGS reads from a server with the interface of Google's emulators.
func TestGS(t *testing.T) {
	const content = "0123456789"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/b/photos/o"):
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"kind":"storage#objects","items":[{"name":"p/a.jpg","bucket":"photos","size":"%d","updated":"2024-01-01T00:00:00Z"}]}`, len(content))
		case strings.HasSuffix(r.URL.Path, "/photos/p/a.jpg"):
			w.Header().Set("X-Goog-Generation", "1")
			http.ServeContent(w, r, "", time.Unix(1, 0), strings.NewReader(content))
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(s.URL, "http://"))
	ctx := context.Background()
	b, err := (&buckets{}).open(ctx, "gs://photos?anonymous=true")
	if err != nil {
		t.Fatal(err)
	}
	for line, err := range b.List(ctx, "p/") {
		if err != nil || line.Name != "p/a.jpg" || line.Size != int64(len(content)) {
			t.Errorf("%+v, %v", line, err)
		}
	}
	r, info, err := b.Open(ctx, "p/a.jpg", 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != content[2:5] || info.Size != int64(len(content)) {
		t.Errorf("%q of %d bytes, %v", got, info.Size, err)
	}
	if _, _, err := b.Open(ctx, "p/b.jpg", 0, -1); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestServeEnds checks that the program ends with its input and leaves nothing behind.
func TestServeEnds(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "folder", "s")
	if err := os.Mkdir(filepath.Dir(socket), 0o700); err != nil {
		t.Fatal(err)
	}
	in, end := io.Pipe()
	ready, out := io.Pipe()
	done := make(chan error)
	go func() { done <- serve(socket, in, out) }()
	if _, err := io.ReadFull(ready, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	end.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(socket)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket's folder is left: %v", err)
	}
}
