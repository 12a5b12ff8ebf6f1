package stages

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"testing"
	"time"
)

// counter is a number and the largest value that it had.
type counter struct{ now, most atomic.Int32 }

func (c *counter) add(n int32) {
	now := c.now.Add(n)
	for m := c.most.Load(); now > m && !c.most.CompareAndSwap(m, now); m = c.most.Load() {
	}
}

var errOdd = errors.New("odd")

// squares is a job that squares numbers of three sizes, with errors in each stage, and what
// it delivers.
func squares(n, batch, workers, ahead int, underWay *counter) (Job[int, int, string], *[]string) {
	var got []string
	pause := func() { time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond) }
	return Job[int, int, string]{
		N: n, Batch: batch, Workers: workers, Ahead: ahead,
		Prepare: func(i int) (int, error) {
			underWay.add(1)
			pause()
			if i%7 == 3 {
				return 0, fmt.Errorf("%d isn't prepared", i)
			}
			return i, nil
		},
		Size: func(i int) any { return [2]int{i % 3, 0} },
		Run: func(items []int) ([]int, error) {
			var out []int
			for _, i := range items {
				if i%3 != items[0]%3 || len(items) > max(batch, 1) {
					return nil, fmt.Errorf("%v run together", items)
				}
				if i%11 == 5 {
					return nil, errOdd
				}
				out = append(out, i*i)
			}
			pause()
			return out, nil
		},
		Finish: func(i, item, result int) (string, error) {
			pause()
			if i%13 == 1 {
				return "", fmt.Errorf("%d isn't finished", i)
			}
			return fmt.Sprint(item, " squared is ", result), nil
		},
		Deliver: func(i int, text string, err error) error {
			underWay.add(-1)
			got = append(got, fmt.Sprint(i, text, err))
			return nil
		},
	}, &got
}

// TestSameForAnyNumbers: results, errors and their order don't depend on how many items
// are under way, run together, or are worked at.
func TestSameForAnyNumbers(t *testing.T) {
	const n = 100
	var want []string
	for _, c := range []struct{ batch, workers, ahead int }{{1, 1, 0}, {0, 0, 0}, {1, 7, 0}, {4, 2, 0}, {8, 3, 50}, {200, 5, 0}} {
		var underWay counter
		job, got := squares(n, c.batch, c.workers, c.ahead, &underWay)
		if err := job.Do(t.Context()); err != nil {
			t.Fatal(c, err)
		}
		if want == nil {
			want = *got
		}
		if !reflect.DeepEqual(*got, want) || len(want) != n {
			t.Errorf("%v: %q, want %q", c, *got, want)
		}
		if most := max(c.ahead, 2*(max(c.batch, 1)+max(c.workers, 2))); int(underWay.most.Load()) > most && c.workers > 0 {
			t.Errorf("%v: %d items under way, at most %d wanted", c, underWay.most.Load(), most)
		}
	}
	if err := (Job[int, int, int]{}).Do(t.Context()); err != nil {
		t.Errorf("no items: %v", err)
	}
}

// TestBatches: items run in full batches as long as more are to come.
func TestBatches(t *testing.T) {
	var sizes []int
	job := Job[int, int, int]{
		N: 21, Batch: 4, Workers: 2, Ahead: 21,
		Prepare: func(i int) (int, error) { return i, nil },
		Run: func(items []int) ([]int, error) {
			sizes = append(sizes, len(items))
			return items, nil
		},
		Finish:  func(_, _, result int) (int, error) { return result, nil },
		Deliver: func(int, int, error) error { return nil },
	}
	if err := job.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	items := 0
	for k, n := range sizes {
		if items += n; n < 4 && k < len(sizes)-1 {
			t.Errorf("batches of %v", sizes)
		}
	}
	if items != 21 {
		t.Errorf("%d items ran, in batches of %v", items, sizes)
	}
}

// TestStops: after an error of Deliver, or once the context is done, nothing more is
// delivered, run or finished.
func TestStops(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		var underWay counter
		job, got := squares(1000, 4, 3, 0, &underWay)
		inner, full := job.Deliver, errors.New("the disk is full")
		job.Deliver = func(i int, text string, err error) error {
			if i < 20 {
				return inner(i, text, err)
			}
			if cancelled {
				cancel()
				return nil
			}
			return full
		}
		want := full
		if cancelled {
			want = context.Canceled
		}
		if err := job.Do(ctx); !errors.Is(err, want) || len(*got) != 20 {
			t.Errorf("error %v after %d items, want %v after 20", err, len(*got), want)
		}
		cancel()
	}
}

// TestSlowPreparation: a preparation that hangs doesn't keep an interrupted job from
// ending.
func TestSlowPreparation(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	ctx, cancel := context.WithCancel(t.Context())
	job, _ := squares(10, 1, 2, 0, new(counter))
	job.Prepare = func(i int) (int, error) {
		if i == 2 {
			cancel()
			<-hang
		}
		return i, nil
	}
	if err := job.Do(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
