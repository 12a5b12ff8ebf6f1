package train

import (
	"bytes"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// progressAt is a run's progress after a batch, or with batch 0 after an epoch.
func progressAt(epoch, done, batch int) Progress {
	return Progress{
		Metrics: Metrics{Batch: batch}, Epoch: epoch, Epochs: 2, Done: done, Batches: 4,
		Train: Evaluation{Loss: 1.25, Correct: 3, Total: 4, Accuracy: 0.75}, PicturesPerSec: 12.5, Remaining: 90 * time.Second,
	}
}

func TestReporterOnTerminal(t *testing.T) {
	var out bytes.Buffer
	clock := time.Unix(0, 0)
	r := NewReporter(&out)
	r.live, r.now = true, func() time.Time { return clock }
	r.Report(progressAt(1, 1, 8))
	r.Report(progressAt(1, 2, 8)) // too soon
	clock = clock.Add(reportEvery)
	r.Report(progressAt(1, 3, 8))
	end := progressAt(1, 4, 0)
	end.Validation = &Evaluation{Loss: 0.5, Accuracy: 1}
	r.Report(end)
	r.Report(progressAt(2, 1, 8)) // at once: nothing stands there
	r.Close()
	r.Close()
	want := "epoch 1/2, step 1/4, 1m30s left, 12.5 images/s, loss 1.2500, 75.00 % right" +
		"\r\x1b[Kepoch 1/2, step 3/4, 1m30s left, 12.5 images/s, loss 1.2500, 75.00 % right" +
		"\r\x1b[Kepoch 1/2: loss 1.2500, 75.00 % right; validation: loss 0.5000, 100.00 % right; 12.5 images/s, 1m30s left\n" +
		"epoch 2/2, step 1/4, 1m30s left, 12.5 images/s, loss 1.2500, 75.00 % right\r\x1b[K"
	if out.String() != want {
		t.Errorf("wrote\n%q, want\n%q", out.String(), want)
	}
}

// TestReporterLineFits in a terminal's line, however big the numbers.
func TestReporterLineFits(t *testing.T) {
	var out bytes.Buffer
	r := NewReporter(&out)
	r.live = true
	p := progressAt(1, 123456, 8)
	p.Batches, p.Remaining, p.PicturesPerSec = 1234567, 999*time.Hour, 123456
	r.Report(p)
	if n := len([]rune(out.String())); n != lineWidth {
		t.Errorf("a line of %d columns, want %d", n, lineWidth)
	}
}

// TestReporterInFile writes a plain line for each epoch.
func TestReporterInFile(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := NewReporter(file)
	for epoch := 1; epoch <= 2; epoch++ {
		for done := 1; done <= 4; done++ {
			r.Report(progressAt(epoch, done, 8))
		}
		r.Report(progressAt(epoch, 4, 0))
	}
	r.Close()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	want := "epoch 1/2: loss 1.2500, 75.00 % right; 12.5 images/s, 1m30s left\nepoch 2/2: loss 1.2500, 75.00 % right; 12.5 images/s\n"
	if string(text) != want || strings.Contains(string(text), "\r") {
		t.Errorf("wrote %q, want %q", text, want)
	}
}

// TestReporterForecast writes how long the run takes above the live line.
func TestReporterForecast(t *testing.T) {
	var out bytes.Buffer
	r := NewReporter(&out)
	r.live = true
	r.Report(progressAt(1, 1, 8))
	p := progressAt(1, 2, 8)
	p.Forecast = "about 2 min for 2 epochs of 4 steps"
	r.Report(p)
	if text := out.String(); !strings.Contains(text, "\r\x1b[K"+p.Forecast+"\nepoch 1/2, step 2/4") {
		t.Errorf("wrote %q", text)
	}
}

// emptySource is a source of so many batches.
type emptySource int

func (s emptySource) Len() int                                 { return int(s) }
func (s emptySource) Batches(int, int) iter.Seq2[Batch, error] { return nil }

// TestWork: the work of a run grows with each batch and with the validation, up to the
// whole, which Remaining is estimated from.
func TestWork(t *testing.T) {
	r := &run{Fit: Fit{Train: emptySource(10), Validation: emptySource(6), Epochs: 3}}
	for _, c := range []struct {
		epochs, batches int
		validated       bool
		want            float64
	}{{0, 0, false, 0}, {0, 10, false, 10}, {0, 10, true, 12}, {1, 0, false, 12}, {2, 10, true, 36}, {3, 0, false, 36}} {
		if got := r.work(c.epochs, c.batches, c.validated); got != c.want {
			t.Errorf("after %d epochs and %d batches, validated %v: %g, want %g", c.epochs, c.batches, c.validated, got, c.want)
		}
	}
	r.Validation = nil
	if got := r.work(3, 0, false); got != 30 {
		t.Errorf("without validation: %g", got)
	}
}
