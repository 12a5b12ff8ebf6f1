package batch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"gaze/pkg/batch/source"
	"gaze/pkg/data"
)

// makeRows makes the row of each picture and delivers the rows in order. Pictures are read
// and decoded ahead of the model. Which pictures run together depends on nothing but the
// pictures, so that the results are the same to the last bit in every run; package stages,
// which runs whatever is ready first, wouldn't do.
func makeRows(ctx context.Context, j *Job, inputs []source.Input, m Model, reader *source.Reader, decoders int, deliver func(*Row) error) error {
	if decoders <= 0 {
		decoders = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &rowMaker{
		job: j, inputs: inputs, model: m, reader: reader, ctx: ctx, cancel: cancel,
		ahead: newAhead(min(decoders, len(inputs)), 2*(m.Batch()+decoders)),
		rows:  make([]*Row, len(inputs)), deliver: deliver, groups: make(chan []item),
	}
	var all sync.WaitGroup
	for range cap(r.ahead.workers) {
		all.Go(r.prepare)
	}
	for range max(1, m.InFlight()) {
		all.Go(r.run)
	}
	r.collect()
	close(r.groups)
	all.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return r.checkRead()
}

// item is a picture on its way.
type item struct {
	i     int
	row   *Row
	ready Prepared
	fatal error // not the picture's alone
}

// rowMaker is the state of makeRows.
type rowMaker struct {
	job    *Job
	inputs []source.Input
	model  Model
	reader *source.Reader
	ctx    context.Context
	cancel context.CancelCauseFunc
	ahead  *ahead
	groups chan []item

	mu      sync.Mutex
	rows    []*Row // that are finished and not delivered
	next    int    // to deliver
	deliver func(*Row) error
	unread  int // pictures whose bytes couldn't be had
	good    []item
}

// ahead hands out the numbers of pictures in order, and takes the pictures back, so that
// only so many are prepared and not collected.
type ahead struct {
	workers chan struct{} // its capacity is their number
	tokens  chan struct{}
	slots   []chan item // of picture i: i modulo their number
	mu      sync.Mutex
	next    int
}

func newAhead(workers, size int) *ahead {
	a := &ahead{workers: make(chan struct{}, workers), tokens: make(chan struct{}, size)}
	for range size {
		a.slots = append(a.slots, make(chan item, 1))
	}
	return a
}

// take waits until another picture may be prepared. It is false if there is none.
func (a *ahead) take(ctx context.Context, n int) (int, bool) {
	select {
	case a.tokens <- struct{}{}:
	case <-ctx.Done():
		return 0, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == n {
		<-a.tokens
		return 0, false
	}
	a.next++
	return a.next - 1, true
}

func (a *ahead) put(it item) { a.slots[it.i%len(a.slots)] <- it }

// get waits for picture i.
func (a *ahead) get(ctx context.Context, i int) (item, bool) {
	select {
	case it := <-a.slots[i%len(a.slots)]:
		<-a.tokens
		return it, true
	case <-ctx.Done():
		return item{}, false
	}
}

// prepare reads, decodes and prepares pictures.
func (r *rowMaker) prepare() {
	d := new(data.Decoder)
	for {
		i, ok := r.ahead.take(r.ctx, len(r.inputs))
		if !ok {
			return
		}
		it := item{i: i, row: &Row{Key: r.inputs[i].Key}}
		large := r.prepareOne(d, &it)
		r.ahead.put(it)
		if large { // a decoder keeps the memory of its largest picture
			d = new(data.Decoder)
		}
	}
}

// keptPixels is the largest picture whose memory a decoder keeps for the next.
const keptPixels = 16 << 20

func (r *rowMaker) prepareOne(d *data.Decoder, it *item) (large bool) {
	in := r.inputs[it.i]
	content, err := r.reader.Read(r.ctx, in)
	if err != nil {
		if it.fatal = r.job.fatal(r.ctx, in, err); it.fatal == nil {
			it.row.Err = reason(err, in)
		}
		return false
	}
	sum := sha256.Sum256(content)
	it.row.Hash = hex.EncodeToString(sum[:])
	d.Background = r.model.Background()
	im, err := d.DecodeReader(bytes.NewReader(content), in.Key)
	if err == nil {
		it.row.Width, it.row.Height, it.row.Damage = im.Width, im.Height, d.Damage()
		large = im.Width*im.Height > keptPixels
		it.ready, err = r.model.Prepare(im)
	}
	if err != nil {
		it.row.Err = reason(err, in)
	}
	return large || len(content) > keptPixels
}

// collect takes the pictures in order and hands groups of one size to the model, full ones
// and, where too many wait for others of their size, the oldest.
func (r *rowMaker) collect() {
	var waiting [][]item // by the first picture of each
	count, batch := 0, r.model.Batch()
	send := func(k int) bool {
		g := waiting[k]
		waiting = append(waiting[:k:k], waiting[k+1:]...)
		count -= len(g)
		select {
		case r.groups <- g:
			return true
		case <-r.ctx.Done():
			return false
		}
	}
	for i := range r.inputs {
		it, ok := r.ahead.get(r.ctx, i)
		if !ok {
			return
		}
		switch {
		case it.fatal != nil:
			r.cancel(it.fatal)
			return
		case it.row.Err != "":
			r.finish(it.i, it.row)
			continue
		}
		k := join(&waiting, it)
		if count++; len(waiting[k]) == batch {
			ok = send(k)
		} else if count > 4*batch {
			ok = send(0)
		}
		if !ok {
			return
		}
	}
	for len(waiting) > 0 && send(0) {
	}
}

// join puts a picture into the group of its size and returns the group's number.
func join(waiting *[][]item, it item) int {
	for k, g := range *waiting {
		if g[0].ready.Size == it.ready.Size {
			(*waiting)[k] = append(g, it)
			return k
		}
	}
	*waiting = append(*waiting, []item{it})
	return len(*waiting) - 1
}

// run runs the model on groups.
func (r *rowMaker) run() {
	for g := range r.groups {
		if r.ctx.Err() != nil {
			continue
		}
		if err := r.runGroup(g); err != nil {
			r.cancel(err)
		}
	}
}

// runGroup runs the pictures of a group together or, if that fails, one by one: an error is
// that of its picture. It is returned if the model fails altogether.
func (r *rowMaker) runGroup(g []item) error {
	results, err := r.results(g)
	if err == nil {
		for k := range g {
			g[k].row.Result = results[k]
		}
		r.keepGood(g[:1])
	} else if err := r.runAlone(g, err); err != nil {
		return err
	}
	for _, it := range g {
		r.finish(it.i, it.row)
	}
	return nil
}

func (r *rowMaker) results(g []item) ([]Result, error) {
	list := make([]Prepared, len(g))
	for k, it := range g {
		list[k] = it.ready
	}
	results, err := r.model.Run(r.ctx, list)
	if err == nil && len(results) != len(g) {
		err = fmt.Errorf("batch: the model made %d results of %d pictures", len(results), len(g))
	}
	return results, err
}

// runAlone runs each picture of a group that failed alone. If none succeeds, and neither
// does one that did before, the model is at fault.
func (r *rowMaker) runAlone(g []item, together error) error {
	succeeded := 0
	for k := range g {
		results, err := []Result(nil), together
		if len(g) > 1 {
			results, err = r.results(g[k : k+1])
		}
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if err != nil {
			g[k].row.Err = reason(err, r.inputs[g[k].i])
			continue
		}
		g[k].row.Result = results[0]
		succeeded++
		r.keepGood(g[k : k+1])
	}
	if succeeded > 0 {
		return nil
	}
	r.mu.Lock()
	good := r.good
	r.mu.Unlock()
	if good == nil {
		return fmt.Errorf("the model fails: %w", together)
	}
	if _, err := r.results(good); err != nil {
		return fmt.Errorf("the model fails: %w", err)
	}
	return nil
}

// keepGood remembers a picture that ran.
func (r *rowMaker) keepGood(g []item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.good = g
}

// finish takes a finished row and delivers those that can be.
func (r *rowMaker) finish(i int, row *Row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows[i] = row
	if row.Hash == "" {
		r.unread++
	}
	for r.next < len(r.rows) && r.rows[r.next] != nil {
		if err := r.deliver(r.rows[r.next]); err != nil {
			r.cancel(err)
			return
		}
		r.rows[r.next] = nil
		r.next++
	}
}

// suspicious is the number of pictures from which a shard of which none can be read points
// at the source, not at the pictures.
const suspicious = 16

// checkRead is an error if not one of many pictures could be read.
func (r *rowMaker) checkRead() error {
	if r.unread < len(r.inputs) || r.unread < suspicious {
		return nil
	}
	in := r.inputs[0]
	_, err := r.reader.Read(r.ctx, in)
	if err == nil {
		err = errors.New("it can be read now")
	}
	return fmt.Errorf("none of its %d pictures could be read: is the source still there? The first is %s: %w", len(r.inputs), in.File, err)
}
