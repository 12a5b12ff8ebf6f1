package pets_test

import (
	"bytes"
	"fmt"
	"image/png"
	"log"

	"gaze/pkg/data/pets"
	"gaze/pkg/plots"
)

func ExampleBreed() {
	fmt.Println(pets.Breed(3).Name())
	fmt.Println(pets.Breed(3))
	sister := pets.Breed(pets.Classes) // and any number more, to pretrain on
	fmt.Println(sister.Index, sister.Pattern, sister.Ears)
	// Output:
	// breed 03
	// breed 03: ginger with white, half-faced, round ears, long muzzle, square head, almond brown eyes, plush fur, thin tail, stocky build
	// 37 saddled pointed
}

func ExampleDraw() {
	s, err := pets.Draw(1, 3, 0, 96, pets.Natural)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Image.Width, s.Image.Height, s.Image.Channels)
	animal, head := 0, 0
	for i := range s.Foreground.Pix {
		animal += int(s.Foreground.Pix[i])
		head += int(s.Head.Pix[i])
	}
	n := 255 * len(s.Foreground.Pix)
	fmt.Printf("%s: the animal fills %d %% of the picture, its head %d %%\n", s.Breed.Name(), 100*animal/n, 100*head/n)
	// Output:
	// 96 96 3
	// breed 03: the animal fills 43 % of the picture, its head 22 %
}

func ExampleSet_At() {
	set := pets.Pets(1, 64, 1110, 370, 370)
	s, err := set.At(1200) // in the second split: a picture to validate on
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Len(), set.Class(1200), s.Breed.Index)
	// Output: 1850 16 16
}

// A contact sheet of all breeds.
func Example_sheet() {
	const columns = 8
	grid := plots.Grid{Title: "Breeds"}
	for i := range pets.Classes {
		s, err := pets.Draw(1, i, 0, 96, pets.Options{Life: 0.3, View: 0.3})
		if err != nil {
			log.Fatal(err)
		}
		if i%columns == 0 {
			grid.Panels = append(grid.Panels, nil)
		}
		row := &grid.Panels[i/columns]
		*row = append(*row, plots.Panel{Title: s.Breed.Name(), Picture: s.Image})
	}
	sheet, err := grid.Image(1)
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, sheet); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(grid.Panels), "rows")
	// Output: 5 rows
}
