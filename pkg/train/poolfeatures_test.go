package train

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestPoolFeatures computes features once for all concurrent requests, again
// after a failure, and for each without a key or a pool.
func TestPoolFeatures(t *testing.T) {
	ctx := context.Background()
	var calls atomic.Int32
	var fail atomic.Bool
	compute := func() (both [2]*FeatureSet, err error) {
		calls.Add(1)
		time.Sleep(5 * time.Millisecond)
		if fail.Load() {
			return both, errors.New("broken")
		}
		both[0] = &FeatureSet{Dim: 3}
		return both, nil
	}
	var p Pool
	all := func(p *Pool, key string) (errs int) {
		calls.Store(0)
		var wait sync.WaitGroup
		var failed atomic.Int32
		for range 4 {
			wait.Go(func() {
				both, err := p.features(ctx, key, compute)
				if err != nil {
					failed.Add(1)
				} else if both[0] == nil || both[0].Dim != 3 {
					t.Errorf("features %v", both)
				}
			})
		}
		wait.Wait()
		return int(failed.Load())
	}
	fail.Store(true)
	if failed := all(&p, "a"); failed != 4 || calls.Load() != 4 {
		t.Errorf("of four, %d failed in %d calls", failed, calls.Load())
	}
	fail.Store(false)
	if failed := all(&p, "a"); failed != 0 || calls.Load() != 1 {
		t.Errorf("of four, %d failed in %d calls; want 1 call", failed, calls.Load())
	}
	if all(&p, ""); calls.Load() != 4 {
		t.Errorf("without a key %d calls", calls.Load())
	}
	if all(nil, "a"); calls.Load() != 4 {
		t.Errorf("without a pool %d calls", calls.Load())
	}
	// Who waits goes when its context ends.
	p.computed["slow"] = &sharedFeatures{done: make(chan struct{})}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := p.features(stopped, "slow", compute); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait: %v", err)
	}
}
