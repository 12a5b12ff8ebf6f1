package notebook

import (
	"strings"
	"testing"

	"gaze/internal/report"
	"gaze/pkg/evaluate"
	"gaze/pkg/study"
	"gaze/pkg/train"
)

// smallStudy is a made-up result with two learning rates and a probe.
func smallStudy(t *testing.T) *study.Result {
	t.Helper()
	p := &evaluate.Predictions{Classes: []string{"cat", "dog"}, Names: []string{"a", "b", "c", "d"}, Labels: []int{0, 0, 1, 1}, Logits: []float32{2, 0, 0, 1, 0, 1, 0, 3}}
	judged, err := evaluate.New(p)
	if err != nil {
		t.Fatal(err)
	}
	right, err := p.Right()
	if err != nil {
		t.Fatal(err)
	}
	r := &study.Result{Classes: p.Classes, Parts: study.Parts{Train: 8, Validation: 4, Test: 4}, Judge: "val", Tested: true, Device: "a processor"}
	score := train.Evaluation{Loss: 0.5, Correct: 3, Total: 4, Accuracy: 0.75}
	run := study.Run{Seed: 1, BestAt: 1, Best: score, Last: score, Report: judged, Test: judged, Right: right, Epochs: []train.EpochMetrics{{Epoch: 1, Update: 2, Train: score, Validation: &score}}}
	for _, row := range []study.Row{{Name: report.RateName(1e-6), Settings: "lr=1e-6"}, {Name: report.RateName(1e-4), Settings: "lr=1e-4"}, {Name: report.OwnProbe, Settings: "lr=1e-3; probe"}} {
		row.Model = "tiny"
		r.Outcomes = append(r.Outcomes, study.Outcome{Row: row, Runs: []study.Run{run}})
	}
	return r
}

// TestShowRealStudy: a study is shown with its tables, curves and figures, and where there is
// none, how to make it.
func TestShowRealStudy(t *testing.T) {
	_, out, status := record(t, false)
	ShowRealStudy(smallStudy(t))
	ShowRealResults(smallStudy(t))
	for _, want := range []string{"8 pictures of 2 breeds to train on", "tiny. Accuracy in percent", "Adam 1e-6", "[picture of", "here: tiny", "94.4", "The best.", "best run of all by validation"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q isn't shown:\n%s", want, out)
		}
	}
	out.Reset()
	ShowRealStudy(nil)
	ShowRealResults(nil)
	if strings.Count(out.String(), "make study-pets") != 2 || *status != 0 {
		t.Error(out)
	}
}

// TestRealStudy: without variables it is what is built in, if anything is.
func TestRealStudy(t *testing.T) {
	t.Setenv("GAZE_PETS", "")
	t.Setenv("GAZE_VIT", "")
	want, err := report.PetsRecord()
	if err != nil {
		t.Fatal(err)
	}
	got := RealStudy()
	if (got == nil) != (want == nil) || got != nil && got.Table().String() != want.Table().String() {
		t.Errorf("%v, want %v", got, want)
	}
}
