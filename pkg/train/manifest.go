package train

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/internal/textfile"
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
	Running = "running" // or it was killed
	Stopped = "stopped" // on request; it can be resumed
	Failed  = "failed"  // Manifest.Reason says why
	Done    = "done"
)

// Manifest is run.json: what a run is and how far it has come.
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
	HeldOut  *HeldOut          `json:"held_out,omitempty"`   // nil: no training pictures
	// History is the phases of a run whose settings changed on the way.
	History  []Phase  `json:"history,omitempty"`
	Warnings []string `json:"warnings,omitempty"` // those given when the run was started or resumed
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

// sameRun returns an error that names the first setting in which two manifests differ,
// except for those that may change and for what the run is trained on.
func (m *Manifest) sameRun(other *Manifest, may []string) error {
	if m.Data != other.Data {
		return fmt.Errorf("it was on data %q, this is %q", other.Data, m.Data)
	}
	names := slices.Sorted(maps.Keys(m.Settings))
	names = append(names, slices.Sorted(maps.Keys(other.Settings))...)
	// A model from scratch depends on the seed, which is what was changed then.
	slices.SortStableFunc(names, func(a, b string) int { return order(a == "model", b == "model") })
	for _, name := range names {
		if name == devicesSetting || name == processesSetting {
			continue
		}
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
