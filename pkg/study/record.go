package study

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gaze/internal/atomicfile"
	"gaze/pkg/evaluate"
	"gaze/pkg/train"
)

// Record is a result as a file: everything that tables, curves, effects, confusion and
// calibration need, and neither weights nor pictures. [Record.Result] answers as the result
// did that it was made of.
type Record struct {
	Format   int            `json:"format"` // recordFormat
	Folder   string         `json:"folder"` // the data set's name
	Parts    Parts          `json:"pictures"`
	Classes  []string       `json:"classes"`
	HeldOut  *train.HeldOut `json:"held_out,omitempty"`
	Judge    string         `json:"judged_on"`
	Tested   bool           `json:"tested"`
	Device   string         `json:"device"`
	Notes    []string       `json:"notes,omitempty"`
	Outcomes []RecordedRow  `json:"rows"`
	Missing  []Missing      `json:"missing,omitempty"`
}

// RecordedRow is a row of a record.
type RecordedRow struct {
	Name     string        `json:"name"`
	Asks     string        `json:"asks,omitempty"`
	Model    string        `json:"model,omitempty"`
	Kind     Kind          `json:"kind,omitempty"`
	Features bool          `json:"features,omitempty"`
	Start    string        `json:"start"`
	Pipeline string        `json:"pipeline"`
	Settings string        `json:"settings"`
	PerClass int           `json:"training_pictures_a_class,omitempty"`
	Seeds    []uint64      `json:"seeds,omitempty"`
	Runs     []RecordedRun `json:"runs"`
}

// RecordedRun is a run of a record.
type RecordedRun struct {
	Seed       uint64           `json:"seed"`
	Epochs     []RecordedEpoch  `json:"epochs,omitempty"`
	BestAt     int              `json:"best_epoch,omitempty"`
	Validation *RecordedScore   `json:"validation,omitempty"` // without epochs
	Neighbours int              `json:"neighbours,omitempty"`
	Seconds    float64          `json:"seconds"`
	Pictures   int              `json:"pictures"`
	Right      string           `json:"right"` // a bit for each picture, the first in the lowest bit of the first byte; base64
	Counts     *evaluate.Counts `json:"counts,omitempty"`
	// Summary is in the place of Counts where these would make the record too large.
	Summary *RecordedSummary `json:"summary,omitempty"`
}

// RecordedEpoch is an epoch of a run.
type RecordedEpoch struct {
	Update     int           `json:"update"`
	Train      RecordedScore `json:"train"`
	Validation RecordedScore `json:"validation"`
	Seconds    float64       `json:"seconds"`
}

// RecordedScore is a [train.Evaluation].
type RecordedScore struct {
	Loss    float64 `json:"loss"`
	Correct int     `json:"correct"`
	Total   int     `json:"total"`
}

// RecordedSummary is the numbers of a report without its matrix.
type RecordedSummary struct {
	Loss float64 `json:"loss"`
	ECE  float64 `json:"ece"`
}

const (
	recordFormat = 1
	// maxRecord is the largest size of a record's file in bytes.
	maxRecord = 1_000_000
	// maxClasses keeps a file that isn't a record from taking all memory.
	maxClasses = 1000
	// recordedLosses is how many of a run's worst mistakes a record keeps.
	recordedLosses = 12
)

// Record is the result as a record. The start of a row with a model's name is that name, and
// of paths only the last part is kept: a record tells nothing of the machine's folders.
func (r *Result) Record() *Record {
	rec := &Record{
		Format: recordFormat, Folder: baseName(r.Folder), Parts: r.Parts, Classes: r.Classes, HeldOut: r.HeldOut,
		Judge: r.Judge, Tested: r.Tested, Device: r.Device, Notes: r.Notes, Missing: r.Missing,
	}
	for _, o := range r.Outcomes {
		row := RecordedRow{
			Name: o.Name, Asks: o.Asks, Model: o.Model, Kind: o.Kind, Features: o.Features, Start: o.Model,
			Pipeline: o.Pipeline, Settings: o.Settings, PerClass: o.PerClass, Seeds: o.Seeds,
		}
		if row.Start == "" {
			row.Start = baseName(o.Start)
		}
		for _, run := range o.Runs {
			row.Runs = append(row.Runs, r.recordRun(run))
		}
		rec.Outcomes = append(rec.Outcomes, row)
	}
	return rec
}

// baseName is the last part of a path; a description of a model is left as it is.
func baseName(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}

