package train

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Progress is how far a run is.
type Progress struct {
	Metrics                      // of the batch just trained on
	Epoch, Epochs  int           // the one under way, from 1, of how many
	Done, Batches  int           // of the epoch
	Train          Evaluation    // of the epoch so far, as the weights were at each batch
	Validation     *Evaluation   // after an epoch
	Seconds        float64       // since the run began, without the time it was stopped
	PicturesPerSec float64       // since it was started or resumed
	Remaining      time.Duration // estimate for all epochs
}

// Reporter writes how a run goes, for people: on a terminal one line that is
// drawn anew, and one that stays for each epoch; anywhere else only those. Its
// Report is a [Fit.Progress]. It isn't safe for concurrent use.
type Reporter struct {
	w     io.Writer
	live  bool
	now   func() time.Time
	last  time.Time // when the live line was drawn
	drawn bool      // whether a live line stands there
}

// lineWidth is the most columns that the live line takes: one that a terminal
// breaks in two can't be drawn over.
const lineWidth = 79

// reportEvery is the shortest time between two drawings of the live line.
const reportEvery = 100 * time.Millisecond

// NewReporter reports to w, live if that is a terminal.
func NewReporter(w io.Writer) *Reporter {
	return &Reporter{w: w, live: isTerminal(w), now: time.Now}
}

// isTerminal tells whether w is a device that draws over a line after "\r".
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Report takes in how the run stands.
func (r *Reporter) Report(p Progress) {
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

// Close takes the live line away. Call it before anything else is written there.
func (r *Reporter) Close() { r.clear() }

func (r *Reporter) clear() {
	if r.drawn {
		fmt.Fprint(r.w, "\r\x1b[K")
		r.drawn = false
	}
}

// EpochDone tells whether this is how an epoch ended, with its validation if
// there is one, and not how a batch did.
func (p Progress) EpochDone() bool { return p.Batch == 0 }

// String is a line for people: epoch, step, time left, speed, loss, accuracy.
func (p Progress) String() string {
	return fmt.Sprintf("epoch %d/%d, step %d/%d, %s left, %.1f images/s, loss %.4f, %.2f %% right",
		p.Epoch, p.Epochs, p.Done, p.Batches, p.Remaining.Round(time.Second), p.PicturesPerSec, p.Train.Loss, 100*p.Train.Accuracy)
}

// epochLine is what stays of an epoch.
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
