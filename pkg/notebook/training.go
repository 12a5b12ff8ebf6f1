package notebook

import (
	"context"
	"fmt"
	"html"
	"net"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"gaze/pkg/plots"
	"gaze/pkg/train"
)

// Training shows the progress of a run and a table of its epochs below the cell, in
// one output that is redrawn at most four times a second. After Close only the table
// remains, also in an export. Outside a notebook it is a [train.Reporter] on standard
// error, followed by the table.
//
//	shown := notebook.NewTraining()
//	fit.Progress = shown.Report
//	_, err := fit.Run(ctx, trainer)
//	shown.Close()
type Training struct {
	id       string
	epochs   []train.EpochMetrics
	now      func() time.Time
	last     time.Time
	reporter *train.Reporter // outside a notebook
}

// trainingEvery is the shortest time between two updates.
const trainingEvery = 250 * time.Millisecond

// NewTraining returns a Training that has shown nothing yet.
func NewTraining() *Training {
	t := &Training{now: time.Now}
	if display.inNotebook() {
		t.id = "training_" + gonbui.UniqueId()
	} else {
		t.reporter = train.NewReporter(os.Stderr)
	}
	return t
}

// Report shows the progress of the run; set it as a [train.Fit]'s Progress.
func (t *Training) Report(p train.Progress) {
	if p.EpochDone() {
		t.epochs = append(t.epochs, train.EpochMetrics{Epoch: p.Epoch, Update: p.Update, Train: p.Train, Validation: p.Validation, Seconds: p.Seconds})
	}
	if t.reporter != nil {
		t.reporter.Report(p)
		return
	}
	if t.now().Sub(t.last) < trainingEvery {
		return // the next report, or Close, shows the new values
	}
	t.last = t.now()
	text := "<p>" + html.EscapeString(p.String()) + "</p>"
	if len(t.epochs) > 0 {
		text += TrainingTable(t.epochs).HTML()
	}
	t.update(text)
}

// Close leaves only the table of the epochs, or nothing if no epoch was finished. It
// returns when the front end has received it.
func (t *Training) Close() {
	table := TrainingTable(t.epochs)
	if t.reporter != nil {
		t.reporter.Close()
		if len(t.epochs) > 0 {
			Show(table)
		}
		return
	}
	if len(t.epochs) > 0 {
		t.update(table.HTML())
	} else if !t.last.IsZero() {
		t.update("")
	}
	gonbui.Sync()
}

// update replaces the HTML that was shown before.
func (t *Training) update(text string) {
	display.send(&protocol.DisplayData{DisplayID: t.id, Data: map[protocol.MIMEType]any{protocol.MIMETextHTML: text}})
}

// TrainingTable returns a table of a run's epochs, for example those that [train.History]
// returns: loss and accuracy in training and validation, and the minutes and seconds since
// the run began. The epoch that was best on the validation set is highlighted.
func TrainingTable(epochs []train.EpochMetrics) plots.Table {
	table := plots.Table{Columns: []plots.Column{
		{Name: "Epoch"}, {Name: "Training loss", Format: "%.4f"}, {Name: "Training accuracy"},
		{Name: "Validation loss", Format: "%.4f"}, {Name: "Validation accuracy"}, {Name: "Time"},
	}}
	best := -1
	for i, e := range epochs {
		row := []any{e.Epoch, e.Train.Loss, percent(e.Train.Accuracy), nil, nil, time.Duration(e.Seconds * float64(time.Second)).Round(time.Second).String()}
		if v := e.Validation; v != nil {
			row[3], row[4] = v.Loss, percent(v.Accuracy)
			if best < 0 || v.Better(epochs[best].Validation) {
				best = i
			}
		}
		table.Rows = append(table.Rows, row)
	}
	if best >= 0 && len(epochs) > 1 {
		table.Highlight = []int{best}
	}
	return table
}

func percent(fraction float64) string { return fmt.Sprintf("%.2f %%", 100*fraction) }

// Interrupt returns a context that ends when the cell is interrupted (with Ctrl-C outside
// a notebook). A [train.Fit] with this context then saves and returns [train.ErrStopped].
// The kernel, which kills other programs a second after an interruption, is told that the
// program saves, and waits for it. A second interruption ends the program at once; then
// everything since the last checkpoint is lost, see Fit.CheckpointEvery. Call the returned
// function when the work is done.
func Interrupt() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var once sync.Once
	done := make(chan struct{})
	context.AfterFunc(ctx, func() {
		stop() // a second interruption isn't handled
		select {
		case <-done: // the work is done, nothing was interrupted
		default:
			announceSaving(done)
		}
	})
	return ctx, func() {
		once.Do(func() { close(done) })
		stop()
	}
}

// announceSaving tells the kernel, if there is one, that the program saves, until done is
// closed. Without a connection the kernel just has less patience.
func announceSaving(done <-chan struct{}) {
	path := os.Getenv("GAZE_KERNEL_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("{\"do\":\"saving\"}\n")); err == nil {
		<-done
	}
}
