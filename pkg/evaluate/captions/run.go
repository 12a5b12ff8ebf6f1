package captions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"gaze/internal/atomicfile"
	"gaze/internal/textfile"
	"gaze/pkg/plots"
)

// Run is one training of a captioner and how good it turned out: what a recipe
// records and a notebook shows beside what it measures itself.
type Run struct {
	Name     string  `json:"name"`
	Settings string  `json:"settings"`
	Seed     uint64  `json:"seed"`
	Teach    float64 `json:"teach"`    // weight of the maps that were taught; 0: none were
	Pictures int     `json:"pictures"` // that it learnt from, each once
	Seconds  float64 `json:"seconds"`  // of training
	Device   string  `json:"device"`
	Test     *Report `json:"test"`
	HeldOut  *Report `json:"held_out"`
}

// ReadRuns reads a record of runs; a file that isn't there holds none.
func ReadRuns(path string) ([]Run, error) {
	data, err := textfile.ReadRaw(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return ParseRuns(data)
}

// ParseRuns reads what [WriteRun] wrote.
func ParseRuns(data []byte) ([]Run, error) {
	var runs []Run
	if err := json.Unmarshal(data, &runs); err != nil {
		return nil, fmt.Errorf("captions: the record of runs: %w", err)
	}
	for _, r := range runs {
		if r.Test == nil || r.HeldOut == nil {
			return nil, fmt.Errorf("captions: the record of runs: %q has no reports", r.Name)
		}
	}
	return runs, nil
}

// WriteRun adds a run to a record, in the place of one of the same name. The
// captions of single pictures are left out.
func WriteRun(path string, run Run) error {
	runs, err := ReadRuns(path)
	if err != nil {
		return err
	}
	for _, r := range []**Report{&run.Test, &run.HeldOut} {
		short := **r
		short.Said = nil
		*r = &short
	}
	at := len(runs)
	for i, r := range runs {
		if r.Name == run.Name {
			at = i
		}
	}
	runs = append(runs[:at], append([]Run{run}, runs[min(at+1, len(runs)):]...)...)
	var lines [][]byte // a line for each run
	for _, r := range runs {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		lines = append(lines, line)
	}
	text := slices.Concat([]byte("[\n"), bytes.Join(lines, []byte(",\n")), []byte("\n]\n"))
	return atomicfile.WriteBytes(path, text)
}

// RunTable compares runs on held-out combinations: their captions, and where the
// last layer looked for the words that name something.
func RunTable(runs ...Run) plots.Table {
	t := plots.Table{
		Caption: "Held-out combinations, run by run",
		Columns: []plots.Column{
			{Name: "run"}, {Name: "maps taught"}, {Name: "CIDEr", Format: "%.2f", Best: plots.BestHighest}, {Name: "BLEU-4", Format: "%.3f", Best: plots.BestHighest},
			{Name: "counts right (%)", Format: "%.1f", Best: plots.BestHighest}, {Name: "maps hit (%)", Format: "%.1f", Best: plots.BestHighest},
			{Name: "another picture's map (%)", Format: "%.1f"}, {Name: "chance (%)", Format: "%.1f"}, {Name: "minutes", Format: "%.1f"},
		},
	}
	for _, r := range runs {
		taught := "no"
		if r.Teach > 0 {
			taught = "yes"
		}
		looked, _ := r.HeldOut.Layer(-1, AllWords)
		t.Rows = append(t.Rows, []any{
			r.Name, taught, r.HeldOut.Scores.CIDEr, r.HeldOut.Scores.BLEU4, 100 * r.HeldOut.CountRight.Value,
			100 * looked.Hit.Value, 100 * looked.HitShuffled.Value, 100 * looked.HitChance, r.Seconds / 60,
		})
	}
	return t
}
