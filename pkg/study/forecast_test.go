package study

import (
	"math"
	"strings"
	"testing"
	"time"

	"gaze/pkg/train"
)

// TestForecast: at a steady speed, the estimate is right from the first report on.
func TestForecast(t *testing.T) {
	all := rows()
	all[1].PerClass = 6 // half the pictures
	probe := Row{Name: "probe", Start: all[0].Start, Pipeline: all[0].Pipeline, Settings: "epochs=30; probe"}
	nearest := Row{Name: "nearest", Kind: Neighbours, Start: all[0].Start, Pipeline: all[0].Pipeline}
	s := Study{Data: smallSet(t), Rows: append(all, probe, nearest), Seeds: []uint64{1, 2}, Dir: t.TempDir()}
	f, err := s.Forecast()
	if err != nil {
		t.Fatal(err)
	}
	// 36 training, 18 validation and 18 test pictures: 3 epochs of 36·3+18, then 18.
	unit := f.work[0] / (3*(36*3+18) + 18)
	for i, want := range []float64{3*(36*3+18) + 18, 3*(36*3+18) + 18, 3*(18*3+18) + 18, 3*(18*3+18) + 18, 36 + 18 + 18, 36 + 18 + 18, 0, 0} {
		if got := f.work[i] / unit; math.Abs(got-want) > 1e-6 {
			t.Errorf("run %d takes %g, want %g", i, got, want)
		}
	}
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	f.clock = func() time.Time { return now }
	at := func(run, epoch, done int) {
		f.Observe(Progress{Run: run, Runs: 8, Progress: train.Progress{Metrics: train.Metrics{Batch: 12}, Epoch: epoch, Epochs: 3, Done: done, Batches: 3}})
	}
	at(2, 1, 0) // the first run was done before
	if _, ok := f.Remaining(); ok || f.Text() != "" {
		t.Error("an estimate before anything was done")
	}
	now = now.Add(time.Minute) // for a third of the run: 132 of 396 pictures' worth
	at(2, 2, 0)
	left, ok := f.Remaining()
	total := 132 * (396*2./3 + 2*234 + 2*72) / 132
	if want := time.Duration(float64(time.Minute) * total / 132); !ok || math.Abs(left.Seconds()-want.Seconds()) > 1 {
		t.Errorf("%v left, want %v", left, want)
	}
	if text := f.Text(); !strings.Contains(text, "1 of 8 runs were done before") || !strings.Contains(text, "about 8 min in all, to about 12:07") {
		t.Error(text)
	}
	now = now.Add(time.Minute)
	at(3, 2, 0)
	if text := f.Text(); !strings.HasSuffix(text, "left") {
		t.Error(text)
	}
	s.Rows[0].Settings = "lr=?"
	if _, err := s.Forecast(); err == nil || !strings.Contains(err.Error(), "slow") {
		t.Error(err)
	}
	for d, want := range map[time.Duration]string{35 * time.Second: "35 s", 10 * time.Minute: "10 min", 3*time.Hour + 13*time.Minute: "3 h 15 min"} {
		if got := aboutTime(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func TestProcessorName(t *testing.T) {
	if got := processorName("processor\t: 0\nmodel name\t: A processor @ 2 GHz\nmodel name\t: Other\n"); got != "A processor @ 2 GHz" {
		t.Error(got)
	}
	if got := DescribeDevice(`xla:/home/me/lib/cpu_plugin.so - PJRT "/home/me/lib/cpu_plugin.so" plugin v0.115`); !strings.HasPrefix(got, `xla:cpu_plugin.so - PJRT "cpu_plugin.so" plugin v0.115; `) {
		t.Error(got)
	}
	if got := processorName("Features : fp asimd\n"); got != "" {
		t.Error(got)
	}
}
