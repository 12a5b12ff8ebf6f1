// Package parallel runs a function for many indices on several goroutines. It stops at
// the first error or when the context is cancelled. It doesn't collect results: the
// function stores its own.
package parallel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls do with 0 to n-1, starting the calls in order, on up to workers goroutines at
// a time (0: GOMAXPROCS). It starts no more calls after an error or once the context is
// cancelled. It returns the first error after all running calls have returned.
func Each(ctx context.Context, n, workers int, do func(i int) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(workers, n) {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
