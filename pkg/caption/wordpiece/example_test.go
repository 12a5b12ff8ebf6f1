package wordpiece_test

import (
	"fmt"
	"log"

	"gaze/pkg/caption/wordpiece"
)

func ExampleVocab_Encode() {
	vocab, err := wordpiece.New([]string{"[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "ski", "##s", "and", "cafe", ".", "'"})
	if err != nil {
		log.Fatal(err)
	}
	ids := vocab.Encode("Skis and a café.")
	var pieces []string
	for _, id := range ids {
		pieces = append(pieces, vocab.Token(id))
	}
	fmt.Println(pieces)
	fmt.Println(vocab.Decode(ids))
	// Output:
	// [ski ##s and a cafe .]
	// skis and a cafe.
}
