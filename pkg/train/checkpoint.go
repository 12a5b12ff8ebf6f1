package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"gaze/pkg/weights"
)

// place is the position of a run, which the checkpoint holds in addition to the state, so
// that the run continues as if it had not been stopped.
type place struct {
	epoch, batch int   // the next to train on
	metrics      int64 // bytes of metrics.jsonl so far
	events       int64 // bytes of the events so far
	best         *Evaluation
	bestAt       int
	seconds      float64
	sums         sums // of the epoch so far
	group        sums // of the batches whose gradients wait for an update
	trained      int  // batches of the trainer; not in the file, where they are in the state
}

// writeCheckpoint writes state and place as one file, completely or not at all.
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

// readCheckpoint restores the trainer from a run's checkpoint and returns the place; ok is
// false if there is no checkpoint yet.
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
	if meta["events"] != "" { // checkpoints of versions before there were events don't have these
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

// checkpointEpoch is the number of complete epochs at a run's checkpoint; 0 if it can't be
// read.
func checkpointEpoch(dir string) int {
	f, err := weights.Open(filepath.Join(dir, checkpointFile))
	if err != nil {
		return 0 // readCheckpoint says what is wrong
	}
	defer f.Close()
	n, err := strconv.Atoi(f.Metadata()["epoch"])
	if err != nil {
		return 0
	}
	return n
}
