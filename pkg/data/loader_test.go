package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gaze/pkg/transform"
)

// drawn is a set of small pictures in memory; some may be bad.
type drawn struct {
	images []*transform.Image
	bad    map[int]bool
	asked  atomic.Int64
}

var errBad = errors.New("damaged")

func (d *drawn) Len() int          { return len(d.images) }
func (d *drawn) Label(i int) int   { return i % 5 }
func (d *drawn) Name(i int) string { return fmt.Sprintf("picture %d", i) }
func (d *drawn) Image(i int) (*transform.Image, error) {
	d.asked.Add(1)
	if d.bad[i] {
		return nil, fmt.Errorf("%s: %w", d.Name(i), errBad)
	}
	return d.images[i], nil
}

func newDrawn(n, width, height int, bad ...int) *drawn {
	d := &drawn{bad: map[int]bool{}}
	for i := range n {
		im := transform.NewImage(width, height, 3)
		for j := range im.Pix {
			im.Pix[j] = uint8(i*37 + j*(i+3))
		}
		d.images = append(d.images, im)
	}
	for _, i := range bad {
		d.bad[i] = true
	}
	return d
}

func parse(t testing.TB, text string) transform.Pipeline {
	t.Helper()
	p, err := transform.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const randomPipeline = "randomresizedcrop(12) | randomhflip | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | totensor | normalize(0.5,0.5)"

// copied copies a batch to new memory.
func copied(b Batch) Batch {
	b.Images, b.Labels = slices.Clone(b.Images), slices.Clone(b.Labels)
	b.Targets, b.Index = slices.Clone(b.Targets), slices.Clone(b.Index)
	return b
}

func collect(t testing.TB, l *Loader, epoch, from int) []Batch {
	t.Helper()
	var out []Batch
	for b, err := range l.Batches(t.Context(), epoch, from) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, copied(b))
	}
	return out
}

func newLoader(t testing.TB, set Set, o LoaderOptions) *Loader {
	t.Helper()
	l, err := NewLoader(set, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func sameBatches(a, b []Batch) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d batches and %d", len(a), len(b))
	}
	bits := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
	for i := range a {
		x, y := a[i], b[i]
		if x.Number != y.Number || x.Shape != y.Shape || !slices.Equal(x.Index, y.Index) || !slices.Equal(x.Labels, y.Labels) {
			return fmt.Errorf("batch %d: %d %v %v and %d %v %v", i, x.Number, x.Shape, x.Index, y.Number, y.Shape, y.Index)
		}
		if !slices.EqualFunc(x.Images, y.Images, bits) || !slices.EqualFunc(x.Targets, y.Targets, bits) {
			return fmt.Errorf("batch %d differs in its values", i)
		}
	}
	return nil
}

func TestLoaderSameForAnyWorkers(t *testing.T) {
	defer goleak.VerifyNone(t)
	set := newDrawn(45, 30, 23, 3, 17, 18)
	options := LoaderOptions{
		Pipeline: parse(t, randomPipeline), Batch: 8, Seed: 5, Shuffle: true, Bad: func(BadPicture) {},
		Mix: transform.Mix{MixupAlpha: 0.8, CutMixAlpha: 1, P: 0.9, Switch: 0.5}, Classes: 5,
	}
	options.Workers = 1
	one := newLoader(t, set, options)
	for epoch := range 3 {
		want := collect(t, one, epoch, 0)
		for workers := 2; workers <= 8; workers++ {
			options.Workers, options.Prefetch = workers, 1+workers%4
			l := newLoader(t, set, options)
			if err := sameBatches(want, collect(t, l, epoch, 0)); err != nil {
				t.Errorf("epoch %d, %d workers: %v", epoch, workers, err)
			}
			if err := sameBatches(want[4:], collect(t, l, epoch, 4)); err != nil {
				t.Errorf("epoch %d, %d workers, resumed: %v", epoch, workers, err)
			}
		}
	}
	if sameBatches(collect(t, one, 0, 0), collect(t, one, 1, 0)) == nil {
		t.Error("two epochs are the same")
	}
}

