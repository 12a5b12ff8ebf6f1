package caption_test

import (
	"fmt"
	"log"

	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/transform"
)

// A captioner made of random weights babbles, but shows how it is used: one made
// of trained weights comes from caption.Load.
func Example() {
	vocab, err := wordpiece.New([]string{"[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "dog", "run", "##s", "."})
	if err != nil {
		log.Fatal(err)
	}
	m, err := caption.New(caption.Small(vocab.Len()), 1)
	if err != nil {
		log.Fatal(err)
	}
	b, err := backend.Open("go")
	if err != nil {
		log.Fatal(err)
	}
	c, err := caption.NewCaptioner(b, m, vocab)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	picture := transform.NewImage(200, 100, 3)
	results, err := c.Caption([]*transform.Image{picture}, caption.Options{Beam: 2, LengthPenalty: 1, MaxTokens: 5})
	if err != nil {
		log.Fatal(err)
	}
	r := results[0]
	fmt.Println("cells:", r.Grid)
	fmt.Println("maps of a piece:", len(r.Attention[0]), "layers of", len(r.Attention[0][0]), "heads")
	// Output:
	// cells: [8 16]
	// maps of a piece: 3 layers of 4 heads
}
