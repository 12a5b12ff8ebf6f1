package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Status is how far a job is, as its receipts say. It is the same whatever engine runs it.
type Status struct {
	Job      string `json:"job"`    // the job's ID
	Inputs   int    `json:"inputs"` // pictures
	Rows     int    `json:"rows"`   // of finished parts
	Bad      int    `json:"bad"`    // of those, rows with an error
	Shards   int    `json:"shards"`
	Done     int    `json:"done"`     // shards with a receipt
	Complete bool   `json:"complete"` // there is a manifest

	PicturesPerSecond float64 `json:"pictures_per_second,omitempty"` // in the last minutes of work; 0: not known
	SecondsLeft       float64 `json:"seconds_left,omitempty"`
}

// recent is the time over which the speed of a job is measured.
const recent = 10 * time.Minute

// Status reads the receipts.
func (j *Job) Status(ctx context.Context) (Status, error) {
	s := Status{Job: j.ID, Inputs: j.Inputs, Shards: j.Shards()}
	receipts, err := j.Receipts(ctx)
	if err != nil {
		return s, err
	}
	for _, r := range receipts {
		s.Rows, s.Bad, s.Done = s.Rows+r.Rows, s.Bad+r.Bad, s.Done+1
	}
	if _, err := j.Store.Read(ctx, manifestName); err == nil {
		s.Complete = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("%s: %w", j.Store, err)
	}
	if s.PicturesPerSecond = speed(receipts); s.PicturesPerSecond > 0 {
		s.SecondsLeft = float64(s.Inputs-s.Rows) / s.PicturesPerSecond
	}
	return s, nil
}

// speed is the pictures per second over the last minutes in which shards were finished. The
// work on the first of them began before, so its pictures are spread over its own time.
func speed(receipts map[int]Receipt) float64 {
	var last time.Time
	for _, r := range receipts {
		if r.Finished.After(last) {
			last = r.Finished
		}
	}
	var first time.Time
	for _, r := range receipts {
		began := r.began()
		if last.Sub(r.Finished) < recent && (first.IsZero() || began.Before(first)) {
			first = began
		}
	}
	if cut := last.Add(-recent); first.Before(cut) {
		first = cut
	}
	pictures := 0.0
	for _, r := range receipts {
		took := r.Finished.Sub(r.began()).Seconds()
		within := r.Finished.Sub(first).Seconds()
		switch {
		case within <= 0 || took <= 0: // too old, or found finished
		case within < took:
			pictures += float64(r.Rows) * within / took
		default:
			pictures += float64(r.Rows)
		}
	}
	if span := last.Sub(first).Seconds(); span > 0 {
		return pictures / span
	}
	return 0
}

func (r Receipt) began() time.Time {
	return r.Finished.Add(-time.Duration(r.Seconds * float64(time.Second)))
}
