package notebook

import (
	"slices"
	"sync"

	"gaze/pkg/backend"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// What a cell can have used, as [Used] says it.
const (
	usedBackend = "backend"
	usedModel   = "attention " // and the model's file
)

// warmth is what the process has used, and what was prepared for it.
var warmth struct {
	mu     sync.Mutex
	used   []string
	key    string // the file of the runner's model, as FileKey has it
	model  *vit.Model
	runner *vit.Runner
}

// Used returns what would be prepared for the next cell, for [Warm].
func Used() []string {
	warmth.mu.Lock()
	defer warmth.mu.Unlock()
	used := slices.Clone(warmth.used)
	if backend.IsOpen() {
		used = append(used, usedBackend)
	}
	return used
}

// Warm prepares what an earlier cell has used: the backend, and a model with its compiled
// program. The notebooks' kernel calls it in the process that is going to run the next
// cell, while that waits. It may be called at the same time as anything else. What can't
// be prepared is left to the cell, which reports why.
func Warm(used []string) {
	for _, u := range used {
		if u == usedBackend {
			backend.Default()
		}
		if len(u) > len(usedModel) && u[:len(usedModel)] == usedModel {
			warmModel(u[len(usedModel):])
		}
	}
}

// warmModel opens a runner of a model and makes it compile its program.
func warmModel(path string) {
	warmth.mu.Lock()
	defer warmth.mu.Unlock()
	if warmth.runner != nil {
		return
	}
	key, err := FileKey(path)
	if err != nil {
		return
	}
	w, err := open()
	if err != nil || w.Path != path {
		return
	}
	b, err := backend.Default()
	if err != nil {
		return
	}
	r, err := vit.NewRunner(b, w.Model)
	if err != nil {
		return
	}
	p, err := pipelineFor(w, "")
	if err != nil {
		return
	}
	// What there is to note is noted in the cell that uses the runner, not in the next one.
	if _, err := (&attender{weights: w, pipeline: p, runner: r, silent: true}).attendImage("", transform.NewImage(64, 64, 3)); err != nil {
		r.Close()
		return
	}
	r.WarnAgain()
	warmth.key, warmth.model, warmth.runner = key, w.Model, r
}

// runnerFor returns a runner for a model, and whether the caller has to close it. A runner
// that was prepared for the same file is used, and kept.
func runnerFor(m *vit.Model) (r *vit.Runner, mine bool, err error) {
	warmth.mu.Lock()
	defer warmth.mu.Unlock()
	if u := usedModel + m.Path; !slices.Contains(warmth.used, u) {
		warmth.used = append(warmth.used, u)
	}
	if key, err := FileKey(m.Path); err == nil && warmth.runner != nil && key == warmth.key {
		return warmth.runner, false, nil
	}
	b, err := backend.Default()
	if err != nil {
		return nil, false, err
	}
	r, err = vit.NewRunner(b, m)
	return r, true, err
}
