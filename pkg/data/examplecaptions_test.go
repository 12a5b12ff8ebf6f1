package data_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"gaze/pkg/data"
)

// Captions in COCO's format. One of the pictures isn't there.
func ExampleOpenCaptions() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	list := filepath.Join(dir, "captions.json")
	for name, text := range map[string]string{
		"captions.json": `{
			"images": [{"id": 7, "file_name": "7.jpg", "split": "val"}, {"id": 8, "file_name": "8.jpg"}],
			"annotations": [{"image_id": 7, "caption": "A dog runs."}, {"image_id": 8, "caption": "A cat."}]}`,
		"7.jpg": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	set, err := data.OpenCaptions(list, "")
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range set.Pictures {
		fmt.Println(filepath.Base(p.Path), p.Split, p.Captions)
	}
	fmt.Println("missing:", set.Missing)
	// Output:
	// 7.jpg val [A dog runs.]
	// missing: [8.jpg]
}
