package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"gaze/pkg/transform"
)

// LoaderOptions are the options of a [Loader].
type LoaderOptions struct {
	// Pipeline turns a picture into a tensor. All tensors must have the same size,
	// that of the first.
	Pipeline transform.Pipeline
	Batch    int // pictures per batch; the last batch of an epoch may have fewer
	DropLast bool
	// Seed determines all random choices, together with the epoch and the picture's
	// index in the set, so that workers and resuming don't change a bit.
	Seed    uint64
	Shuffle bool // use a new order in each epoch instead of the set's

	// Mix mixes each batch (Mixup, CutMix); its zero value doesn't. Mixed batches
	// have Targets, for Classes classes.
	Mix     transform.Mix
	Classes int

	// Parts, if more than 1, leaves out most of the work: of each batch of n pictures only
	// those from number Part*⌈n/Parts⌉ on, ⌈n/Parts⌉ of them, are decoded and transformed.
	// The batch is as large as otherwise, but the other pictures hold anything. It can't
	// be combined with Mix or Bad, for which all pictures are needed.
	Part, Parts int

	Workers  int // number of workers that decode and transform; 0: one per processor
	Prefetch int // batches made ahead of the one in use; 0: 2

	// Bad is called once for each picture that can't be decoded or transformed,
	// before the batch that lacks it. The picture is left out of its batch. The
	// other pictures stay in their batches, so that batches are the same wherever
	// the epoch begins. If Bad is nil, a bad picture ends the epoch with an error.
	Bad func(BadPicture)
	// Damaged is called once, before its batch, for each picture whose file is
	// damaged but could be decoded (see [DecodeWarn]).
	Damaged func(BadPicture)
}

// BadPicture is a picture that can't be decoded or transformed, or is damaged.
type BadPicture struct {
	Index int // index in the set
	Name  string
	Err   error // names the picture and describes the problem
}

// Batch is a batch of pictures. It is valid until the receiver asks for the next one;
// then its memory is reused.
type Batch struct {
	Number  int       // number in the epoch, from 0
	Images  []float32 // [pictures, channels, height, width]
	Shape   [4]int
	Labels  []int     // before mixing
	Targets []float32 // [pictures, classes], each row's sum 1; nil without mixing
	Index   []int     // index of each picture in the set
}

// Loader makes batches of a set's pictures. Several workers decode and transform while
// earlier batches are in use. For the same set, options and seed the batches of an epoch
// are the same to the bit for any number of workers. Several epochs may run
// concurrently.
type Loader struct {
	set     Set
	opt     LoaderOptions
	shape   [3]int // shape of a picture's tensor
	under   backdrop
	mutex   sync.Mutex
	slots   []*slot      // not in use
	workers []*worker    // not in use
	told    map[int]bool // bad pictures already reported
}

// NewLoader checks the options. It transforms the set's first picture that can be
// decoded, whose size is then required of all.
func NewLoader(set Set, o LoaderOptions) (*Loader, error) {
	mixes := o.Mix != transform.Mix{}
	switch {
	case set.Len() == 0:
		return nil, errors.New("loader: the set has no pictures")
	case o.Batch < 1:
		return nil, fmt.Errorf("loader: batches of %d pictures: the batch size must be at least 1", o.Batch)
	case o.DropLast && set.Len() < o.Batch:
		return nil, fmt.Errorf("loader: %d pictures don't fill a batch of %d, and incomplete batches are dropped: choose smaller batches", set.Len(), o.Batch)
	case o.Workers < 0 || o.Prefetch < 0:
		return nil, fmt.Errorf("loader: %d workers, %d batches ahead; neither can be negative", o.Workers, o.Prefetch)
	case o.Parts > 1 && (o.Part < 0 || o.Part >= o.Parts || mixes || o.Bad != nil):
		return nil, fmt.Errorf("loader: part %d of %d: it must be from 0 to %d, and pictures can't be mixed or left out", o.Part, o.Parts, o.Parts-1)
	case mixes && o.Classes < 1:
		return nil, errors.New("loader: to mix labels, the number of classes must be given")
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Prefetch == 0 {
		o.Prefetch = 2
	}
	l := &Loader{set: set, opt: o, under: o.Pipeline.Background(), told: map[int]bool{}}
	for i := range set.Len() {
		if label := set.Label(i); label < 0 || mixes && label >= o.Classes {
			return nil, fmt.Errorf("loader: %s has class %d, but there are %d classes (from 0)", set.Name(i), label, o.Classes)
		}
	}
	return l, l.findShape()
}

// findShape determines the shape of the tensors.
func (l *Loader) findShape() error {
	var first error
	for i := range l.set.Len() {
		im, _, err := imageWith(l.set, &Decoder{Background: l.under}, i)
		if err == nil {
			t, err := l.opt.Pipeline.TensorAt(l.opt.Seed, 0, uint64(i), im)
			if err == nil {
				l.shape = t.Shape
				return nil
			}
			return fmt.Errorf("loader: %s: %w", l.set.Name(i), err)
		}
		if first == nil {
			first = err
		}
		if l.opt.Bad == nil {
			break
		}
	}
	return fmt.Errorf("loader: %w", first)
}

// Len is the number of batches in an epoch.
func (l *Loader) Len() int {
	if l.opt.DropLast {
		return l.set.Len() / l.opt.Batch
	}
	return (l.set.Len() + l.opt.Batch - 1) / l.opt.Batch
}

// Random reports whether pictures are changed at random, by steps of the pipeline or by
// mixing. A random order doesn't count.
func (l *Loader) Random() bool { return l.opt.Pipeline.Random() || l.opt.Mix != transform.Mix{} }

// Pictures is the number of pictures in the set.
func (l *Loader) Pictures() int { return l.set.Len() }

// Shape is the shape [channels, height, width] of a picture in a batch.
func (l *Loader) Shape() [3]int { return l.shape }

// Batches makes the batches of an epoch, beginning with number from. They are the same as
// if the earlier ones had been made too. A batch in which all pictures are bad is
// skipped. An error is the last value: the context's, that of a bad picture if
// LoaderOptions.Bad is nil, or that of a picture with a different size. If the caller
// leaves the loop early or the context ends, all workers are stopped before the loop
// ends.
func (l *Loader) Batches(ctx context.Context, epoch, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		if epoch < 0 || from < 0 || from > l.Len() {
			yield(Batch{}, fmt.Errorf("loader: there is no batch %d of %d in epoch %d", from, l.Len(), epoch))
			return
		}
		e := l.start(ctx, epoch, from)
		defer e.stop()
		for s := range e.queue {
			select {
			case <-s.done:
			case <-ctx.Done():
				yield(Batch{}, ctx.Err())
				return
			}
			if err := e.settle(s); err != nil {
				yield(Batch{}, err)
				return
			}
			if len(s.Labels) > 0 && !yield(s.Batch, nil) {
				return
			}
			e.free <- s
		}
		if err := ctx.Err(); err != nil {
			yield(Batch{}, err)
		}
	}
}

// order returns the order of the pictures in an epoch.
func (l *Loader) order(epoch int) []int {
	order := make([]int, l.set.Len())
	for i := range order {
		order[i] = i
	}
	if l.opt.Shuffle {
		shuffle(order, transform.NewRand(l.opt.Seed^shuffleStream, uint64(epoch), 0, 0))
	}
	return order
}
