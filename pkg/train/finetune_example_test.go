package train_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/data/pets"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Draws a set of two breeds and trains a small model on it.
func ExampleFineTune() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	set := pets.Set{Breeds: 2, Size: 32, Splits: []pets.Split{{Name: "train", Pictures: 32, Options: pets.Posed}, {Name: "val", Pictures: 8, Options: pets.Posed}}}
	if err := pets.Write(ctx, filepath.Join(dir, "pets"), set, pets.WriteOptions{}); err != nil {
		log.Fatal(err)
	}
	splits, err := data.OpenDataset(filepath.Join(dir, "pets"))
	if err != nil {
		log.Fatal(err)
	}
	config, err := vit.ParseConfig("vit:dim=32,depth=2,heads=2,patch=8,size=32")
	if err != nil {
		log.Fatal(err)
	}
	model, err := vit.New(config, 1) // or vit.Load, for a checkpoint
	if err != nil {
		log.Fatal(err)
	}
	pipeline, err := transform.Parse("randomhflip | resize(32,32) | totensor | normalize(0.5,0.5)")
	if err != nil {
		log.Fatal(err)
	}
	settings, err := train.ParseSettings("lr=1e-3; epochs=4; batch=8; optimizer=adamw; schedule=cosine; warmup=1")
	if err != nil {
		log.Fatal(err)
	}
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	run, err := train.FineTune{
		Dir: filepath.Join(dir, "run"), Model: model, Pipeline: pipeline, Settings: settings,
		Train: splits.Train, Validation: splits.Validation, Classes: splits.Classes,
	}.Run(ctx, b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Status, run.Updates, "updates,", run.Best.Total, "pictures validated")
	// Output: done 16 updates, 8 pictures validated
}
