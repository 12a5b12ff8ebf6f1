package train

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Progress is how far a run has come.
type Progress struct {
	Metrics                      // of the last batch
	Epoch, Epochs  int           // number of the current epoch, from 1, and of all
	Done, Batches  int           // batches done and in the epoch
	Train          Evaluation    // of the epoch so far, each batch with the weights before its step
	Validation     *Evaluation   // after an epoch
	Seconds        float64       // since the run began, without the time when it was stopped
	PicturesPerSec float64       // since the run was started or resumed
	Remaining      time.Duration // estimate for all epochs
	// Forecast says in the report in which it is first known how long the run takes,
	// "about 12 min for 5 epochs of 230 steps"; elsewhere, and for runs of a few seconds,
	// it is "".
	Forecast string
}

// Reporter prints the progress of a run: how long it takes, as soon as that is known, a
// line for each epoch and, on a terminal, a last line that is redrawn. Its Report method is a [Fit.Progress]. It isn't safe for
// concurrent use.
type Reporter struct {
	w     io.Writer
	live  bool
	now   func() time.Time
	last  time.Time // when the live line was drawn
	drawn bool      // whether the live line is on the screen
}

// lineWidth is the largest width of the live line: a terminal breaks a longer one in two,
// which can't be redrawn.
const lineWidth = 79

// reportEvery is the shortest time between two updates of the live line.
const reportEvery = 100 * time.Millisecond

// NewReporter returns a reporter that prints to w, with a live line if w is a terminal.
func NewReporter(w io.Writer) *Reporter {
	return &Reporter{w: w, live: isTerminal(w), now: time.Now}
}

// isTerminal reports whether w is a device that draws over a line after "\r".
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Report prints the progress.
func (r *Reporter) Report(p Progress) {
	if p.Forecast != "" {
		r.clear()
		fmt.Fprintln(r.w, p.Forecast)
	}
	if p.EpochDone() {
		r.clear()
		fmt.Fprintln(r.w, p.epochLine())
		return
	}
	if !r.live || (r.drawn && r.now().Sub(r.last) < reportEvery) {
		return
	}
	r.clear()
	line := []rune(p.String())
	fmt.Fprint(r.w, string(line[:min(len(line), lineWidth)]))
	r.last, r.drawn = r.now(), true
}

// Close removes the live line. Call it before anything else is written to the terminal.
func (r *Reporter) Close() { r.clear() }

func (r *Reporter) clear() {
	if r.drawn {
		fmt.Fprint(r.w, "\r\x1b[K")
		r.drawn = false
	}
}

// EpochDone reports whether this is the end of an epoch, with its validation if there is
// one, and not the end of a batch.
func (p Progress) EpochDone() bool { return p.Batch == 0 }

// String is a readable line: epoch, step, time left, speed, loss, accuracy.
func (p Progress) String() string {
	return fmt.Sprintf("epoch %d/%d, step %d/%d, %s left, %.1f images/s, loss %.4f, %.2f %% right",
		p.Epoch, p.Epochs, p.Done, p.Batches, p.Remaining.Round(time.Second), p.PicturesPerSec, p.Train.Loss, 100*p.Train.Accuracy)
}

// epochLine is the line that remains of an epoch.
func (p Progress) epochLine() string {
	line := fmt.Sprintf("epoch %d/%d: loss %.4f, %.2f %% right", p.Epoch, p.Epochs, p.Train.Loss, 100*p.Train.Accuracy)
	if v := p.Validation; v != nil {
		line += fmt.Sprintf("; validation: loss %.4f, %.2f %% right", v.Loss, 100*v.Accuracy)
	}
	line += fmt.Sprintf("; %.1f images/s", p.PicturesPerSec)
	if p.Epoch < p.Epochs {
		line += fmt.Sprintf(", %s left", p.Remaining.Round(time.Second))
	}
	return line
}
