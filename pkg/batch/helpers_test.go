package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"gaze/pkg/batch/source"
	"gaze/pkg/batch/store"
	"gaze/pkg/transform"
)

// fakeModel makes results of a picture's pixels.
type fakeModel struct {
	batch int
	delay time.Duration                  // of a run
	fail  func(size int, all bool) error // nil: none fails
	mu    sync.Mutex
	runs  [][]string // the marks of the pictures that ran together
}

// seenPicture is what a fakeModel makes of a picture.
type seenPicture struct {
	width int
	mark  string
	mean  [3]float32
}

func (m *fakeModel) Background() *[3]uint8 { return nil }
func (m *fakeModel) Batch() int            { return m.batch }
func (m *fakeModel) InFlight() int         { return 1 }
func (m *fakeModel) Close() error          { return nil }

func (m *fakeModel) Prepare(im *transform.Image) (Prepared, error) {
	s := seenPicture{width: im.Width, mark: fmt.Sprint(im.Pix[:3])}
	if im.Width == 13 {
		return Prepared{}, errors.New("13 columns bring bad luck")
	}
	for i, v := range im.Pix {
		s.mean[i%3] += float32(v) / float32(im.Width*im.Height*255)
	}
	return Prepared{im.Width, s}, nil
}

func (m *fakeModel) Run(ctx context.Context, pictures []Prepared) ([]Result, error) {
	time.Sleep(m.delay)
	var marks []string
	var results []Result
	for _, p := range pictures {
		s := p.Value.(seenPicture)
		if m.fail != nil {
			if err := m.fail(s.width, len(pictures) > 1); err != nil {
				return nil, err
			}
		}
		marks = append(marks, s.mark)
		results = append(results, Result{Label: "picture " + s.mark, Class: s.width, Probability: 0.5, Embedding: s.mean[:], Attention: s.mean[:2], Grid: [2]int{1, 2}})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs = append(m.runs, marks)
	return results, nil
}

// drawn draws a picture that differs from those of other numbers.
func drawn(n, width int) []byte {
	im := image.NewRGBA(image.Rect(0, 0, width, 32))
	for i := range width * 32 {
		im.SetRGBA(i%width, i/width, color.RGBA{uint8(n), uint8(n >> 8), uint8(i * (n + 1)), 255})
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, im); err != nil {
		panic(err) // a buffer takes everything
	}
	return buf.Bytes()
}

// corpus writes n pictures into a folder, every bad-th of which is none, and returns their
// keys.
func corpus(t testing.TB, dir string, n, bad int) (keys []string) {
	t.Helper()
	for i := range n {
		key := fmt.Sprintf("%d/p%04d.png", i/40, i)
		data := drawn(i, 32)
		if bad > 0 && i%bad == bad-1 {
			data = []byte("no picture")
		}
		path := filepath.Join(dir, key)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

// fakeSpec is a job for a fakeModel.
func fakeSpec(shard int, sources ...string) Spec {
	return Spec{
		Want: []string{Classes, Embeddings, Attention}, Model: &Checkpoint{Name: "fake", Digest: strings.Repeat("0", 64)},
		Heads: "mean", Layer: -1, ShardSize: shard, Sources: sources, Gaze: "test",
	}
}

func openStore(t testing.TB, dir string) store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// planned plans a job over a folder.
func planned(t testing.TB, job, photos string, shard int) *Job {
	t.Helper()
	spec := fakeSpec(shard, photos)
	j, err := Plan(context.Background(), openStore(t, job), spec, source.List(context.Background(), spec.Sources, source.Options{Unchecked: true}))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// workAll works on all shards.
func workAll(t testing.TB, j *Job, m Model) {
	t.Helper()
	reader := source.NewReader()
	defer reader.Close()
	for shard := range j.Shards() {
		if _, err := j.Work(context.Background(), shard, m, reader, WorkOptions{Decoders: 3}); err != nil {
			t.Fatal(err)
		}
	}
}

// readRow is a row as a reader of a part sees it.
type readRow struct {
	Key              string    `parquet:"key"`
	Width            *int32    `parquet:"width,optional"`
	Height           *int32    `parquet:"height,optional"`
	Hash             *string   `parquet:"hash,optional"`
	Label            *string   `parquet:"label,optional"`
	Class            *int32    `parquet:"class,optional"`
	Probability      *float64  `parquet:"probability,optional"`
	Embedding        []float32 `parquet:"embedding,list,optional"`
	Attention        []float32 `parquet:"attention,list,optional"`
	AttentionRows    *int32    `parquet:"attention_rows,optional"`
	AttentionColumns *int32    `parquet:"attention_columns,optional"`
	Damage           *string   `parquet:"damage,optional"`
	Error            *string   `parquet:"error,optional"`
}

// readParts reads the rows of all parts.
func readParts(t testing.TB, j *Job) (rows []readRow) {
	t.Helper()
	for shard := range j.Shards() {
		data, err := j.Store.Read(context.Background(), PartName(shard))
		if err != nil {
			t.Fatal(err)
		}
		part, err := parquet.Read[readRow](bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, part...)
	}
	return rows
}

// parts maps the parts to their bytes, and fails on any other file that a job hasn't.
func parts(t testing.TB, j *Job) map[string]string {
	t.Helper()
	found := map[string]string{}
	root := j.Store.String()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		switch dir := filepath.Dir(name); {
		case strings.HasPrefix(e.Name(), ".") || !slices.Contains([]string{".", "index", "parts", "receipts"}, dir):
			t.Errorf("%s is left over", name)
		case dir == "parts":
			found[name] = string(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
