package score_test

import (
	"fmt"

	"gaze/pkg/caption/score"
)

func ExampleTokenize() {
	for _, line := range score.Tokenize([]string{"The cat's asleep, isn't it?", "They're gonna pay $5 (in the U.S.)!"}) {
		fmt.Println(line)
	}
	// Output:
	// the cat 's asleep is n't it
	// they 're gon na pay $ 5 -lrb- in the u.s. -rrb-
}

func ExampleCIDEr() {
	refs := [][]string{
		{"a dog runs on the beach", "a brown dog running"},
		{"two cats on a sofa", "cats asleep on a couch"},
		{"a man rides a bike", "a man on a bike"},
	}
	hyps := []string{"a dog runs on the grass", "two cats on a couch", "a woman"}
	corpus, each := score.CIDEr(refs, hyps)
	fmt.Printf("%.3f %.3f\n", corpus, each)
	// Output:
	// 2.965 [4.050 4.846 0.000]
}

func ExampleBLEU() {
	bleu, _ := score.BLEU([][]string{{"a man on a bike", "a man rides a bike"}}, []string{"a man rides on a bike"})
	fmt.Printf("BLEU-1 %.3f, BLEU-4 %.5f\n", bleu[0], bleu[3])
	// Output:
	// BLEU-1 1.000, BLEU-4 0.00011
}

func ExampleROUGEL() {
	rouge, _ := score.ROUGEL([][]string{{"a man on a bike"}}, []string{"a man rides a bike"})
	fmt.Printf("%.3f\n", rouge)
	// Output:
	// 0.800
}

func ExampleEvaluate() {
	refs := &score.References{
		Path:     "refs.json",
		Images:   []string{"1", "2"},
		Captions: map[string][]string{"1": {"A dog.", "The dog sleeps."}, "2": {"Two cats.", "Cats!"}},
	}
	report, err := score.Evaluate(refs, []score.Caption{{Image: "1", Text: "a dog sleeps"}, {Image: "2", Text: "cats"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d pictures, ROUGE-L %.3f\n", report.Pictures, report.Corpus.ROUGEL)
	// Output:
	// 2 pictures, ROUGE-L 0.915
}
