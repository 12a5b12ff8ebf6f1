// Package batchtest plans small jobs for tests of engines. Their files are no pictures, so
// that every row is one with an error, and no model runs.
package batchtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/batch"
	"gaze/pkg/batch/source"
	"gaze/pkg/batch/store"
	"gaze/pkg/transform"
)

// Plan plans a job with a number of shards, of two pictures each.
func Plan(t testing.TB, shards int) *batch.Job {
	t.Helper()
	folder := t.TempDir()
	pictures := filepath.Join(folder, "pictures")
	if err := os.Mkdir(pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	for n := range 2 * shards {
		if err := os.WriteFile(filepath.Join(pictures, fmt.Sprintf("%04d.png", n)), []byte("no picture"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(t.Context(), filepath.Join(folder, "job"))
	if err != nil {
		t.Fatal(err)
	}
	spec := batch.Spec{
		Want: []string{batch.Embeddings}, Model: &batch.Checkpoint{Name: "none", Digest: strings.Repeat("0", 64)},
		Sources: []string{pictures}, ShardSize: 2,
	}
	j, err := batch.Plan(t.Context(), s, spec, source.List(t.Context(), spec.Sources, source.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// Make works on shards of the job in a folder, as 'gaze batch work' does.
func Make(ctx context.Context, folder string, shards []int) ([]batch.Receipt, error) {
	s, err := store.Open(ctx, folder)
	if err != nil {
		return nil, err
	}
	j, err := batch.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	reader := source.NewReader()
	defer reader.Close()
	var receipts []batch.Receipt
	for _, shard := range shards {
		r, err := j.Work(ctx, shard, model{}, reader, batch.WorkOptions{})
		if err != nil {
			return receipts, err
		}
		receipts = append(receipts, r)
	}
	return receipts, nil
}

// model is never run.
type model struct{}

var errRun = errors.New("a file that is no picture was prepared")

func (model) Background() *[3]uint8                            { return nil }
func (model) Batch() int                                       { return 1 }
func (model) InFlight() int                                    { return 1 }
func (model) Close() error                                     { return nil }
func (model) Prepare(*transform.Image) (batch.Prepared, error) { return batch.Prepared{}, errRun }

func (model) Run(context.Context, []batch.Prepared) ([]batch.Result, error) { return nil, errRun }
