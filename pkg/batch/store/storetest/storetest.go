// Package storetest checks that stores behave as package store says. Tests of every kind of
// store call it.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gaze/pkg/batch/store"
)

// Check checks an empty store.
func Check(t *testing.T, s store.Store) {
	t.Run("missing", func(t *testing.T) { missing(t, s) })
	t.Run("write", func(t *testing.T) { write(t, s) })
	t.Run("create", func(t *testing.T) { create(t, s) })
	t.Run("parts", func(t *testing.T) { parts(t, s) })
	t.Run("list", func(t *testing.T) { list(t, s) })
	t.Run("remove", func(t *testing.T) { remove(t, s) })
	t.Run("cancelled", func(t *testing.T) { cancelled(t, s) })
}

func text(content string) func(w io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	}
}

// names are what is in a store, with spaces between them.
func names(t *testing.T, s store.Store, prefix string) string {
	t.Helper()
	var out []string
	for e, err := range s.List(context.Background(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Name)
	}
	return strings.Join(out, " ")
}

func missing(t *testing.T, s store.Store) {
	ctx := context.Background()
	if got := names(t, s, ""); got != "" {
		t.Fatalf("an empty store lists %q", got)
	}
	_, err := s.Read(ctx, "no/such")
	_, err2 := s.ReaderAt(ctx, "no/such")
	_, err3 := s.Stream(ctx, "no/such")
	for i, err := range []error{err, err2, err3, s.Remove(ctx, "no/such")} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no/such") {
			t.Errorf("%d: %v, want fs.ErrNotExist and the name", i, err)
		}
	}
	for _, name := range []string{"", "/a", "../a", "a/../../b", "a/"} {
		if s.Write(ctx, name, text("")) == nil {
			t.Errorf("wrote %q", name)
		}
	}
}

func write(t *testing.T, s store.Store) {
	ctx := context.Background()
	for _, content := range []string{"first", "", "second, longer"} {
		if err := s.Write(ctx, "w/a b+c%.txt", text(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(ctx, "w/a b+c%.txt"); err != nil || string(got) != content {
			t.Fatalf("read %q, %v; want %q", got, err, content)
		}
	}
	broken := errors.New("no more")
	err := s.Write(ctx, "w/a b+c%.txt", func(w io.Writer) error { return errors.Join(text("half")(w), broken) })
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the writer", err)
	}
	if got, _ := s.Read(ctx, "w/a b+c%.txt"); string(got) != "second, longer" {
		t.Errorf("after a failure it is %q", got)
	}
	if got := names(t, s, ""); got != "w/a b+c%.txt" {
		t.Errorf("the store has %s", got)
	}
}

// create lets several create the same file at the same time.
func create(t *testing.T, s store.Store) {
	ctx := context.Background()
	var made atomic.Int32
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			switch err := s.Create(ctx, "created", text(fmt.Sprint("by ", i))); {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if made.Load() != 1 {
		t.Errorf("%d of 8 created it", made.Load())
	}
	before, err := s.Read(ctx, "created")
	if err != nil {
		t.Fatal(err)
	}
	called := false
	err = s.Create(ctx, "created", func(w io.Writer) error { called = true; return nil })
	if !errors.Is(err, fs.ErrExist) || called {
		t.Errorf("again: %v, writer called: %v", err, called)
	}
	if after, _ := s.Read(ctx, "created"); !bytes.Equal(before, after) {
		t.Errorf("it was %q and is %q", before, after)
	}
}

func parts(t *testing.T, s store.Store) {
	ctx := context.Background()
	content := strings.Repeat("0123456789", 1000)
	if err := errors.Join(s.Write(ctx, "parts/large", text(content)), s.Write(ctx, "parts/empty", text(""))); err != nil {
		t.Fatal(err)
	}
	f, err := s.ReaderAt(ctx, "parts/large")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Size() != int64(len(content)) {
		t.Errorf("size %d", f.Size())
	}
	var wait sync.WaitGroup
	for offset := range 50 {
		wait.Go(func() {
			p := make([]byte, 100)
			if n, err := f.ReadAt(p, int64(offset*3)); n != len(p) || err != nil || string(p) != content[offset*3:][:100] {
				t.Errorf("from %d: %d bytes %q, %v", offset*3, n, p, err)
			}
		})
	}
	wait.Wait()
	p := make([]byte, 10)
	if n, err := f.ReadAt(p, f.Size()-4); n != 4 || err != io.EOF || string(p[:4]) != "6789" {
		t.Errorf("at the end: %d bytes %q, %v", n, p[:n], err)
	}
	if n, err := f.ReadAt(p, f.Size()+4); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d bytes, %v", n, err)
	}
	empty, err := s.ReaderAt(ctx, "parts/empty")
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if n, err := empty.ReadAt(p, 0); n != 0 || err != io.EOF || empty.Size() != 0 {
		t.Errorf("empty: %d bytes of %d, %v", n, empty.Size(), err)
	}
	in, err := s.Stream(ctx, "parts/large")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if got, err := io.ReadAll(in); err != nil || string(got) != content {
		t.Errorf("stream: %d bytes, %v", len(got), err)
	}
}

func list(t *testing.T, s store.Store) {
	ctx := context.Background()
	for _, name := range []string{"l/b/2", "l/b/1", "l/b-1", "l/a", "l/c/d/e", "l/b0"} {
		if err := s.Write(ctx, name, text(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ prefix, want string }{
		{"l/", "l/a l/b-1 l/b/1 l/b/2 l/b0 l/c/d/e"},
		{"l/b/", "l/b/1 l/b/2"},
		{"l/b", "l/b-1 l/b/1 l/b/2 l/b0"},
		{"l/c", "l/c/d/e"},
		{"nothing/", ""},
	} {
		if got := names(t, s, test.prefix); got != test.want {
			t.Errorf("%s: %s, want %s", test.prefix, got, test.want)
		}
	}
	for e, err := range s.List(ctx, "l/a") {
		if err != nil || e.Size != int64(len("l/a")) || e.Modified.IsZero() {
			t.Errorf("%+v, %v", e, err)
		}
	}
	for range s.List(ctx, "l/") {
		break // it may end early
	}
}

func remove(t *testing.T, s store.Store) {
	ctx := context.Background()
	if err := errors.Join(s.Write(ctx, "r/a", text("")), s.Remove(ctx, "r/a")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s, "r/"); got != "" {
		t.Errorf("left: %s", got)
	}
}

func cancelled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Read(ctx, "created"); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if err := s.Write(ctx, "c/a", text("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if got := names(t, s, "c/"); got != "" {
		t.Errorf("left: %s", got)
	}
}
