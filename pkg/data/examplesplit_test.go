package data_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"gaze/pkg/data"
)

// namedSet makes a data set of five cats and five dogs in a folder called training_set.
func namedSet() string {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	for i := range 10 {
		folder := filepath.Join(dir, "training_set", []string{"cat", "Dog"}[i%2])
		if err := os.MkdirAll(folder, 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".jpg")), nil, 0o644); err != nil {
			log.Fatal(err)
		}
	}
	return dir
}

// A data set whose splits have other names, and validation pictures that are taken from
// the training pictures.
func ExampleOpenDataset_names() {
	dir := namedSet()
	defer os.RemoveAll(dir)
	s, err := data.OpenDataset(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Classes, s.Train.Len(), s.Validation == nil, len(s.Notes))
	rest, part, err := s.Train.Split(1, 0.2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(rest.Counts(), part.Counts())
	// Output:
	// [Dog cat] 10 true 1
	// [4 4] [1 1]
}

func ExampleHoldOut() {
	dir := namedSet()
	defer os.RemoveAll(dir)
	s, err := data.OpenDataset(dir)
	if err != nil {
		log.Fatal(err)
	}
	rest, part, err := data.HoldOut(s.Train, len(s.Classes), 1, 0.4)
	if err != nil {
		log.Fatal(err)
	}
	train, validation := data.Subset{Set: s.Train, Places: rest}, data.Subset{Set: s.Train, Places: part}
	fmt.Println(train.Len(), validation.Len())
	// Output: 6 4
}

// The first pictures of each class, in an order that the seed draws: fewer are a part of
// more.
func ExampleFirst() {
	dir := namedSet()
	defer os.RemoveAll(dir)
	s, err := data.OpenDataset(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, each := range []int{1, 3, 9} {
		places, err := data.First(s.Train, len(s.Classes), 1, each)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(places)
	}
	_, err = data.First(s.Train, len(s.Classes), 1, 0)
	fmt.Println(err)
	// Output:
	// [2 5]
	// [1 2 4 5 8 9]
	// [0 1 2 3 4 5 6 7 8 9]
	// data set: 0 pictures of each class can't be chosen: 1 or more
}
