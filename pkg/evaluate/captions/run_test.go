package captions

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/caption/score"
	"gaze/pkg/data/scenes"
	"gaze/pkg/evaluate"
)

// reported is a report with numbers of its own.
func reported(cider, hit float64) *Report {
	return &Report{
		Pictures: 10, Scores: score.Scores{CIDEr: cider, BLEU4: 0.8}, CountRight: evaluate.Interval{Value: 0.9, Low: 0.8, High: 1},
		Counts:   []Count{{Count: 1, Pictures: 20, Right: evaluate.Interval{Value: 1}}, {Count: 3, Pictures: 20, Right: evaluate.Interval{Value: 0.7}}},
		Pointing: []Pointing{{Kind: AllWords, Words: 30, Hit: evaluate.Interval{Value: hit}, HitChance: 0.1}, {Kind: Nouns, HitReading: evaluate.Interval{Value: 0.3}}},
		Articles: []Articles{{Articles: 5, Own: evaluate.Interval{Value: 0.7}, Others: evaluate.Interval{Value: 0.2}}},
		Said:     []Said{{Text: "a dog"}},
	}
}

func TestRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	first := Run{Name: "seed 1", Teach: 0.15, Seconds: 600, Test: reported(4.5, 0.99), HeldOut: reported(4.2, 0.98)}
	untaught := Run{Name: "seed 1, untaught", Test: reported(4, 0.7), HeldOut: reported(3.9, 0.6)}
	for _, r := range []Run{untaught, first, first} {
		if err := WriteRun(path, r); err != nil {
			t.Fatal(err)
		}
	}
	if len(first.Test.Said) != 1 {
		t.Error("the run that was written has lost its captions")
	}
	runs, err := ReadRuns(path)
	if err != nil || len(runs) != 2 || runs[1].Name != "seed 1" || runs[1].HeldOut.Scores.CIDEr != 4.2 || runs[1].Test.Said != nil {
		t.Fatalf("runs %+v, error %v", runs, err)
	}
	table := RunTable(runs...).String()
	for _, want := range []string{"seed 1, untaught", "4.20", "98.0", "10.0", "yes", "no"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	for _, text := range []string{"no json", `[{"name":"seed 1"}]`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRuns(path); err == nil {
			t.Errorf("%s is read as a record", text)
		}
		if err := WriteRun(path, first); err == nil {
			t.Errorf("%s is written over", text)
		}
	}
	if runs, err := ReadRuns(filepath.Join(t.TempDir(), "none")); err != nil || runs != nil {
		t.Errorf("a record that isn't there: %v, %v", runs, err)
	}
}

func TestOneReference(t *testing.T) {
	s, err := OneReference(context.Background(), Set{Split: scenes.HeldOut, Count: 60})
	if err != nil || s.CIDEr < 2.5 || s.CIDEr > 5 || s.BLEU4 < 0.5 || s.BLEU4 > 0.9 || s.BLEU1 < s.BLEU4 || s.ROUGEL == 0 {
		t.Errorf("%+v, error %v", s, err)
	}
}
