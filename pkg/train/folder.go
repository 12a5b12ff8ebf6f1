package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/internal/textfile"
	"gaze/pkg/weights"
)

// The files of a run's folder.
const (
	manifestFile   = "run.json"
	metricsFile    = "metrics.jsonl"
	checkpointFile = "checkpoints/last.safetensors"
	bestFile       = "best/model.safetensors"
)

// Status of a run, in its manifest.
const (
	Running = "running" // or killed while it was
	Stopped = "stopped" // on request; it can be resumed
	Failed  = "failed"  // Manifest.Reason says why
	Done    = "done"
)

// Manifest is run.json: what a run is and how it stands.
type Manifest struct {
	Settings map[string]string `json:"settings"`
	Data     string            `json:"data,omitempty"`
	Versions map[string]string `json:"versions,omitempty"`
	Notes    map[string]string `json:"notes,omitempty"`
	Device   string            `json:"device"`
	Status   string            `json:"status"`
	Reason   string            `json:"reason,omitempty"`
	Updates  int               `json:"updates"`
	Epochs   int               `json:"epochs"` // completed
	Best     *Evaluation       `json:"best,omitempty"`
	BestAt   int               `json:"best_epoch,omitempty"` // the epoch after which, from 1
	Seconds  float64           `json:"seconds"`              // of training and evaluation
	HeldOut  *HeldOut          `json:"held_out,omitempty"`   // of the pictures to train on; nil: nothing
	// History is the run's phases, from which update on which settings held; none if
	// they are the same throughout.
	History  []Phase  `json:"history,omitempty"`
	Warnings []string `json:"warnings,omitempty"` // what the run said when it was begun or resumed
}

// ReadManifest reads the manifest of a run's folder.
func ReadManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, manifestFile)
	text, err := textfile.ReadRaw(path)
	if err != nil {
		return nil, err
	}
	m := &Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func (m *Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, manifestFile), append(text, '\n'))
}

// sameRun is an error that names the first setting in which two manifests
// differ, but for those that may.
func (m *Manifest) sameRun(other *Manifest, may []string) error {
	if m.Data != other.Data {
		return fmt.Errorf("it was on data %q, this is %q", other.Data, m.Data)
	}
	names := slices.Sorted(maps.Keys(m.Settings))
	names = append(names, slices.Sorted(maps.Keys(other.Settings))...)
	// A model from scratch depends on the seed, which is what was changed then.
	slices.SortStableFunc(names, func(a, b string) int { return order(a == "model", b == "model") })
	for _, name := range names {
		if a, b := other.Settings[name], m.Settings[name]; a != b && !slices.Contains(may, name) {
			err := fmt.Errorf("its setting %s was %q, now it is %q", name, orUsual(name, a), orUsual(name, b))
			if len(may) > 0 {
				err = fmt.Errorf("%w (only %s may change)", err, strings.Join(may, ", "))
			}
			return err
		}
	}
	return nil
}

// order sorts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// orUsual is a setting's value, or what it is where run.json doesn't name it.
func orUsual(name, value string) string {
	if value != "" {
		return value
	}
	if name == "valid" { // of a run that nothing was held out of
		return "0"
	}
	usual := DefaultSettings()
	for _, e := range settings {
		if e.name == name && e.late {
			return e.get(&usual)
		}
	}
	return ""
}

// place is where a run stands, kept in the checkpoint beside the state: with it
// the run goes on as if it had never stopped.
type place struct {
	epoch, batch int   // to be trained on next
	metrics      int64 // bytes of metrics.jsonl that belong to what is done
	events       int64 // bytes of the events that do
	best         *Evaluation
	bestAt       int
	seconds      float64
	sums         sums // of the epoch so far
	group        sums // of the batches that wait for an update
}

// writeCheckpoint writes state and place as one file, whole or not at all.
func writeCheckpoint(dir string, state []*weights.Tensor, p place) error {
	best, err := json.Marshal(p.best)
	if err != nil {
		return err
	}
	return weights.WriteSafetensors(filepath.Join(dir, checkpointFile), state, map[string]string{
		"epoch": strconv.Itoa(p.epoch), "batch": strconv.Itoa(p.batch), "metrics": strconv.FormatInt(p.metrics, 10), "events": strconv.FormatInt(p.events, 10),
		"best": string(best), "best_at": strconv.Itoa(p.bestAt), "seconds": strconv.FormatFloat(p.seconds, 'g', -1, 64),
		"loss": strconv.FormatFloat(p.sums.loss, 'g', -1, 64), "correct": strconv.Itoa(p.sums.correct), "pictures": strconv.Itoa(p.sums.answers),
		"group_loss": strconv.FormatFloat(p.group.loss, 'g', -1, 64), "group_correct": strconv.Itoa(p.group.correct), "group_pictures": strconv.Itoa(p.group.answers),
	})
}

// readCheckpoint restores the trainer from a run's checkpoint and returns its
// place; ok is false if there is none yet.
func readCheckpoint(dir string, t *Trainer) (p place, ok bool, err error) {
	path := filepath.Join(dir, checkpointFile)
	f, err := weights.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	defer f.Close()
	var state []*weights.Tensor
	for _, name := range f.Names() {
		if tensor, ok := f.Tensor(name); ok {
			state = append(state, tensor)
		}
	}
	meta, bad := f.Metadata(), []error(nil)
	number := func(key string) int {
		n, err := strconv.Atoi(meta[key])
		if err == nil && n < 0 {
			err = errors.New("negative")
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: its %s is %q", path, key, meta[key]))
		}
		return n
	}
	real := func(key string) float64 {
		v, err := strconv.ParseFloat(meta[key], 64)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: its %s is %q", path, key, meta[key]))
		}
		return v
	}
	p = place{epoch: number("epoch"), batch: number("batch"), metrics: int64(number("metrics")), bestAt: number("best_at"), seconds: real("seconds")}
	p.sums = sums{loss: real("loss"), correct: number("correct"), answers: number("pictures")}
	if meta["events"] != "" { // a checkpoint from before there were events has none of these
		p.events = int64(number("events"))
		p.group = sums{loss: real("group_loss"), correct: number("group_correct"), answers: number("group_pictures")}
	}
	if err := json.Unmarshal([]byte(meta["best"]), &p.best); err != nil {
		bad = append(bad, fmt.Errorf("%s: its best is %q", path, meta["best"]))
	}
	if err := errors.Join(bad...); err != nil {
		return p, false, err
	}
	if err := t.Restore(state); err != nil {
		return p, false, fmt.Errorf("%s: %w", path, err)
	}
	return p, true, nil
}

// metricsLog appends lines to metrics.jsonl.
type metricsLog struct{ *tail }

func openMetrics(dir string, size int64) (*metricsLog, error) {
	end, err := openTail(filepath.Join(dir, metricsFile), size)
	if err != nil {
		return nil, err
	}
	return &metricsLog{end}, nil
}

// add writes one line.
func (l *metricsLog) add(record any) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return l.write(append(line, '\n'))
}
