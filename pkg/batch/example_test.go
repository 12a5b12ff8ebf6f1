package batch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gaze/pkg/batch"
	"gaze/pkg/batch/source"
	"gaze/pkg/batch/store"
)

// A job over five pictures in shards of two.
func ExamplePlan() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"cat.jpg", "dog.jpg", "emu.jpg", "fox.jpg", "gnu.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			panic(err)
		}
	}
	ctx := context.Background()
	place, err := store.Open(ctx, filepath.Join(dir, "job"))
	if err != nil {
		panic(err)
	}
	spec := batch.Spec{
		Want:      []string{batch.Embeddings},
		Model:     &batch.Checkpoint{Name: "dinov2-small"}, // with a digest, in life
		Sources:   []string{dir},
		ShardSize: 2,
	}
	job, err := batch.Plan(ctx, place, spec, source.List(ctx, spec.Sources, source.Options{Unchecked: true}))
	if err != nil {
		panic(err)
	}
	for shard := range job.Shards() {
		pictures, err := job.Pictures(ctx, shard)
		if err != nil {
			panic(err)
		}
		fmt.Print(batch.PartName(shard), ":")
		for _, p := range pictures {
			fmt.Print(" ", p.Key)
		}
		fmt.Println()
	}
	fmt.Println(spec.Columns())
	// Output:
	// parts/part-000000.parquet: cat.jpg dog.jpg
	// parts/part-000001.parquet: emu.jpg fox.jpg
	// parts/part-000002.parquet: gnu.jpg
	// [key width height hash embedding damage error]
}
