package train

import (
	"bytes"
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
