package batch

import (
	"context"
)

// Engine runs shards of a job, each by 'gaze batch work JOB --shard N' or by [Job.Work],
// here or elsewhere. Engines may run a shard several times.
type Engine interface {
	// Run runs the shards and calls report with what becomes of them, never twice at a time.
	// It returns when all of them have been tried; a shard that fails for good is reported,
	// and is no error of Run. The error is one of the engine: it can't be reached, or the
	// context is done.
	Run(ctx context.Context, j *Job, shards []int, report func(Event)) error
}

// Event is news of a shard.
type Event struct {
	Shard   int
	Receipt *Receipt // the shard is done
	Err     error    // an attempt failed
	Last    bool     // after Err: it isn't tried again
	Rows    int      // rows so far, of an attempt that goes on
	Bad     int      // of those, rows with an error
}
