package data_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gaze/pkg/data"
	"gaze/pkg/data/pets"
	"gaze/pkg/transform"
)

// drawPets writes 4 breeds of pets: 12 training pictures, 4 validation pictures.
func drawPets() (dir string, remove func(), err error) {
	above, err := os.MkdirTemp("", "pets")
	if err != nil {
		return "", nil, err
	}
	set := pets.Set{Seed: 1, Breeds: 4, Size: 40, Splits: []pets.Split{
		{Name: "train", Pictures: 12, Options: pets.Posed}, {Name: "val", Pictures: 4, Options: pets.Natural},
	}}
	dir = filepath.Join(above, "set")
	return dir, func() { os.RemoveAll(above) }, pets.Write(context.Background(), dir, set, pets.WriteOptions{})
}

func ExampleOpenDataset() {
	dir, remove, err := drawPets()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer remove()

	set, err := data.OpenDataset(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(set.Classes), "classes;", set.Train.Len(), "pictures to train on,", set.Validation.Len(), "to validate on")
	first := set.Validation.Items[0]
	fmt.Println(filepath.Base(first.Path), "is number", first.ID, "of class", first.Label)

	// In a set without splits, a part is held out for validation.
	rest, part, err := set.Train.Split(7, 0.34)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rest.Counts(), part.Counts())
	// Output:
	// 4 classes; 12 pictures to train on, 4 to validate on
	// 0_12.jpg is number 12 of class 0
	// [2 2 2 2] [1 1 1 1]
}

func ExampleLoader() {
	dir, remove, err := drawPets()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer remove()
	set, err := data.OpenDataset(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	pipeline, err := transform.Parse("randomresizedcrop(32) | randomhflip | totensor | normalize(0.5,0.5)")
	if err != nil {
		fmt.Println(err)
		return
	}
	cache := data.NewCache(set.Train, 1<<30) // decoded once, transformed in each epoch
	loader, err := data.NewLoader(cache, data.LoaderOptions{
		Pipeline: pipeline, Batch: 5, Shuffle: true, Seed: 1,
		Bad: func(b data.BadPicture) { fmt.Println("left out:", b.Err) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for epoch := range 2 {
		for batch, err := range loader.Batches(context.Background(), epoch, 0) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println("epoch", epoch, "batch", batch.Number, batch.Shape, batch.Labels)
		}
	}
	// Output:
	// epoch 0 batch 0 [5 3 32 32] [1 1 1 3 3]
	// epoch 0 batch 1 [5 3 32 32] [2 2 0 0 3]
	// epoch 0 batch 2 [2 3 32 32] [0 2]
	// epoch 1 batch 0 [5 3 32 32] [0 2 0 3 3]
	// epoch 1 batch 1 [5 3 32 32] [1 3 1 1 0]
	// epoch 1 batch 2 [2 3 32 32] [2 2]
}
