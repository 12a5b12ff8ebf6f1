package parallel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

// TestEach checks that each index is passed once, with no more calls at a time than
// allowed.
func TestEach(t *testing.T) {
	for _, c := range []struct{ n, workers int }{{0, 0}, {1, 4}, {100, 1}, {1000, 7}, {50, 0}} {
		seen := make([]atomic.Int32, c.n)
		var at, most atomic.Int32
		err := Each(context.Background(), c.n, c.workers, func(i int) error {
			now := at.Add(1)
			for {
				m := most.Load()
				if now <= m || most.CompareAndSwap(m, now) {
					break
				}
			}
			seen[i].Add(1)
			at.Add(-1)
			return nil
		})
		if err != nil {
			t.Errorf("%v: %v", c, err)
		}
		for i := range seen {
			if seen[i].Load() != 1 {
				t.Errorf("%v: %d came %d times", c, i, seen[i].Load())
			}
		}
		if c.workers > 0 && int(most.Load()) > c.workers {
			t.Errorf("%v: %d at a time", c, most.Load())
		}
	}
}

// TestEachStops checks that no call starts after an error or after the context is
// cancelled.
func TestEachStops(t *testing.T) {
	broken := errors.New("broken")
	var done atomic.Int32
	err := Each(context.Background(), 1000, 1, func(i int) error {
		done.Add(1)
		if i == 3 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) || done.Load() != 4 {
		t.Errorf("%v after %d, want the error after four", err, done.Load())
	}
	ctx, cancel := context.WithCancel(context.Background())
	done.Store(0)
	err = Each(ctx, 1000, 1, func(int) error {
		done.Add(1)
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || done.Load() != 1 {
		t.Errorf("%v after %d, want an end after one", err, done.Load())
	}
}

func TestEachStopsAtTheFirstError(t *testing.T) {
	bad := errors.New("bad")
	err := Each(t.Context(), 1000, 4, func(i int) error {
		if i == 10 {
			return bad
		}
		if i > 900 {
			t.Error("went on after an error")
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Errorf("error %v, want %v", err, bad)
	}
}
