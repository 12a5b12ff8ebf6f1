package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gaze/pkg/batch/source"
	"gaze/pkg/batch/store"
)

// TestRows: every picture has one row, in order, bad ones with their error, and again with
// the same bytes.
func TestRows(t *testing.T) {
	photos := t.TempDir()
	keys := corpus(t, photos, 100, 10)
	if err := os.WriteFile(filepath.Join(photos, keys[3]), drawn(3, 13), 0o644); err != nil {
		t.Fatal(err)
	}
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 30)
	if err := os.Remove(filepath.Join(photos, keys[5])); err != nil {
		t.Fatal(err)
	}
	workAll(t, j, &fakeModel{batch: 8})
	var got []string
	for i, r := range readParts(t, j) {
		got = append(got, r.Key)
		says := ""
		switch {
		case i == 3:
			says = "bad luck"
		case i == 5:
			says = "no such file"
		case i%10 == 9:
			says = "not a picture"
		}
		if says != "" {
			if r.Error == nil || !strings.Contains(*r.Error, says) || strings.Contains(*r.Error, photos) || r.Label != nil || r.Embedding != nil || (r.Hash == nil) != (i == 5) {
				t.Errorf("row %d: %+v, want an error with %q", i, r, says)
			}
			continue
		}
		if r.Error != nil || *r.Width != 32 || *r.Height != 32 || len(*r.Hash) != 64 || *r.Label != fmt.Sprintf("picture [%d 0 0]", i) ||
			*r.Class != 32 || len(r.Embedding) != 3 || len(r.Attention) != 2 || *r.AttentionRows != 1 || *r.AttentionColumns != 2 || r.Damage != nil {
			t.Errorf("row %d: %+v", i, r)
		}
	}
	if !slices.Equal(got, keys) {
		t.Errorf("keys %v", got)
	}
	m, err := j.Finish(context.Background())
	if err != nil || m.Rows != 100 || m.Bad != 12 || len(m.Parts) != 4 {
		t.Errorf("manifest %+v, %v", m, err)
	}
	twin := *j
	twin.Store = openStore(t, filepath.Join(t.TempDir(), "twin"))
	copyIndex(t, j, twin.Store)
	workAll(t, &twin, &fakeModel{batch: 8, delay: time.Millisecond})
	if !maps.Equal(parts(t, &twin), parts(t, j)) {
		t.Error("the same job made other bytes")
	}
}

// copyIndex copies what was planned.
func copyIndex(t *testing.T, j *Job, to store.Store) {
	t.Helper()
	names := []string{jobName}
	for i, c := range j.Chunks {
		names = append(names, c.name(i))
	}
	for _, name := range names {
		data, err := j.Store.Read(context.Background(), name)
		if err == nil {
			err = to.Write(context.Background(), name, func(w io.Writer) error { _, err := w.Write(data); return err })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestGroups: which pictures run together depends on the pictures alone, also if they have
// several sizes, and few wait.
func TestGroups(t *testing.T) {
	photos := t.TempDir()
	for i := range 120 {
		width := 20 + i*i%7
		data := drawn(i, width)
		if i%11 == 3 {
			data = nil
		}
		if err := os.WriteFile(filepath.Join(photos, fmt.Sprintf("p%03d.png", i)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var first [][]string
	for _, decoders := range []int{1, 2, 7} {
		j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 120)
		m := &fakeModel{batch: 4, delay: time.Duration(decoders-1) * time.Millisecond}
		if _, err := j.Work(context.Background(), 0, m, source.NewReader(), WorkOptions{Decoders: decoders}); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m.runs
			full := 0
			for _, g := range first {
				if len(g) == 4 {
					full++
				}
			}
			if full < 20 {
				t.Errorf("%d of %d groups are full", full, len(first))
			}
		}
		if !reflect.DeepEqual(m.runs, first) {
			t.Errorf("with %d decoders the groups are\n%v, with one\n%v", decoders, m.runs, first)
		}
	}
}

// TestTwoWorkers: many work on one shard at the same time; the part and the receipt agree.
func TestTwoWorkers(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 20, 0)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 20)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			// Models that differ, as processors do in the last bits.
			m := &fakeModel{batch: 1 + n, delay: time.Millisecond}
			if _, err := j.Work(context.Background(), 0, m, source.NewReader(), WorkOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if v, err := j.Verify(context.Background(), false); err != nil || !v.Whole() {
		t.Errorf("%+v, %v", v, err)
	}
	if len(parts(t, j)) != 1 {
		t.Errorf("parts %v", slices.Collect(maps.Keys(parts(t, j))))
	}
}

// TestAdopt: a part without a receipt gets one, unless it isn't the shard's.
func TestAdopt(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 20, 0)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 10)
	workAll(t, j, &fakeModel{batch: 8})
	part := func(shard int) string {
		return filepath.Join(j.Store.String(), filepath.FromSlash(PartName(shard)))
	}
	whole, err := os.ReadFile(part(0))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(part(1))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"whole": whole, "cut": whole[:len(whole)/2], "empty": nil, "another shard's": other} {
		err := errors.Join(os.WriteFile(part(0), content, 0o644), j.Store.Remove(context.Background(), ReceiptName(0)))
		if err != nil {
			t.Fatal(err)
		}
		m := &fakeModel{batch: 8}
		r, err := j.Work(context.Background(), 0, m, source.NewReader(), WorkOptions{})
		if err != nil || r.Rows != 10 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if made := len(m.runs) > 0; made != (name != "whole") {
			t.Errorf("%s: made again: %v", name, made)
		}
		if again, err := os.ReadFile(part(0)); err != nil || string(again) != string(whole) {
			t.Errorf("%s: the part differs, %v", name, err)
		}
	}
}