func TestLoaderGivesEachPictureOnce(t *testing.T) {
	set := newDrawn(23, 9, 8)
	for _, tt := range []struct {
		shuffle, drop bool
		batch, want   int
	}{{false, false, 5, 5}, {true, false, 5, 5}, {true, true, 5, 4}, {false, false, 100, 1}, {true, false, 1, 23}} {
		l := newLoader(t, set, LoaderOptions{Pipeline: parse(t, "totensor"), Batch: tt.batch, Shuffle: tt.shuffle, DropLast: tt.drop, Seed: 1})
		batches := collect(t, l, 2, 0)
		var seen []int
		for k, b := range batches {
			if b.Number != k || len(b.Labels) != b.Shape[0] || len(b.Images) != b.Shape[0]*3*8*9 {
				t.Errorf("%+v: batch %d is number %d of %v", tt, k, b.Number, b.Shape)
			}
			for j, i := range b.Index {
				if b.Labels[j] != set.Label(i) || b.Images[j*3*72] != float32(set.images[i].Pix[0])/255 {
					t.Errorf("%+v: picture %d has another's label or values", tt, i)
				}
			}
			seen = append(seen, b.Index...)
		}
		if len(batches) != tt.want || l.Len() != tt.want {
			t.Errorf("%+v: %d batches, Len is %d", tt, len(batches), l.Len())
		}
		if sorted := slices.IsSorted(seen); sorted == tt.shuffle {
			t.Errorf("%+v: the order is %v", tt, seen)
		}
		slices.Sort(seen)
		if n := len(slices.Compact(seen)); n != min(23, tt.want*tt.batch) {
			t.Errorf("%+v: %d different pictures", tt, n)
		}
	}
}

func TestLoaderPassesOverBadPictures(t *testing.T) {
	defer goleak.VerifyNone(t)
	set := newDrawn(12, 9, 9, 0, 4, 5, 6, 7, 9)
	var told []int
	l := newLoader(t, set, LoaderOptions{Pipeline: parse(t, "totensor"), Batch: 4, Bad: func(b BadPicture) {
		if !errors.Is(b.Err, errBad) || b.Name != set.Name(b.Index) {
			t.Errorf("%+v", b)
		}
		told = append(told, b.Index)
	}})
	for range 2 {
		batches := collect(t, l, 0, 0)
		if len(batches) != 2 || batches[0].Number != 0 || batches[1].Number != 2 ||
			!slices.Equal(batches[0].Index, []int{1, 2, 3}) || !slices.Equal(batches[1].Index, []int{8, 10, 11}) {
			t.Errorf("%+v", batches)
		}
		if v := batches[1].Images[3*81]; v != float32(set.images[10].Pix[0])/255 {
			t.Errorf("the gap wasn't closed: %g", v)
		}
	}
	if !slices.Equal(told, []int{0, 4, 5, 6, 7, 9}) {
		t.Errorf("told of %v", told)
	}
}

func TestLoaderEndsAtBadPicture(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := newLoader(t, newDrawn(12, 9, 9, 6), LoaderOptions{Pipeline: parse(t, "totensor"), Batch: 4})
	good := 0
	var last error
	for _, err := range l.Batches(t.Context(), 0, 0) {
		if last != nil {
			t.Error("it went on after an error")
		}
		if last = err; err == nil {
			good++
		}
	}
	if good != 1 || !errors.Is(last, errBad) {
		t.Errorf("%d batches, then %v", good, last)
	}
}

