package caption

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// treeLogProbs is the language model of tools/golden/caption.py, whose logits
// are drawn anew for every beginning.
func treeLogProbs(name string, h *hypothesis) []float32 {
	key := name + " 1"
	for _, p := range h.tokens() {
		key += fmt.Sprint(" ", p.id)
	}
	logits := stream(key, 12)
	sum := 0.0
	for i := range logits {
		logits[i] *= 3
		sum += math.Exp(float64(logits[i]))
	}
	for i := range logits {
		logits[i] -= float32(math.Log(sum))
	}
	return logits
}

// TestBeamGolden searches 80 random trees as transformers' generate does.
func TestBeamGolden(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "beam.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name           string
		Width, Limit   int
		Penalty, Score float64
		IDs            []int
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 80 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		o := Options{Beam: c.Width, LengthPenalty: c.Penalty, MaxTokens: c.Limit}
		var s search = newSingle(o, 2, 0)
		beams := newBeam(o, 2)
		if c.Width > 1 {
			s = beams
		}
		for !s.done() {
			running := s.(interface{ now() []*hypothesis }).now()
			var rows []prediction
			for _, h := range running {
				rows = append(rows, prediction{logProbs: treeLogProbs(c.Name, h)})
			}
			s.advance(rows)
		}
		var ids []int
		for _, p := range s.best().tokens() {
			ids = append(ids, p.id)
		}
		if !slices.Equal(ids, c.IDs) {
			t.Errorf("%s, width %d, penalty %g, limit %d:\n got %v\nwant %v", c.Name, c.Width, c.Penalty, c.Limit, ids, c.IDs)
		}
		if c.Width > 1 && math.Abs(beams.kept[0].score-c.Score) > 1e-5*max(1, math.Abs(c.Score)) {
			t.Errorf("%s: score %g, want %g", c.Name, beams.kept[0].score, c.Score)
		}
	}
}

func (b *beam) now() (list []*hypothesis) {
	for _, r := range b.running {
		list = append(list, r.caption)
	}
	return list
}

func (s *single) now() []*hypothesis { return []*hypothesis{s.caption} }