// TestModelFails: a picture on which the model fails is a row; a model that fails altogether
// is an error of the shard, and nothing is written.
func TestModelFails(t *testing.T) {
	photos := t.TempDir()
	keys := corpus(t, photos, 20, 0)
	for _, i := range []int{4, 5} {
		if err := os.WriteFile(filepath.Join(photos, keys[i]), drawn(i, 40+i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 20)
	broken := errors.New("the card has fallen off the bus")
	calls := 0
	m := &fakeModel{batch: 4, fail: func(int, bool) error {
		if calls++; calls > 9 {
			return broken
		}
		return nil
	}}
	if _, err := j.Work(context.Background(), 0, m, source.NewReader(), WorkOptions{}); !errors.Is(err, broken) || !strings.Contains(err.Error(), "model fails") {
		t.Errorf("a broken model: %v", err)
	}
	if len(parts(t, j)) > 0 {
		t.Error("it left a part")
	}
	large := errors.New("44 columns are too many")
	m = &fakeModel{batch: 4, fail: func(size int, _ bool) error {
		if size == 44 {
			return large
		}
		return nil
	}}
	r, err := j.Work(context.Background(), 0, m, source.NewReader(), WorkOptions{})
	if err != nil || r.Bad != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if row := readParts(t, j)[4]; row.Error == nil || *row.Error != large.Error() || *row.Width != 44 {
		t.Errorf("%+v", row)
	}
}

// TestSourceVanishes: when the source is gone, the shard fails and is not filled with rows of
// errors; what is finished stays.
func TestSourceVanishes(t *testing.T) {
	for _, how := range []string{"removed", "empty", "moved"} {
		photos := filepath.Join(t.TempDir(), "photos")
		corpus(t, photos, 40, 0)
		j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 20)
		reader := source.NewReader()
		m := &fakeModel{batch: 4}
		if _, err := j.Work(context.Background(), 0, m, reader, WorkOptions{}); err != nil {
			t.Fatal(err)
		}
		m.fail = func(int, bool) error {
			m.fail = nil
			err := os.Rename(photos, photos+"-")
			if how == "empty" {
				err = errors.Join(err, os.Mkdir(photos, 0o755))
			}
			return err
		}
		_, err := j.Work(context.Background(), 1, m, reader, WorkOptions{Decoders: 1})
		if err == nil || !strings.Contains(err.Error(), photos) || !strings.Contains(err.Error(), "source") {
			t.Errorf("%s: %v", how, err)
		}
		if s, err := j.Status(context.Background()); err != nil || s.Done != 1 || len(parts(t, j)) != 1 {
			t.Errorf("%s: %+v, %v", how, s, err)
		}
		if err := errors.Join(os.RemoveAll(photos), os.Rename(photos+"-", photos)); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Work(context.Background(), 1, m, reader, WorkOptions{}); err != nil {
			t.Errorf("%s: when it is back: %v", how, err)
		}
	}
}

// fullStore is a store on a disk that is full after so many bytes.
type fullStore struct {
	store.Store
	left int
}

type fullWriter struct {
	to io.Writer
	s  *fullStore
}

func (w fullWriter) Write(p []byte) (int, error) {
	if w.s.left -= len(p); w.s.left < 0 {
		return 0, &fs.PathError{Op: "write", Path: "job", Err: syscall.ENOSPC}
	}
	return w.to.Write(p)
}

func (s *fullStore) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	return s.Store.Create(ctx, name, func(w io.Writer) error { return write(fullWriter{w, s}) })
}

