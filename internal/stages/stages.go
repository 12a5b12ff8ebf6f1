// Package stages takes many items through the stages of a job, at the same time: some are
// prepared while others run and others are finished. Items that are alike run together.
// Results are delivered in the order of the items, and only so many items are under way.
package stages

import (
	"context"
	"runtime"
	"sync"
)

// Job is what is done with each of N items, numbered from 0. Prepared, Result and Finished
// are what an item is after each stage.
type Job[Prepared, Result, Finished any] struct {
	N int
	// Prepare makes item i ready to run. Up to Workers calls at a time.
	Prepare func(i int) (Prepared, error)
	// Size says which items may run together: those for which it returns equal values,
	// such as the size of a picture. Nil: all.
	Size func(Prepared) any
	// Run runs items of one size and returns a result for each. Its calls are one after
	// another. If it fails for several items, each of them is run again alone, so that an
	// error is that of its item.
	Run func(items []Prepared) ([]Result, error)
	// Finish makes of an item's result what is delivered. Up to Workers calls at a time.
	Finish func(i int, item Prepared, result Result) (Finished, error)
	// Deliver gets the items in order, or the error of the stage that failed. It is called
	// on the goroutine of [Job.Do]. Its own error ends the job.
	Deliver func(i int, item Finished, err error) error

	Batch   int // the most items that run together; 0: 1
	Workers int // of Prepare, and as many of Finish; 0: GOMAXPROCS
	// Ahead is the most items under way: being prepared, or prepared but not delivered
	// yet. 0, or a smaller number than that: two batches and two items for each worker.
	Ahead int
}

// Do does the job. Items run together as soon as there is a full batch of one size; a
// smaller one runs only if no other item can come before it, so that the last batches of
// each size may be smaller.
//
// Do returns the first error of Deliver, or the context's error once that is done. It then
// delivers no more. Calls of Run and Finish have ended when it returns; calls of Prepare,
// which may wait for a slow disk, may still go on, but their results are dropped.
func (j Job[Prepared, Result, Finished]) Do(ctx context.Context) error {
	j.Batch = max(j.Batch, 1)
	if j.Workers <= 0 {
		j.Workers = runtime.GOMAXPROCS(0)
	}
	j.Ahead = max(j.Ahead, 2*(j.Batch+j.Workers))
	r := &running[Prepared, Result, Finished]{Job: j, done: map[int]delivery[Finished]{}}
	r.changed.L = &r.mu
	defer context.AfterFunc(ctx, r.stop)()
	for range min(j.Workers, j.N) {
		go r.prepare()
		r.others.Go(r.finish)
	}
	r.others.Go(r.run)
	defer r.others.Wait()
	defer r.stop()
	return r.deliver(ctx)
}

// running is the state of a job. Its goroutines wait until it changes.
type running[Prepared, Result, Finished any] struct {
	Job[Prepared, Result, Finished]
	others sync.WaitGroup // run and finish

	mu        sync.Mutex
	changed   sync.Cond
	stopped   bool
	next      int // the next item to prepare
	underWay  int // items that are prepared or being prepared, and not delivered
	preparing int
	waiting   []group[Prepared] // by the first item of each
	ran       []ran[Prepared, Result]
	done      map[int]delivery[Finished]
}

// numbered is an item after preparation.
type numbered[Prepared any] struct {
	i    int
	item Prepared
}

// group is items of one size that wait to run together.
type group[Prepared any] struct {
	size  any
	items []numbered[Prepared]
}

// ran is an item that ran.
type ran[Prepared, Result any] struct {
	numbered[Prepared]
	result Result
}

// delivery is an item to be delivered.
type delivery[Finished any] struct {
	item Finished
	err  error
}

// stop ends all goroutines as soon as what they do is done.
func (r *running[P, R, F]) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	r.changed.Broadcast()
}

