package notebook

import (
	"context"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"gaze/internal/environ"
	"gaze/internal/meter"
	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
	"gaze/pkg/study"
	"gaze/pkg/train"
)

// studyNotes are the notes that this program has printed.
var studyNotes sync.Map

// OpenStudy is the study of the report's problem 1; its pictures are drawn or listed,
// nothing is trained yet. With GAZE_PETS and GAZE_VIT set it is about those; where one
// of them is set and isn't used, a note says why. Trouble ends the cell with the reason,
// as [Check] does.
func OpenStudy() *study.Study {
	environ.WarnOnce(os.Stderr)
	s := Must(report.Classification(context.Background()))
	for _, text := range s.Notes {
		if _, said := studyNotes.LoadOrStore(text, true); !said { // a cell may open it twice
			note("note: " + text)
		}
	}
	return s
}

// Sweep tries learning rates on a row of the study. The result is cached.
func Sweep(s *study.Study, row string) *train.Sweep {
	ctx, stop := Interrupt()
	defer stop()
	key := []any{row, s.Seeds[0]}
	for _, r := range s.Rows {
		if r.Name == row {
			start, err := FileKey(r.Start)
			if err != nil {
				start = r.Start // a description
			}
			key = append(key, start, r.Pipeline, r.Settings)
		}
	}
	key = append(key, Must(s.Data.Train.Hash(ctx)))
	return Must(Cached(s.Dir, "sweep", key, func() (*train.Sweep, error) {
		device, err := backend.Default()
		if err != nil {
			return nil, err
		}
		return s.Sweep(ctx, device, row)
	}))
}

// Study runs the study of the report's problem 1, showing how far it is while it
// trains. What was trained before is read, so every cell may
// call it. Trouble ends the cell with the reason, as [Check] does; interrupted, the
// runs under way are saved and the next call goes on with them.
func Study() *study.Result { return runStudy(OpenStudy()) }

func runStudy(s *study.Study) *study.Result {
	ctx, stop := Interrupt()
	defer stop()
	device := Must(backend.Default())
	shown := &studyProgress{training: NewTraining(), began: time.Now()}
	s.Progress = shown.report
	result, err := s.Run(ctx, device)
	shown.close()
	Check(err)
	return result
}

// RateCurves returns the validation curves of the study's rows that differ in the
// learning rate.
func RateCurves() plots.LineChart { return Must(report.RateCurves(Study())) }

// ChangeCurves returns the validation curves of the study's other rows, each of which
// changes something.
func ChangeCurves() plots.LineChart { return Must(report.ChangeCurves(Study())) }

// Effects returns a table of the effect of each of the study's changes on the accuracy.
func Effects() plots.Table { return study.EffectTable(report.Effects(Study())) }

// DiscussStudy describes the results of the study in words.
func DiscussStudy() Text { return Text(report.DiscussClassification(Study())) }

// studyProgress shows the progress of a study's runs in one output, which it clears at the
// end.
type studyProgress struct {
	training *Training
	began    time.Time
	last     time.Time
	done     int // runs
	meter    *meter.Meter
	underWay map[int]float64 // how much of each run that isn't done yet, by its number
	furthest int             // the largest number of a run
}

// left is the time that the study still takes, in words, "" if it isn't known yet. Runs
// begin in the order of their numbers; those before them are done, in this session or an
// earlier one.
func (s *studyProgress) left(p study.Progress) string {
	if s.meter == nil {
		s.meter, s.underWay = meter.New(float64(p.Runs)), map[int]float64{}
	}
	s.furthest = max(s.furthest, p.Run)
	s.underWay[p.Run] = (float64(p.Epoch-1) + float64(p.Done)/float64(max(p.Batches, 1))) / float64(max(p.Epochs, 1))
	if p.EpochDone() && p.Epoch == p.Epochs {
		delete(s.underWay, p.Run)
	}
	done := float64(s.furthest)
	for _, part := range s.underWay {
		done -= 1 - part
	}
	s.meter.At(done)
	if !s.meter.Known() {
		return ""
	}
	return ", " + meter.About(s.meter.Left()) + " left"
}

func (s *studyProgress) report(p study.Progress) {
	if p.EpochDone() && p.Epoch == p.Epochs {
		s.done++
	}
	left := s.left(p)
	every := 10 * time.Second
	if display.inNotebook() {
		every = trainingEvery
	}
	if time.Since(s.last) < every {
		return
	}
	s.last = time.Now()
	text := fmt.Sprintf("%d of %d runs done in %s%s; %s, seed %d: %s", s.done, p.Runs, time.Since(s.began).Round(time.Second), left, p.Row.Name, p.Seed, p.Progress)
	if !display.inNotebook() {
		fmt.Fprintln(os.Stderr, text)
		return
	}
	s.training.update("<p>" + html.EscapeString(text) + "</p>")
}

func (s *studyProgress) close() {
	if !s.last.IsZero() && display.inNotebook() {
		s.training.update("")
	}
}

// ShowFinal shows a final result in a box: the accuracy, and the command that reproduces
// it.
func ShowFinal(f study.Final) {
	correct, pictures, share := f.Accuracy()
	judges := "pictures that no choice was made on"
	if f.Run.Test == nil { // without a test set
		judges = f.On + " pictures, by which epoch and row were chosen: expect a little less on others"
	}
	markup := fmt.Sprintf(`<div style="border:2px solid #2a78c5;border-radius:8px;padding:12px 18px;display:inline-block">
<div style="font-size:150%%;font-weight:bold">%.2f %% <span style="font-weight:normal;font-size:70%%">(95 %% interval %.1f to %.1f)</span></div>
<div>%d of %d %s. %s, seed %d.</div>
<pre style="white-space:pre-wrap;margin:8px 0 0">%s</pre></div>`,
		100*share.Value, 100*share.Low, 100*share.High, correct, pictures, judges, html.EscapeString(f.Name), f.Seed, html.EscapeString(command(f)))
	if display.inNotebook() {
		Show(HTML(markup))
		return
	}
	Show(f.String(), command(f))
}

// command is the command that trains a final result, with a known checkpoint by its name
// instead of its place in the cache.
func command(f study.Final) string {
	name := filepath.Base(filepath.Dir(f.Start))
	if path, here := hub.Path(name); !here || path != f.Start {
		return f.Command
	}
	return regexp.MustCompile(`--model \S+`).ReplaceAllLiteralString(f.Command, "--model "+name)
}