func (s *fullStore) Write(ctx context.Context, name string, write func(io.Writer) error) error {
	return s.Store.Write(ctx, name, func(w io.Writer) error { return write(fullWriter{w, s}) })
}

// TestFullDisk: on a full disk planning and working fail clearly and leave nothing that is
// incomplete; with space, the work goes on.
func TestFullDisk(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 40, 0)
	for left := 0; ; left += 200 {
		dir := filepath.Join(t.TempDir(), "job")
		full := &fullStore{openStore(t, dir), left}
		spec := fakeSpec(20, photos)
		j, err := Plan(context.Background(), full, spec, source.List(context.Background(), spec.Sources, source.Options{}))
		if err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			for e, err := range full.Store.List(context.Background(), "") {
				t.Errorf("%d bytes: planning left %v, %v", left, e, err)
			}
			continue
		}
		_, err = j.Work(context.Background(), 0, &fakeModel{batch: 8}, source.NewReader(), WorkOptions{})
		if err == nil {
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		if s, err := j.Status(context.Background()); err != nil || s.Done != 0 {
			t.Errorf("%d bytes: %+v, %v", left, s, err)
		}
		full.left = 1 << 20
		workAll(t, j, &fakeModel{batch: 8})
		if v, err := j.Verify(context.Background(), false); err != nil || !v.Whole() {
			t.Errorf("%d bytes: %+v, %v", left, v, err)
		}
		parts(t, j)
	}
}

// TestVerify finds parts that were changed or removed, files that are none and a manifest
// that isn't right, and repairs what can be made again.
func TestVerify(t *testing.T) {
	ctx := context.Background()
	photos := t.TempDir()
	corpus(t, photos, 50, 7)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 10)
	if _, err := j.Finish(ctx); !errors.Is(err, ErrIncomplete) {
		t.Errorf("finishing what isn't: %v", err)
	}
	if v, err := j.Verify(ctx, false); err != nil || v.Whole() || len(v.Missing) != 5 {
		t.Errorf("%+v, %v", v, err)
	}
	workAll(t, j, &fakeModel{batch: 8})
	if _, err := j.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	want := parts(t, j)
	root := j.Store.String()
	part := filepath.Join(root, PartName(2))
	data, err := os.ReadFile(part)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2]++
	err = errors.Join(os.WriteFile(part, data, 0o644), os.Remove(filepath.Join(root, PartName(4))),
		os.WriteFile(filepath.Join(root, "parts", "part-000009.parquet"), nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	v, err := j.Verify(ctx, true)
	if err != nil || len(v.Problems) != 3 || v.Problems[0].Shard != 2 || v.Problems[1].Shard != 4 || v.Problems[2].Shard != -1 || v.Done != 3 || v.Complete {
		t.Fatalf("%+v, %v", v, err)
	}
	if err := os.Remove(filepath.Join(root, "parts", "part-000009.parquet")); err != nil {
		t.Fatal(err)
	}
	workAll(t, j, &fakeModel{batch: 8})
	if _, err := j.Finish(ctx); err != nil {
		t.Error(err)
	}
	if v, err := j.Verify(ctx, false); err != nil || !v.Whole() || !v.Complete {
		t.Errorf("%+v, %v", v, err)
	}
	if !maps.Equal(parts(t, j), want) {
		t.Error("the parts differ from those before")
	}
}

// TestStopped: a worker whose context is done writes nothing.
func TestStopped(t *testing.T) {
	photos := t.TempDir()
	corpus(t, photos, 60, 0)
	j := planned(t, filepath.Join(t.TempDir(), "job"), photos, 60)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := j.Work(ctx, 0, &fakeModel{batch: 8}, source.NewReader(), WorkOptions{Progress: func(rows, _ int) {
		if rows > 20 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || len(parts(t, j)) > 0 {
		t.Errorf("%v", err)
	}
}
