package batch

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// Bounds of the time between two looks at a job's receipts. A bucket with many of them
// answers slowly, and is looked at less often.
const (
	soonest   = time.Second
	restAfter = 10 // times as long as the look took
)

// Watch reports the receipts of shards as they appear, until all are there, done is closed
// or the context is done. It is for engines whose workers run elsewhere. It returns the
// shards that have no receipt. A receipt that can't be read is passed over: [Job.Finish]
// names it.
func (j *Job) Watch(ctx context.Context, shards []int, done <-chan struct{}, report func(Event)) (missing []int, err error) {
	waited := map[int]bool{}
	for _, shard := range shards {
		waited[shard] = true
	}
	for {
		start := time.Now()
		last := false
		select { // before looking, so that nothing that was written before is missed
		case <-done:
			last = true
		default:
		}
		missing, err = j.look(ctx, waited, report)
		if err != nil || last || len(missing) == 0 {
			return missing, err
		}
		select {
		case <-done:
		case <-time.After(max(soonest, restAfter*time.Since(start))):
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), soonest)
			defer cancel()
			if now, err := j.look(last, waited, report); err == nil { // so that what is said last is right
				missing = now
			}
			return missing, context.Cause(ctx)
		}
	}
}

// look reports the receipts that are new and returns the shards that still have none.
func (j *Job) look(ctx context.Context, waited map[int]bool, report func(Event)) (missing []int, err error) {
	all, err := j.Missing(ctx)
	if err != nil {
		return nil, err
	}
	still := map[int]bool{}
	for _, shard := range all {
		if waited[shard] {
			still[shard] = true
			missing = append(missing, shard)
		}
	}
	for shard := range waited {
		if still[shard] {
			continue
		}
		r, err := j.Receipt(ctx, shard)
		if errors.Is(err, fs.ErrNotExist) { // removed since it was listed
			missing = append(missing, shard)
			continue
		}
		delete(waited, shard)
		if err == nil {
			report(Event{Shard: shard, Receipt: &r})
		}
	}
	return missing, nil
}
