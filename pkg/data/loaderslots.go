package data

import (
	"errors"
	"fmt"
)

// settle is called by the taker of a batch: it tells of bad and damaged pictures and
// decides whether they end the epoch.
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

// first tells whether a bad picture hasn't been told of yet.
func (l *Loader) first(i int) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	told := l.told[i]
	l.told[i] = true
	return !told
}

// takeSlot gives the memory of a batch that isn't in use, or new memory.
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

// takeWorker gives a worker its memory.
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
