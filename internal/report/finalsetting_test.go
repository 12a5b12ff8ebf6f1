package report

import (
	"strings"
	"testing"

	"gaze/pkg/study"
	"gaze/pkg/transform"
)

// TestErased: the twin's pictures lose cells after all else, and are evaluated whole.
func TestErased(t *testing.T) {
	var final study.Row
	for _, row := range laptopRows("start") {
		if row.Name == Gentle {
			final = row
		}
	}
	twin, err := Erased(final, "run", 12, 0.75)
	if err != nil || twin.Start != "run" || twin.Settings != final.Settings || !strings.HasSuffix(twin.Pipeline, "| randomerasecells(12,share=0:0.75)") {
		t.Fatalf("%+v, %v", twin, err)
	}
	p, err := transform.Parse(twin.Pipeline)
	if err != nil {
		t.Fatal(err)
	}
	q, err := transform.Parse(final.Pipeline)
	if err != nil || p.Evaluation().String() != q.Evaluation().String() {
		t.Errorf("evaluated by %s instead of %s (%v)", p.Evaluation(), q.Evaluation(), err)
	}
	if _, err := Erased(final, "run", 12, 1.5); err == nil {
		t.Error("more than all cells are removed")
	}
}
