package captions_test

import (
	"context"
	"fmt"
	"log"

	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/data/scenes"
	"gaze/pkg/evaluate/captions"
)

// newCaptioner makes one of random weights: it babbles.
func newCaptioner() *caption.Captioner {
	vocab, err := wordpiece.New(append([]string{"[PAD]", "[CLS]", "[SEP]", "[UNK]"}, scenes.Words()...))
	if err != nil {
		log.Fatal(err)
	}
	cfg := caption.Small(vocab.Len())
	cfg.LongestSide = 32 // small, for an example
	m, err := caption.New(cfg, 1)
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
	return c
}

func ExampleEvaluate() {
	c := newCaptioner() // of a trained model in use
	defer c.Close()
	set := captions.Set{Seed: 1, Split: scenes.HeldOut, Count: 4}
	r, err := captions.Evaluate(context.Background(), c, set, captions.Options{Caption: caption.Options{MaxTokens: 8}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Set)
	fmt.Println("equal to a reference:", r.Identical.Percent())
	// Output:
	// pictures 0 to 3 of heldout, seed 1, 32 pixels
	// equal to a reference: 0.0 % (0.0 to 49.0)
}

func ExampleOcclude() {
	c := newCaptioner()
	defer c.Close()
	set := captions.Set{Seed: 1, Split: scenes.Test, Count: 4}
	r, err := captions.Occlude(context.Background(), c, set, captions.OcclusionOptions{Options: captions.Options{Caption: caption.Options{MaxTokens: 8}}})
	if err != nil {
		log.Fatal(err)
	}
	// r.Table(1) has the numbers, r.Figure(1) the bars.
	fmt.Println(r.Set)
	// Output:
	// pictures 0 to 3 of test, seed 1, 32 pixels
}
