package data_test

import (
	"fmt"
	"path/filepath"

	"gaze/pkg/data"
)

func Example() {
	paths, err := data.List([]string{
		filepath.Join("testdata", "pictures", "orientation_6.jpg"),
		filepath.Join("testdata", "pictures", "lossy.webp"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range paths {
		im, err := data.Decode(path)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s: %d rows of %d pixels, %d channels\n", filepath.Base(path), im.Height, im.Width, im.Channels)
	}
	// Output:
	// lossy.webp: 13 rows of 19 pixels, 3 channels
	// orientation_6.jpg: 19 rows of 13 pixels, 3 channels
}

// The names from Find distinguish the results of pictures in several folders.
func ExampleFind() {
	listing, err := data.Find([]string{filepath.Join("testdata", "pictures", "lossy.webp"), filepath.Join("testdata", "pictures", "orientation_6.jpg")}, data.FindOptions{Recursive: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, picture := range listing.Pictures {
		fmt.Println(picture.Name)
	}
	// Output:
	// lossy.webp
	// orientation_6.jpg
}