func (r *Result) recordRun(run Run) RecordedRun {
	out := RecordedRun{Seed: run.Seed, BestAt: run.BestAt, Neighbours: run.Neighbours, Seconds: run.Seconds, Pictures: run.Pictures, Right: packBits(run.Right)}
	for _, e := range run.Epochs {
		out.Epochs = append(out.Epochs, RecordedEpoch{Update: e.Update, Train: scoreOf(e.Train), Validation: scoreOf(*e.Validation), Seconds: e.Seconds})
	}
	if len(run.Epochs) == 0 {
		score := scoreOf(run.Best)
		out.Validation = &score
	}
	if run.Report.Confusion == nil { // of a record that left it out
		out.Summary = &RecordedSummary{run.Report.Loss, run.Report.Calibration.ECE}
		return out
	}
	counts := run.Report.Counts(recordedLosses)
	counts.TopLosses = append([]evaluate.TopLoss{}, counts.TopLosses...)
	for i := range counts.TopLosses {
		counts.TopLosses[i].Name = r.relative(counts.TopLosses[i])
	}
	out.Counts = &counts
	return out
}

// relative is the name of a picture within its set.
func (r *Result) relative(l evaluate.TopLoss) string {
	switch {
	case r.Data == nil: // it was read from a record
		return l.Name
	case r.Data.Test != nil:
		return r.Data.Test.Relative(l.Index)
	}
	return r.Data.Validation.Relative(l.Index)
}

func scoreOf(e train.Evaluation) RecordedScore { return RecordedScore{e.Loss, e.Correct, e.Total} }

func (s RecordedScore) evaluation() train.Evaluation {
	return train.Evaluation{Loss: s.Loss, Correct: s.Correct, Total: s.Total, Accuracy: float64(s.Correct) / float64(max(s.Total, 1))}
}

// packBits writes a bit for each picture, the first in the lowest bit of the first byte.
func packBits(list []bool) string {
	packed := make([]byte, (len(list)+7)/8)
	for i, set := range list {
		if set {
			packed[i/8] |= 1 << (i % 8)
		}
	}
	return base64.StdEncoding.EncodeToString(packed)
}

// unpackBits reads n bits.
func unpackBits(text string, n int) ([]bool, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if len(packed) != (n+7)/8 {
		return nil, fmt.Errorf("%d bytes of bits, for %d pictures", len(packed), n)
	}
	list := make([]bool, n)
	for i := range list {
		list[i] = packed[i/8]>>(i%8)&1 == 1
	}
	return list, nil
}

// Write writes the record as JSON, of at most a megabyte. If it is larger, the confusion
// and calibration of runs other than a row's first are left out, and a note says so; if that
// isn't enough it is an error.
func (rec *Record) Write(path string) error {
	text, err := rec.encode()
	if err != nil {
		return err
	}
	if len(text) > maxRecord {
		if text, err = rec.shortened().encode(); err != nil {
			return err
		}
	}
	if len(text) > maxRecord {
		return fmt.Errorf("study: the record has %d bytes, more than %d: leave out rows or seeds", len(text), maxRecord)
	}
	return atomicfile.WriteBytes(path, text)
}

// encode is the record as text, a line for each run.
func (rec *Record) encode() ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(rec); err != nil {
		return nil, fmt.Errorf("study: record: %w", err)
	}
	out := text.Bytes()
	for _, key := range []string{`{"seed":`, `{"name":`, `"rows":`, `"missing":`} {
		out = bytes.ReplaceAll(out, []byte(key), []byte("\n"+key))
	}
	return out, nil
}

// shortened is the record with the details of each row's first run alone.
func (rec *Record) shortened() *Record {
	out := *rec
	out.Notes = append(append([]string{}, rec.Notes...), "confusion and calibration are kept of each row's first run only, for the record's size")
	out.Outcomes = append([]RecordedRow{}, rec.Outcomes...)
	for i := range out.Outcomes {
		row := &out.Outcomes[i]
		row.Runs = append([]RecordedRun{}, row.Runs...)
		for k := range row.Runs {
			run := &row.Runs[k]
			if k == 0 || run.Counts == nil {
				continue
			}
			report, err := run.Counts.Report(rec.Classes)
			if err != nil {
				continue
			}
			run.Summary, run.Counts = &RecordedSummary{report.Loss, report.Calibration.ECE}, nil
		}
	}
	return &out
}

// ReadRecord reads a record's file.
func ReadRecord(path string) (*Record, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("study: record: %w", err)
	}
	rec, err := ParseRecord(text)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	return rec, nil
}

// ParseRecord reads a record. One that contradicts itself is an error.
func ParseRecord(text []byte) (*Record, error) {
	if len(text) > maxRecord {
		return nil, fmt.Errorf("study: record: %d bytes: a record has at most %d", len(text), maxRecord)
	}
	rec := &Record{}
	if err := json.Unmarshal(text, rec); err != nil {
		return nil, fmt.Errorf("study: record: %w", err)
	}
	if rec.Format != recordFormat {
		return nil, fmt.Errorf("study: record: its format is %d, this program knows %d", rec.Format, recordFormat)
	}
	if _, err := rec.result(); err != nil {
		return nil, fmt.Errorf("study: record: %w", err)
	}
	return rec, nil
}

