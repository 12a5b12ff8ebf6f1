package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"gaze/pkg/batch/source"
)

// TestSources lists and reads every kind of source in a bucket, as on a disk.
func TestSources(t *testing.T) {
	ctx := context.Background()
	var requests atomic.Int32
	endpoint := server(t, func(w http.ResponseWriter, r *http.Request, serve http.Handler) {
		requests.Add(1)
		serve.ServeHTTP(w, r)
	})
	s := open(t, "s3://photos/data", endpoint)
	folder := filepath.Join("..", "pkg", "batch", "source", "testdata")
	files := map[string][]byte{"list.txt": []byte("pictures/b.jpg\npictures/a b.png\n"), "pictures/b.jpg": []byte("b"), "pictures/a b.png": []byte("a b"), "pictures/.hidden.jpg": nil, "pictures/note.md": nil}
	for _, name := range []string{"photos-000000.tar", "photos-000001.tar", "hf.parquet", "plain.parquet"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = content
	}
	local := t.TempDir()
	for name, content := range files {
		if err := s.Write(ctx, name, func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(local, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(local, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"photos-{000000..000001}.tar", "hf.parquet#image", "plain.parquet", "list.txt", "pictures"} {
		at := "s3://photos/data/" + strings.Replace(name, "#image", "", 1) + "?endpoint=" + url.QueryEscape(endpoint)
		if strings.Contains(name, "#") {
			at += "#image"
		}
		want, _ := contents(t, filepath.Join(local, name))
		requests.Store(0)
		got, keys := contents(t, at)
		t.Logf("%s: %d pictures, %d requests", name, len(keys), requests.Load())
		if !bytes.Equal(got, want) || len(keys) == 0 {
			t.Errorf("%s: %d bytes, %d on a disk; keys %v", name, len(got), len(want), keys)
		}
	}
}

// contents are the keys and bytes of all pictures of a source, one after the other.
func contents(t *testing.T, at string) (all []byte, keys []string) {
	t.Helper()
	ctx := context.Background()
	r := source.NewReader()
	defer r.Close()
	for in, err := range source.List(ctx, []string{at}, source.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, in.Key)
		picture, err := r.Read(ctx, in)
		all = append(append(all, in.Key...), picture...)
		if err != nil && in.Row != 3 {
			t.Errorf("%s: %v", in.Key, err)
		}
	}
	return all, keys
}