func TestLoaderStops(t *testing.T) {
	defer goleak.VerifyNone(t)
	set := newDrawn(200, 20, 20)
	l := newLoader(t, set, LoaderOptions{Pipeline: parse(t, randomPipeline), Batch: 4, Workers: 3, Prefetch: 3})
	want := collect(t, l, 0, 0)
	for stop := range 5 {
		for b, err := range l.Batches(t.Context(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if b.Number == stop {
				break
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var last error
		for b, err := range l.Batches(ctx, 0, 0) {
			if last = err; err == nil && b.Number == stop {
				cancel()
			}
		}
		if cancel(); !errors.Is(last, context.Canceled) {
			t.Errorf("after the context ended: %v", last)
		}
	}
	if err := sameBatches(want, collect(t, l, 0, 0)); err != nil {
		t.Errorf("memory of epochs that were left was used wrongly: %v", err)
	}
}

func TestLoaderReadsAheadBoundedly(t *testing.T) {
	set := newDrawn(100, 8, 8)
	l := newLoader(t, set, LoaderOptions{Pipeline: parse(t, "totensor"), Batch: 2, Workers: 2, Prefetch: 3})
	set.asked.Store(0)
	for range l.Batches(t.Context(), 0, 0) {
		for deadline := time.Now().Add(5 * time.Second); set.asked.Load() < 8 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		break
	}
	if n := set.asked.Load(); n != 8 {
		t.Errorf("%d pictures were made for 1 batch of 2 in use and 3 ahead", n)
	}
}

// TestLoaderAllocatesNothingPerPicture counts the process's allocations in five epochs and
// uses the lowest count. An allocation per picture occurs in every epoch, while other
// goroutines, a garbage collection that empties pools, or workers that are scheduled late
// and need more memory ahead add to only some epochs.
func TestLoaderAllocatesNothingPerPicture(t *testing.T) {
	set := newDrawn(512, 40, 30)
	l := newLoader(t, set, LoaderOptions{Pipeline: parse(t, "randomresizedcrop(12) | randomhflip | totensor | normalize(0.5,0.5)"), Batch: 32, Shuffle: true, Workers: 2})
	run := func() {
		for _, err := range l.Batches(context.Background(), 1, 0) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	run()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	least := uint64(math.MaxUint64)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		least = min(least, after.Mallocs-before.Mallocs)
	}
	if least > 100 {
		t.Errorf("%d allocations for an epoch of 512 pictures", least)
	} else {
		t.Logf("%d allocations for an epoch of 512 pictures in 16 batches", least)
	}
}

// Two concurrent epochs share only unused memory.
func TestLoaderRunsEpochsAtATime(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := newLoader(t, newDrawn(30, 14, 14), LoaderOptions{Pipeline: parse(t, randomPipeline), Batch: 4, Shuffle: true})
	want := [][]Batch{collect(t, l, 0, 0), collect(t, l, 1, 0)}
	var got [2][]Batch
	var next [2]func() (Batch, error, bool)
	for i := range next {
		pull, stop := iter.Pull2(l.Batches(t.Context(), i, 0))
		defer stop()
		next[i] = pull
	}
	for range l.Len() {
		for i, pull := range next {
			b, err, ok := pull()
			if err != nil || !ok {
				t.Fatal(err, ok)
			}
			got[i] = append(got[i], copied(b))
		}
	}
	for i := range got {
		if err := sameBatches(got[i], want[i]); err != nil {
			t.Errorf("epoch %d: %v", i, err)
		}
	}
}

// A batch holds the results of the pipeline and of mixing for its pictures.
func TestLoaderGivesThePipelinesTensors(t *testing.T) {
	set := newDrawn(10, 30, 20)
	p := parse(t, randomPipeline)
	plain := newLoader(t, set, LoaderOptions{Pipeline: p, Batch: 4, Shuffle: true, Seed: 8})
	mix := transform.Mix{MixupAlpha: 0.8, P: 1}
	mixed := newLoader(t, set, LoaderOptions{Pipeline: p, Batch: 4, Shuffle: true, Seed: 8, Mix: mix, Classes: 5})
	want := collect(t, mixed, 3, 0)
	for k, b := range collect(t, plain, 3, 0) {
		for j, i := range b.Index {
			tensor, err := p.TensorAt(8, 3, uint64(i), set.images[i])
			if err != nil {
				t.Fatal(err)
			}
			if size := len(tensor.Data); !slices.Equal(b.Images[j*size:(j+1)*size], tensor.Data) {
				t.Errorf("picture %d isn't what the pipeline makes of it", i)
			}
		}
		n := b.Shape[0]
		for j := range n {
			own, other := want[k].Targets[j*5+b.Labels[j]], want[k].Targets[j*5+b.Labels[n-1-j]]
			sum := float32(0)
			for _, v := range want[k].Targets[j*5 : j*5+5] {
				sum += v
			}
			if b.Labels[j] != b.Labels[n-1-j] && (own+other < 0.999999 || own+other > 1.000001) || sum < 0.999999 || sum > 1.000001 {
				t.Errorf("targets %v of labels %v", want[k].Targets, b.Labels)
			}
			size := len(b.Images) / n
			a, c, got := b.Images[j*size], b.Images[(n-1-j)*size], want[k].Images[j*size]
			if b.Labels[j] != b.Labels[n-1-j] && math.Abs(float64(own*a+other*c-got)) > 1e-5 {
				t.Errorf("%g and %g became %g with parts %g and %g", a, c, got, own, other)
			}
		}
	}
}
