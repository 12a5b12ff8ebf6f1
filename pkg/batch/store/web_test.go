package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// content is what the servers of these tests serve.
var content = strings.Repeat("0123456789", 5000)

// faulty serves content as /x in every way that a path's first element names.
func faulty(t *testing.T) *httptest.Server {
	var asked atomic.Int32
	times := func() int32 { return asked.Add(1) }
	serve := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Unix(1, 0), strings.NewReader(content))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/good/x", serve)
	mux.HandleFunc("/twice500/x", func(w http.ResponseWriter, r *http.Request) {
		if times() <= 2 {
			http.Error(w, "not now", http.StatusInternalServerError)
			return
		}
		serve(w, r)
	})
	mux.HandleFunc("/always503/x", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "busy", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/refused/x", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "who are you", http.StatusForbidden) })
	mux.HandleFunc("/cut/x", func(w http.ResponseWriter, r *http.Request) { // every answer is cut
		serve(&cutter{w, 7000}, r)
	})
	mux.HandleFunc("/cutwhole/x", func(w http.ResponseWriter, r *http.Request) { // and there are no ranges
		r.Header.Del("Range")
		limit := 7000
		if times() > 2 {
			limit = len(content)
		}
		serve(&cutter{w, limit}, r)
	})
	mux.HandleFunc("/changing/x", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, times()))
		serve(&cutter{w, 7000}, r)
	})
	mux.HandleFunc("/nothing/x", func(w http.ResponseWriter, r *http.Request) { serve(&cutter{w, 0}, r) })
	mux.HandleFunc("/chunked/x", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, content[:10])
		w.(http.Flusher).Flush()
		io.WriteString(w, content[10:])
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
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

// hurry makes pauses short during a test.
func hurry(t *testing.T) {
	old := pause
	pause = time.Millisecond
	t.Cleanup(func() { pause = old })
}

func TestWeb(t *testing.T) {
	hurry(t)
	server := faulty(t)
	for _, test := range []struct {
		way    string
		ranged bool // parts can be read
	}{
		{"good", true}, {"twice500", true}, {"cut", true}, {"cutwhole", false}, {"chunked", false},
	} {
		t.Run(test.way, func(t *testing.T) {
			ctx := context.Background()
			s, err := Open(ctx, server.URL+"/"+test.way)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Read(ctx, "x")
			if err != nil || string(got) != content {
				t.Errorf("read %d bytes, %v", len(got), err)
			}
			f, err := s.ReaderAt(ctx, "x")
			if !test.ranged {
				if err == nil || !strings.Contains(err.Error(), "download it first") {
					t.Errorf("reading parts: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			p := make([]byte, 20_000)
			if n, err := f.ReadAt(p, 12_345); n != len(p) || err != nil || string(p) != content[12_345:][:len(p)] {
				t.Errorf("a part: %d bytes, %v", n, err)
			}
		})
	}
}

func TestWebErrors(t *testing.T) {
	hurry(t)
	server := faulty(t)
	down := httptest.NewServer(nil)
	down.Close()
	for _, test := range []struct {
		at, want string
		kind     error
	}{
		{server.URL + "/good/y", "isn't there", fs.ErrNotExist},
		{server.URL + "/refused/x", "access is refused", fs.ErrPermission},
		{server.URL + "/always503/x", "tried 5 times", nil},
		{server.URL + "/nothing/x", "tried 5 times", io.ErrUnexpectedEOF},
		{server.URL + "/changing/x", "changed while", nil},
		{down.URL + "/x", "refused", nil},
	} {
		root, name, err := Split(test.at)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(context.Background(), root+"?token=secret")
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Read(context.Background(), name)
		if err == nil || !strings.Contains(err.Error(), test.want) || test.kind != nil && !errors.Is(err, test.kind) {
			t.Errorf("%s: %v", test.at, err)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), test.at)) {
			t.Errorf("%s: the error must name it without secrets: %v", test.at, err)
		}
	}
}

func TestWebIsReadOnly(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, "https://example.com/x")
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(io.Writer) error { return nil }
	for i, err := range []error{s.Write(ctx, "a", nothing), s.Create(ctx, "a", nothing), s.Remove(ctx, "a")} {
		if !errors.Is(err, errReadOnly) {
			t.Errorf("%d: %v", i, err)
		}
	}
	for _, err := range s.List(ctx, "") {
		if err == nil {
			t.Error("a web server was listed")
		}
	}
}

// TestWebStalled reads from a server that sends half and then nothing.
func TestWebStalled(t *testing.T) {
	hurry(t)
	old := stall
	stall = 50 * time.Millisecond
	defer func() { stall = old }()
	release := make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		<-release
	}))
	defer server.Close()
	defer close(release)
	s, err := Open(context.Background(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := s.Read(ctx, "x"); err == nil || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
}
