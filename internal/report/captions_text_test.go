package report

import (
	"strings"
	"testing"

	"gaze/pkg/caption/score"
	"gaze/pkg/evaluate"
	"gaze/pkg/evaluate/captions"
)

// reported is a report with distinct numbers.
func reported(cider, hit float64) *captions.Report {
	return &captions.Report{
		Pictures: 10, Scores: score.Scores{CIDEr: cider, BLEU4: 0.8}, CountRight: evaluate.Interval{Value: 0.9, Low: 0.8, High: 1},
		Counts:   []captions.Count{{Count: 1, Pictures: 20, Right: evaluate.Interval{Value: 1}}, {Count: 3, Pictures: 20, Right: evaluate.Interval{Value: 0.7}}},
		Pointing: []captions.Pointing{{Kind: captions.AllWords, Words: 30, Hit: evaluate.Interval{Value: hit}, HitChance: 0.1}, {Kind: captions.Nouns, HitReading: evaluate.Interval{Value: 0.3}}},
		Articles: []captions.Articles{{Articles: 5, Own: evaluate.Interval{Value: 0.7}, Others: evaluate.Interval{Value: 0.2}}},
		Said:     []captions.Said{{Text: "a dog"}},
	}
}

func TestDiscussCaptions(t *testing.T) {
	cause := &captions.OcclusionReport{
		All:   captions.StillNamed{Objects: 40, Named: evaluate.Interval{Value: 0.31}, Elsewhere: evaluate.Interval{Value: 0.97}},
		Words: []captions.StillNamed{{Name: "kite", Objects: 9, Named: evaluate.Interval{Value: 0.5}}, {Name: "dog", Objects: 9, Named: evaluate.Interval{Value: 0.1}}},
	}
	runs := []captions.Run{{Name: "untaught", Test: reported(4, 0.7), HeldOut: reported(3.9, 0.61)}}
	text := DiscussCaptions(reported(4.5, 0.99), reported(4.2, 0.98), score.Scores{CIDEr: 3.75}, cause, runs)
	for _, want := range []string{
		"CIDEr of 4.20", "has 3.75", "98.0 % of 30 words", "**trained for this**", "61.0 %", "0.70", "31 % of 40 objects", "97 %", "cost 0.30",
		"hardest at 3: 70.0 %", "kite 50 %", "only 30 %",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "dog") {
		t.Errorf("it lists an object that is rarely named while masked:\n%s", text)
	}
}
