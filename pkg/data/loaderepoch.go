package data

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"gaze/pkg/transform"
)

// slot is a batch's memory and progress.
type slot struct {
	Batch
	images  []float32 // room for a full batch; Batch.Images is the part in use
	labels  []int
	index   []int
	errs    []error
	damage  []string
	waiting atomic.Int64  // number of pictures not finished yet
	done    chan struct{} // gets a value when all are finished
	failed  error         // error from mixing
}

// worker is the memory of one worker.
type worker struct {
	decoder Decoder
	buffers transform.Buffers
}

// task is a picture to be written at a position of a batch.
type task struct {
	slot  *slot
	place int
}

// epoch is a run through an epoch's batches: a feeder hands out tasks, workers write
// pictures into slots, and the caller receives the slots in order.
type epoch struct {
	*Loader
	number int
	order  []int
	cancel context.CancelFunc
	queue  chan *slot // the begun batches, in order
	free   chan *slot
	tasks  chan task
	all    []*slot
	wait   sync.WaitGroup
}

func (l *Loader) start(ctx context.Context, number, from int) *epoch {
	n := l.opt.Prefetch + 1
	e := &epoch{
		Loader: l, number: number, order: l.order(number),
		queue: make(chan *slot, n), free: make(chan *slot, n), tasks: make(chan task, l.opt.Workers),
	}
	ctx, e.cancel = context.WithCancel(ctx)
	for range n {
		s := l.takeSlot()
		e.all = append(e.all, s)
		e.free <- s
	}
	e.wait.Go(func() { e.feed(ctx, from) })
	for range l.opt.Workers {
		e.wait.Go(func() { e.work(ctx) })
	}
	return e
}

// stop ends all goroutines and keeps the memory for the next epoch.
func (e *epoch) stop() {
	e.cancel()
	e.wait.Wait()
	for _, s := range e.all {
		select {
		case <-s.done: // empty the channel of a batch that wasn't received
		default:
		}
	}
	e.mutex.Lock()
	e.slots = append(e.slots, e.all...)
	e.mutex.Unlock()
}

