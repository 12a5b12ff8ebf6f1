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

// What makes a breed: its picture without the ears, and with those of a bat.
func ExampleOriginal_Draw() {
	original, err := pets.NewOriginal(1, 3, 0, 96, pets.Natural)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("around the animal:", original.Scenery)
	looks := original.Breed
	looks.Ears = pets.BatEars
	for _, change := range []pets.Change{
		{Without: []pets.Part{pets.PartEars}},
		{Looks: &looks},
		{Without: []pets.Part{pets.PartAnimal}},
	} {
		s, err := original.Draw(change)
		if err != nil {
			log.Fatal(err)
		}
		changed := 0
		for _, v := range s.Changed.Pix {
			changed += int(v)
		}
		fmt.Printf("%s ears, without %v: %.1f %% of the picture changes\n", s.Breed.Ears, change.Without, 100*float64(changed)/255/96/96)
	}
	// Output:
	// around the animal: [backdrop ground shadow]
	// round ears, without [ears]: 2.8 % of the picture changes
	// bat ears, without []: 8.2 % of the picture changes
	// round ears, without [animal]: 46.2 % of the picture changes
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