// Result is the recorded result. It has no pictures (Data is nil).
func (rec *Record) Result() *Result {
	r, err := rec.result()
	if err != nil { // ParseRecord has tried, and Result.Record makes whole ones
		panic(fmt.Sprintf("study: a record was changed: %v", err))
	}
	return r
}

func (rec *Record) result() (*Result, error) {
	if len(rec.Classes) < 2 || len(rec.Classes) > maxClasses || rec.Parts.Train < 0 || rec.Parts.Validation < 0 || rec.Parts.Test < 0 {
		return nil, fmt.Errorf("%d classes, %+v pictures: a record has 2 to %d classes", len(rec.Classes), rec.Parts, maxClasses)
	}
	r := &Result{
		Folder: rec.Folder, HeldOut: rec.HeldOut, Classes: rec.Classes, Parts: rec.Parts, Judge: rec.Judge, Tested: rec.Tested,
		Device: rec.Device, Notes: rec.Notes, Missing: rec.Missing,
	}
	rows := map[string]bool{}
	for _, row := range rec.Outcomes {
		o := Outcome{Features: row.Features, Row: Row{
			Name: row.Name, Asks: row.Asks, Model: row.Model, Kind: row.Kind, Start: row.Start,
			Pipeline: row.Pipeline, Settings: row.Settings, PerClass: row.PerClass, Seeds: row.Seeds,
		}}
		if row.Name == "" || len(row.Runs) == 0 || rows[o.Title()] {
			return nil, fmt.Errorf("row %q has %d runs: every row has a name of its own and a run", o.Title(), len(row.Runs))
		}
		rows[o.Title()] = true
		for _, recorded := range row.Runs {
			run, err := rec.run(recorded)
			if err == nil && len(run.Epochs) != len(row.Runs[0].Epochs) {
				err = errors.New("it has another number of epochs than the row's first run")
			}
			if err != nil {
				return nil, fmt.Errorf("row %q, seed %d: %w", o.Title(), recorded.Seed, err)
			}
			o.Runs = append(o.Runs, run)
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	return r, nil
}

// run reads a run.
func (rec *Record) run(recorded RecordedRun) (run Run, err error) {
	run = Run{Seed: recorded.Seed, BestAt: recorded.BestAt, Neighbours: recorded.Neighbours, Seconds: recorded.Seconds, Pictures: recorded.Pictures}
	for i, e := range recorded.Epochs {
		validation := e.Validation.evaluation()
		run.Epochs = append(run.Epochs, train.EpochMetrics{Epoch: i + 1, Update: e.Update, Train: e.Train.evaluation(), Validation: &validation, Seconds: e.Seconds})
	}
	switch n := len(run.Epochs); {
	case n > 0 && run.BestAt >= 1 && run.BestAt <= n:
		run.Best, run.Last = *run.Epochs[run.BestAt-1].Validation, *run.Epochs[n-1].Validation
	case n == 0 && recorded.Validation != nil:
		run.Best = recorded.Validation.evaluation()
		run.Last = run.Best
	default:
		return run, fmt.Errorf("%d epochs, the best is number %d", n, run.BestAt)
	}
	pictures := rec.Parts.Validation
	if rec.Tested {
		pictures = rec.Parts.Test
	}
	if run.Right, err = unpackBits(recorded.Right, pictures); err != nil {
		return run, err
	}
	if run.Report, err = rec.report(recorded, run.Right); err != nil {
		return run, err
	}
	if rec.Tested {
		run.Test = run.Report
	}
	return run, nil
}

// report is that of a run, or as much of it as was kept.
func (rec *Record) report(recorded RecordedRun, right []bool) (*evaluate.Report, error) {
	correct := 0
	for _, is := range right {
		if is {
			correct++
		}
	}
	if s := recorded.Summary; s != nil {
		return &evaluate.Report{
			Pictures: len(right), Correct: correct, Accuracy: evaluate.Wilson(correct, len(right)), Loss: s.Loss, Classes: rec.Classes,
			Calibration: evaluate.Calibration{ECE: s.ECE},
		}, nil
	}
	if recorded.Counts == nil {
		return nil, errors.New("it has neither counts nor a summary")
	}
	r, err := recorded.Counts.Report(rec.Classes)
	if err == nil && (r.Correct != correct || r.Pictures != len(right)) {
		err = fmt.Errorf("%d of %d pictures are right by its bits, %d of %d by its confusion matrix", correct, len(right), r.Correct, r.Pictures)
	}
	return r, err
}
