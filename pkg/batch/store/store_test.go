package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gaze/internal/bucketserver"
	"gaze/pkg/batch/store"
	"gaze/pkg/batch/store/storetest"
)

// TestMain makes this program a gaze-cloud with buckets in memory when a test starts it as
// such.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		serve(os.Args[2])
		return
	}
	os.Setenv("GAZE_CLOUD", os.Args[0])
	os.Exit(m.Run())
}

func serve(socket string) {
	defer os.RemoveAll(filepath.Dir(socket))
	listener, err := net.Listen("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	var mu sync.Mutex
	buckets := map[string]*memory{}
	go http.Serve(listener, bucketserver.Handler(func(_ context.Context, at string) (bucketserver.Bucket, error) {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(at, "refused") {
			return nil, fs.ErrPermission
		}
		if buckets[at] == nil {
			buckets[at] = &memory{objects: map[string][]byte{}}
		}
		return buckets[at], nil
	}))
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

// memory is a bucket. Of objects called cut it sends half at first.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	cut     int
}

func (m *memory) Open(_ context.Context, name string, offset, length int64) (io.ReadCloser, bucketserver.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	content, ok := m.objects[name]
	if !ok {
		return nil, bucketserver.Info{}, fs.ErrNotExist
	}
	info := bucketserver.Info{Size: int64(len(content)), Tag: `"1"`}
	content = content[min(offset, info.Size):]
	if length >= 0 {
		content = content[:min(length, int64(len(content)))]
	}
	if strings.HasSuffix(name, "cut") && len(content) > 1 {
		if m.cut++; m.cut < 4 {
			content = content[:len(content)/2]
		}
	}
	return io.NopCloser(bytes.NewReader(content)), info, nil
}

func (m *memory) Put(_ context.Context, name string, body io.Reader, fresh bool) error {
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.objects[name]; there && fresh {
		return fs.ErrExist
	}
	m.objects[name] = content
	return nil
}

func (m *memory) Remove(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.objects[name]; !there {
		return fs.ErrNotExist
	}
	delete(m.objects, name)
	return nil
}

func (m *memory) List(_ context.Context, prefix string) iter.Seq2[bucketserver.Line, error] {
	return func(yield func(bucketserver.Line, error) bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if prefix == "broken/" {
			yield(bucketserver.Line{}, fs.ErrPermission)
			return
		}
		var names []string
		for name := range m.objects {
			if strings.HasPrefix(name, prefix) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			if !yield(bucketserver.Line{Name: name, Size: int64(len(m.objects[name])), Modified: time.Now()}, nil) {
				return
			}
		}
	}
}

func open(t *testing.T, at string) store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLocal(t *testing.T) {
	storetest.Check(t, open(t, filepath.Join(t.TempDir(), "new", "folder")))
	storetest.Check(t, open(t, "file://"+filepath.ToSlash(t.TempDir())))
}

func TestBucket(t *testing.T) {
	storetest.Check(t, open(t, "s3://one"))
	storetest.Check(t, open(t, "gs://one/some/prefix?anonymous=true"))
}

func TestBucketsDiffer(t *testing.T) {
	ctx := context.Background()
	put := func(w io.Writer) error { return nil }
	if err := open(t, "s3://two/a").Write(ctx, "b/c", put); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, "s3://two").Read(ctx, "a/b/c"); err != nil {
		t.Error(err)
	}
	if _, err := open(t, "s3://three").Read(ctx, "a/b/c"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestBucketCut reads an object whose connection breaks three times.
func TestBucketCut(t *testing.T) {
	ctx := context.Background()
	s := open(t, "s3://cutting")
	want := strings.Repeat("abcdefg", 10_000)
	if err := s.Write(ctx, "cut", func(w io.Writer) error { _, err := io.WriteString(w, want); return err }); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(ctx, "cut"); err != nil || string(got) != want {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestBucketErrors(t *testing.T) {
	ctx := context.Background()
	if _, err := open(t, "s3://refused?secret=x").Read(ctx, "a"); !errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	for _, err := range open(t, "s3://four").List(ctx, "broken/") {
		if !errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ at, want string }{
		{"", "empty"},
		{"ftp://host/x", "unknown scheme"},
		{"s3:///x", "bucket"},
		{"s3://%zz", "invalid"},
		{file, "is a file"},
	} {
		if _, err := store.Open(context.Background(), test.at); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.at, err)
		}
	}
}

func TestSplitAndJoin(t *testing.T) {
	for _, test := range []struct{ at, root, name string }{
		{"/a/b c.jpg", "/a/", "b c.jpg"},
		{"x.jpg", ".", "x.jpg"},
		{"s3://b/p/x%20y.tar?region=r", "s3://b/p/?region=r", "x y.tar"},
		{"https://h/x.jpg", "https://h/", "x.jpg"},
	} {
		root, name, err := store.Split(test.at)
		if err != nil || root != test.root || name != test.name {
			t.Errorf("%s: %s, %s, %v", test.at, root, name, err)
		}
		if got := store.Join(root, name); got != test.at {
			t.Errorf("joined: %s, want %s", got, test.at)
		}
	}
	if _, _, err := store.Split("s3://b/p/"); err == nil {
		t.Error("a folder was split")
	}
	if got := store.Redact("https://me:secret@h/x?sig=secret"); strings.Contains(got, "secret") {
		t.Error(got)
	}
}

func TestLocalSkipsTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".gaze-1.tmp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for e, err := range open(t, dir).List(context.Background(), "") {
		t.Error(e, err)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := store.Open(ctx, dir) // or s3://bucket/folder
	if err != nil {
		panic(err)
	}
	hello := func(w io.Writer) error {
		_, err := io.WriteString(w, "hello")
		return err
	}
	fmt.Println(s.Create(ctx, "parts/1", hello))
	fmt.Println(errors.Is(s.Create(ctx, "parts/1", hello), fs.ErrExist))
	for e, err := range s.List(ctx, "parts/") {
		fmt.Println(e.Name, e.Size, err)
	}
	// Output:
	// <nil>
	// true
	// parts/1 5 <nil>
}
