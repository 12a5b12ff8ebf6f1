package scenes_test

import (
	"testing"

	"gaze/pkg/caption/score"
	"gaze/pkg/data/scenes"
)

// What a person scores who writes like the references: one of them against the
// other four. It tells what a captioner's scores on these pictures are worth.
func TestOneReferenceAgainstTheOthers(t *testing.T) {
	var refs [][]string
	var hyps []string
	words := 0
	for i := range 400 {
		s, err := scenes.Draw(11, i, 32, scenes.Test)
		if err != nil {
			t.Fatal(err)
		}
		hyps = append(hyps, s.Captions[0])
		refs = append(refs, s.Captions[1:])
		for _, c := range s.Captions[0] {
			if c == ' ' {
				words++
			}
		}
	}
	cider, _ := score.CIDEr(refs, hyps)
	bleu, _ := score.BLEU(refs, hyps)
	t.Logf("CIDEr %.2f, BLEU-4 %.3f, %.1f words a caption", cider, bleu[3], float64(words)/400+1)
	if cider < 2.5 || cider > 4.5 || bleu[3] < 0.5 || bleu[3] > 0.85 {
		t.Errorf("CIDEr %.2f, BLEU-4 %.3f; as varied as people's captions are within limits: 2.5 to 4.5, 0.5 to 0.85", cider, bleu[3])
	}
}
