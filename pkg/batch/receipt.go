package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"gaze/pkg/batch/store"
)

// Receipt says that a shard's part is finished. It is written after the part.
type Receipt struct {
	Job      string    `json:"job"` // the job's ID
	Shard    int       `json:"shard"`
	Part     string    `json:"part"` // its name in the job
	Rows     int       `json:"rows"`
	Bad      int       `json:"bad"` // rows with an error
	Bytes    int64     `json:"bytes"`
	SHA256   string    `json:"sha256"`   // of the part
	Seconds  float64   `json:"seconds"`  // that the work took; 0 if the part was there already
	Finished time.Time `json:"finished"` // when
	Host     string    `json:"host"`     // where
	Gaze     string    `json:"gaze"`     // by which version
}

// Receipt reads a shard's receipt. It is [fs.ErrNotExist] if there is none.
func (j *Job) Receipt(ctx context.Context, shard int) (Receipt, error) {
	name := ReceiptName(shard)
	text, err := j.Store.Read(ctx, name)
	if err != nil {
		return Receipt{}, fmt.Errorf("%s: %s: %w", j.Store, name, err)
	}
	var r Receipt
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %s: %w: remove it and run the job again", j.Store, name, err)
	}
	switch {
	case r.Job != j.ID:
		return r, fmt.Errorf("%s: %s is of another job, %.12s: one folder holds one job", j.Store, name, r.Job)
	case r.Shard != shard || r.Part != PartName(shard) || r.Rows != j.Size(shard) || r.Bad < 0 || r.Bad > r.Rows || !isDigest(r.SHA256):
		return r, fmt.Errorf("%s: %s doesn't describe shard %d of the job: remove it and run the job again", j.Store, name, shard)
	}
	return r, nil
}

// readers is how many receipts are read at a time; a bucket answers slowly.
const readers = 16

// Receipts reads all receipts that there are, by the shard's number.
func (j *Job) Receipts(ctx context.Context) (map[int]Receipt, error) {
	shards, err := j.withReceipt(ctx)
	if err != nil {
		return nil, err
	}
	found := map[int]Receipt{}
	var errs []error
	var mu sync.Mutex
	var all sync.WaitGroup
	next := make(chan int)
	for range min(readers, len(shards)) {
		all.Go(func() {
			for shard := range next {
				r, err := j.Receipt(ctx, shard)
				mu.Lock()
				if err == nil {
					found[shard] = r
				} else if !errors.Is(err, fs.ErrNotExist) { // removed since it was listed
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, shard := range shards {
		next <- shard
	}
	close(next)
	all.Wait()
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return found, nil
}

// withReceipt lists the shards of which there is a receipt.
func (j *Job) withReceipt(ctx context.Context) (shards []int, err error) {
	for e, err := range j.Store.List(ctx, noteFolder+"/") {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", j.Store, err)
		}
		var shard int
		if n, _ := fmt.Sscanf(strings.TrimPrefix(e.Name, noteFolder+"/"), "part-%d.json", &shard); n != 1 || j.Check(shard) != nil || ReceiptName(shard) != e.Name {
			return nil, fmt.Errorf("%s: %s is no receipt of this job: remove it", j.Store, e.Name)
		}
		shards = append(shards, shard)
	}
	return shards, nil
}

// Missing lists the shards without a receipt, in order.
func (j *Job) Missing(ctx context.Context) ([]int, error) {
	there, err := j.withReceipt(ctx)
	if err != nil {
		return nil, err
	}
	done := make([]bool, j.Shards())
	for _, shard := range there {
		done[shard] = true
	}
	var missing []int
	for shard, is := range done {
		if !is {
			missing = append(missing, shard)
		}
	}
	return missing, nil
}

// Sweep removes the temporary files that killed workers left in the job, if they weren't
// changed for the given time.
func (j *Job) Sweep(ctx context.Context, age time.Duration) error {
	s, ok := j.Store.(store.Sweeper)
	if !ok {
		return nil
	}
	var errs []error
	for _, folder := range []string{partFolder, noteFolder, indexFolder, "."} {
		errs = append(errs, s.Sweep(ctx, folder, age))
	}
	return errors.Join(errs...)
}
