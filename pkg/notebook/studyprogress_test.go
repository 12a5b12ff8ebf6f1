package notebook

import (
	"strings"
	"testing"
	"time"

	"gaze/pkg/study"
	"gaze/pkg/train"
)

// TestStudyLeft: the time left counts the runs that haven't begun and the rest of those
// under way, but not those that were done before.
func TestStudyLeft(t *testing.T) {
	s := &studyProgress{}
	at := func(run, epoch, done, batch int) study.Progress {
		return study.Progress{Run: run, Runs: 10, Progress: train.Progress{Metrics: train.Metrics{Batch: batch}, Epoch: epoch, Epochs: 2, Done: done, Batches: 4}}
	}
	if text := s.left(at(6, 1, 2, 8)); text != "" { // five were done before
		t.Errorf("at once: %q", text)
	}
	time.Sleep(1100 * time.Millisecond)
	text := s.left(at(6, 2, 4, 0)) // three quarters of a run in 1.1 s: four more take 6 s
	if !strings.HasPrefix(text, ", about ") || !strings.HasSuffix(text, " s left") || len(s.underWay) != 0 {
		t.Errorf("after the run: %q, under way %v", text, s.underWay)
	}
	if left := s.meter.Left(); left < 5*time.Second || left > 9*time.Second {
		t.Errorf("%s left", left)
	}
}
