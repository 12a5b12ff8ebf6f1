package train

import (
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Peers are processes that train together, on one host or on many. Each has all weights and
// trains on its part of every batch; before an update their gradients are added up. Calls
// must be made in the same order in all of them.
type Peers interface {
	Rank() int // of this process, from 0
	Size() int // how many there are
	// Sum replaces values by their sums over the processes, which have the same bits in each.
	Sum(values []float32) error
	SumFloat64(values []float64) error
}

func (o Options) processes() int {
	if o.Peers == nil {
		return 1
	}
	return o.Peers.Size()
}

func (t *Trainer) processes() int { return t.opt.processes() }

func (t *Trainer) rank() int {
	if t.opt.Peers == nil {
		return 0
	}
	return t.opt.Peers.Rank()
}

// divides says whether a batch is divided at all.
func (t *Trainer) divides() bool { return t.devices() > 1 || t.processes() > 1 }

// accumulates says whether gradients are kept and applied by another program. Those of
// several processes are added up in between.
func (t *Trainer) accumulates() bool { return t.opt.Accumulate > 1 || t.processes() > 1 }

// sumMetrics adds up what the processes found on their parts of a batch.
func (t *Trainer) sumMetrics(m *Metrics) error {
	if t.processes() == 1 {
		return nil
	}
	values := []float64{m.Loss, float64(m.Correct)}
	if err := t.opt.Peers.SumFloat64(values); err != nil {
		return t.lost(err)
	}
	m.Loss, m.Correct, m.Answers = values[0], int(values[1]), m.Batch
	return nil
}

// sumGradients replaces the gradients that wait on each device by their sum over all devices
// of all processes.
func (t *Trainer) sumGradients() error {
	if t.processes() == 1 {
		return nil
	}
	all := t.host[:0]
	for _, p := range t.trained() {
		from := len(all)
		for d := range t.devices() {
			value, err := t.valueOn(p.gradient, d)
			if err != nil {
				return t.lost(err)
			}
			values, err := tensors.CopyFlatData[float32](value)
			if err != nil {
				return t.lost(err)
			}
			if d == 0 {
				all = append(all, values...)
				continue
			}
			for i, v := range values {
				all[from+i] += v
			}
		}
	}
	t.host = all
	if err := t.opt.Peers.Sum(all); err != nil {
		return t.lost(err)
	}
	for _, p := range t.trained() {
		n := p.shape.Size()
		if err := t.setEverywhere(p, p.gradient, all[:n]); err != nil {
			return t.lost(err)
		}
		all = all[n:]
	}
	return nil
}

// setEverywhere gives a variable new values on each device.
func (t *Trainer) setEverywhere(p *parameter, v *model.Variable, values []float32) error {
	var list []*tensors.Tensor
	for d := range t.devices() {
		value, err := t.own(p.shape, values, d)
		if err != nil {
			free(list)
			return err
		}
		list = append(list, value)
	}
	return t.setValue(v, list)
}

// lost notes that a batch is lost, since not all processes have trained on it.
func (t *Trainer) lost(err error) error {
	t.broken = &peersError{fmt.Errorf("train: after %d updates: %w", t.updates, err)}
	return t.broken
}

// peersError says that training with other processes can't go on. The weights are still
// those of the last update.
type peersError struct{ error }

func (e *peersError) Unwrap() error { return e.error }

// giveUp goes back to the last update if the error is that of other processes, so that the
// state can be saved.
func (t *Trainer) giveUp(err error, batches int) bool {
	var peers *peersError
	if !errors.As(err, &peers) {
		return false
	}
	t.broken, t.pending, t.batches = nil, 0, batches
	return true
}

// ownPart is this process's part of a batch that is evaluated.
func (t *Trainer) ownPart(b Batch) Batch {
	n := t.processes()
	if n == 1 || len(b.Labels) == 0 {
		return b
	}
	all := len(b.Labels)
	size, each := partOf(all, n), len(b.Images)/all
	from, to := min(t.rank()*size, all), min((t.rank()+1)*size, all)
	return Batch{Images: b.Images[from*each : to*each], Labels: b.Labels[from:to]}
}

// sumTotal adds up what the processes found on their parts of the batches.
func (t *Trainer) sumTotal(total *sums) error {
	if t.processes() == 1 {
		return nil
	}
	values := []float64{total.loss, float64(total.correct), float64(total.answers)}
	if err := t.opt.Peers.SumFloat64(values); err != nil {
		return t.lost(err)
	}
	total.loss, total.correct, total.answers = values[0], int(values[1]), int(values[2])
	return nil
}

// agree returns whether any of the processes says yes.
func agree(p Peers, yes bool) (bool, error) {
	if p == nil {
		return yes, nil
	}
	value := []float64{0}
	if yes {
		value[0] = 1
	}
	err := p.SumFloat64(value)
	return value[0] > 0, err
}

// checkSame returns an error if the processes aren't about to do the same, which text says.
func checkSame(p Peers, text string) error {
	if p == nil {
		return nil
	}
	h := fnv.New64a()
	h.Write([]byte(text))
	all := make([]float64, p.Size())
	all[p.Rank()] = float64(h.Sum64() >> 12) // what a float64 holds exactly
	if err := p.SumFloat64(all); err != nil {
		return err
	}
	for rank, sum := range all {
		if sum != all[0] {
			return fmt.Errorf("process %d has other settings, other data or another checkpoint than process 0: all need the same command line, and the same files under the same paths", rank)
		}
	}
	return nil
}