// wait waits until a condition holds. The caller holds the mutex. It is false once the job
// is stopped.
func (r *running[P, R, F]) wait(until func() bool) bool {
	for !r.stopped && !until() {
		r.changed.Wait()
	}
	return !r.stopped
}

// fail notes the error of an item. The caller holds the mutex.
func (r *running[P, R, F]) fail(i int, err error) { r.done[i] = delivery[F]{err: err} }

// prepare prepares items in order.
func (r *running[P, R, F]) prepare() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.wait(func() bool { return r.next == r.N || r.underWay < r.Ahead }) && r.next < r.N {
		i := r.next
		r.next++
		r.underWay++
		r.preparing++
		r.mu.Unlock()
		item, err := r.Prepare(i)
		r.mu.Lock()
		r.preparing--
		if err != nil {
			r.fail(i, err)
		} else {
			r.add(numbered[P]{i, item})
		}
		r.changed.Broadcast()
	}
}

// add puts a prepared item into the group of its size. The first group that isn't full is
// the one to join.
func (r *running[P, R, F]) add(n numbered[P]) {
	var size any
	if r.Size != nil {
		size = r.Size(n.item)
	}
	for k := range r.waiting {
		if g := &r.waiting[k]; g.size == size && len(g.items) < r.Batch {
			g.items = append(g.items, n)
			return
		}
	}
	r.waiting = append(r.waiting, group[P]{size, []numbered[P]{n}})
}

// take removes the group that is to run next: the first that is full or, if no more items
// can be prepared, the first. It is nil if there is none.
func (r *running[P, R, F]) take() []numbered[P] {
	stuck := r.preparing == 0 && (r.next == r.N || r.underWay >= r.Ahead)
	for k, g := range r.waiting {
		if stuck || len(g.items) == r.Batch {
			r.waiting = append(r.waiting[:k:k], r.waiting[k+1:]...)
			return g.items
		}
	}
	return nil
}

// run runs groups of items.
func (r *running[P, R, F]) run() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var items []numbered[P]
	for r.wait(func() bool { items = r.take(); return items != nil }) {
		r.mu.Unlock()
		results, errs := r.runAll(items)
		r.mu.Lock()
		for k, n := range items {
			if errs[k] != nil {
				r.fail(n.i, errs[k])
			} else {
				r.ran = append(r.ran, ran[P, R]{n, results[k]})
			}
		}
		r.changed.Broadcast()
	}
}

// runAll runs items together or, if that fails, one by one.
func (r *running[P, R, F]) runAll(items []numbered[P]) ([]R, []error) {
	list, errs := make([]P, len(items)), make([]error, len(items))
	for k, n := range items {
		list[k] = n.item
	}
	results, err := r.Run(list)
	if err == nil {
		return results, errs
	}
	results = make([]R, len(items))
	if len(items) == 1 {
		return results, []error{err}
	}
	for k := range items {
		var one []R
		if one, errs[k] = r.Run(list[k : k+1]); errs[k] == nil {
			results[k] = one[0]
		}
	}
	return results, errs
}

// finish finishes items that ran.
func (r *running[P, R, F]) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.wait(func() bool { return len(r.ran) > 0 }) {
		n := r.ran[0]
		r.ran = r.ran[1:]
		r.mu.Unlock()
		item, err := r.Finish(n.i, n.item, n.result)
		r.mu.Lock()
		r.done[n.i] = delivery[F]{item, err}
		r.changed.Broadcast()
	}
}

// deliver delivers the items in order.
func (r *running[P, R, F]) deliver(ctx context.Context) error {
	for i := range r.N {
		r.mu.Lock()
		var d delivery[F]
		ready := false
		r.wait(func() bool { d, ready = r.done[i]; return ready })
		delete(r.done, i)
		r.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.Deliver(i, d.item, d.err); err != nil {
			return err
		}
		r.mu.Lock()
		r.underWay--
		r.changed.Broadcast()
		r.mu.Unlock()
	}
	return ctx.Err()
}