// feed starts batch after batch.
func (e *epoch) feed(ctx context.Context, from int) {
	defer close(e.queue)
	defer close(e.tasks)
	for number := from; number < e.Len(); number++ {
		var s *slot
		select {
		case s = <-e.free:
		case <-ctx.Done():
			return
		}
		first := number * e.opt.Batch
		s.begin(number, e.order[first:min(first+e.opt.Batch, len(e.order))])
		e.queue <- s // never blocks: the channel has room for all slots
		for place := range s.index {
			select {
			case e.tasks <- task{s, place}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// begin prepares a slot for the pictures of a batch.
func (s *slot) begin(number int, index []int) {
	s.Number, s.failed = number, nil
	s.index = append(s.index[:0], index...)
	clear(s.errs)
	clear(s.damage)
	s.waiting.Store(int64(len(index)))
}

// work makes pictures. The worker that makes the last picture of a batch mixes it.
func (e *epoch) work(ctx context.Context) {
	w := e.takeWorker()
	defer e.giveWorker(w)
	for t := range e.tasks {
		if ctx.Err() != nil {
			return
		}
		s := t.slot
		s.errs[t.place] = e.picture(w, s, t.place)
		if s.waiting.Add(-1) == 0 {
			s.failed = e.finish(s)
			s.done <- struct{}{}
		}
	}
}

// picture makes a task's picture and writes it to its position.
func (e *epoch) picture(w *worker, s *slot, place int) error {
	i := s.index[place]
	s.labels[place] = e.set.Label(i)
	if !e.opt.wants(place, len(s.index)) {
		s.damage[place] = ""
		return nil
	}
	w.decoder.Background = e.under
	im, damage, err := imageWith(e.set, &w.decoder, i)
	if err != nil {
		return err
	}
	s.damage[place] = damage
	size := e.shape[0] * e.shape[1] * e.shape[2]
	shape, err := w.buffers.TensorInto(s.images[place*size:(place+1)*size], e.opt.Pipeline, e.opt.Seed, uint64(e.number), uint64(i), im)
	if err == nil && shape == e.shape {
		return nil
	}
	// Find out whether the picture or only its size is wrong.
	t, err := e.opt.Pipeline.TensorAt(e.opt.Seed, uint64(e.number), uint64(i), im)
	if err != nil {
		return fmt.Errorf("%s: %w", e.set.Name(i), err)
	}
	return &sizeError{e.set.Name(i), t.Shape, e.shape}
}

// wants says whether the picture at a place of a batch of n is in the part that is made.
func (o LoaderOptions) wants(place, n int) bool {
	return o.Parts < 2 || place/((n+o.Parts-1)/o.Parts) == o.Part
}

// sizeError is the error for a picture whose tensor has a different size. Such a picture
// is never skipped, because the pipeline is at fault.
type sizeError struct {
	name      string
	got, want [3]int
}

func (e *sizeError) Error() string {
	return fmt.Sprintf("%s: the pipeline makes %d channels of %dx%d from it, but %d of %dx%d from others: end it with a resize to width and height, or a crop",
		e.name, e.got[0], e.got[2], e.got[1], e.want[0], e.want[2], e.want[1])
}

// finish closes the gaps left by bad pictures, and mixes the batch.
func (e *epoch) finish(s *slot) error {
	size := e.shape[0] * e.shape[1] * e.shape[2]
	n := 0
	for place := range s.index {
		if s.errs[place] != nil {
			continue
		}
		if n != place {
			copy(s.images[n*size:(n+1)*size], s.images[place*size:(place+1)*size])
			s.labels[n] = s.labels[place]
		}
		n++
	}
	s.Shape = [4]int{n, e.shape[0], e.shape[1], e.shape[2]}
	s.Images, s.Labels, s.Targets = s.images[:n*size], s.labels[:n], nil
	if e.opt.Mix == (transform.Mix{}) {
		return nil
	}
	step := uint64(e.number)*uint64(e.Len()) + uint64(s.Number)
	mixing := e.opt.Mix.Draw(e.opt.Seed^mixStream, step, e.shape[2], e.shape[1])
	if err := mixing.Images(s.Images, s.Shape); err != nil {
		return err
	}
	labels := make([]int32, n)
	for i, label := range s.Labels {
		labels[i] = int32(label)
	}
	var err error
	s.Targets, err = mixing.Targets(labels, e.opt.Classes, 0)
	return err
}

// settle reports a batch's bad and damaged pictures, and decides whether they end the
// epoch. It is called by the goroutine that receives the batch.
func (e *epoch) settle(s *slot) error {
	if s.failed != nil {
		return fmt.Errorf("loader: batch %d: %w", s.Number, s.failed)
	}
	s.Index = s.index[:0]
	for place, i := range s.index {
		err := s.errs[place]
		if err == nil {
			s.Index = append(s.Index, i)
			if damage := s.damage[place]; damage != "" && e.opt.Damaged != nil && e.first(i) {
				name := e.set.Name(i)
				e.opt.Damaged(BadPicture{Index: i, Name: name, Err: fmt.Errorf("%s: damaged: %s", name, damage)})
			}
			continue
		}
		if e.opt.Bad == nil || isSizeError(err) {
			return fmt.Errorf("loader: %w", err)
		}
		if e.first(i) {
			e.opt.Bad(BadPicture{Index: i, Name: e.set.Name(i), Err: err})
		}
	}
	return nil
}

func isSizeError(err error) bool {
	var size *sizeError
	return errors.As(err, &size)
}

// first reports whether a bad picture is reported for the first time.
func (l *Loader) first(i int) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	told := l.told[i]
	l.told[i] = true
	return !told
}

// takeSlot returns an unused slot, or a new one.
func (l *Loader) takeSlot() *slot {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if n := len(l.slots); n > 0 {
		s := l.slots[n-1]
		l.slots = l.slots[:n-1]
		return s
	}
	n := min(l.opt.Batch, l.set.Len())
	return &slot{
		images: make([]float32, n*l.shape[0]*l.shape[1]*l.shape[2]),
		labels: make([]int, n), index: make([]int, 0, n), errs: make([]error, n), damage: make([]string, n),
		done: make(chan struct{}, 1),
	}
}

// takeWorker returns an unused worker, or a new one.
func (l *Loader) takeWorker() *worker {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if n := len(l.workers); n > 0 {
		w := l.workers[n-1]
		l.workers = l.workers[:n-1]
		return w
	}
	return new(worker)
}

func (l *Loader) giveWorker(w *worker) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.workers = append(l.workers, w)
}
