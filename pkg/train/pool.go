package train

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/compute"

	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// Pool keeps the trainers of finished runs for runs that compute the same from other
// weights, with another seed or at another rate, since compiling a training step can take
// longer than an epoch of a small model. The zero value is empty. Several runs may use a
// pool at the same time.
type Pool struct {
	mutex    sync.Mutex
	idle     map[string][]*Trainer
	computed map[string]*sharedFeatures
}

// sharedFeatures are the features of the training and the validation pictures, which
// several runs may wait for.
type sharedFeatures struct {
	done chan struct{} // closed when they are computed or have failed
	both [2]*FeatureSet
	err  error
}

// features returns what compute returns, which is called once for all runs with the same
// key. After a failure the next run tries again. Without a pool or a key nothing is
// shared.
func (p *Pool) features(ctx context.Context, key string, compute func() ([2]*FeatureSet, error)) ([2]*FeatureSet, error) {
	if p == nil || key == "" {
		return compute()
	}
	for {
		p.mutex.Lock()
		shared, waiting := p.computed[key]
		if !waiting {
			shared = &sharedFeatures{done: make(chan struct{})}
			if p.computed == nil {
				p.computed = map[string]*sharedFeatures{}
			}
			p.computed[key] = shared
		}
		p.mutex.Unlock()
		if !waiting {
			if shared.both, shared.err = compute(); shared.err != nil {
				p.mutex.Lock()
				delete(p.computed, key)
				p.mutex.Unlock()
			}
			close(shared.done)
			return shared.both, shared.err
		}
		select {
		case <-shared.done:
			if shared.err == nil {
				return shared.both, nil
			}
		case <-ctx.Done():
			return [2]*FeatureSet{}, ctx.Err()
		}
	}
}

// programKey identifies the programs of a trainer: everything except what only changes the
// numbers that they are given.
func programKey(backend compute.Backend, cfg vit.Config, s Settings, devices int) string {
	s.Rate, s.Epochs, s.Batch, s.Seed, s.Valid = 0, 0, 0, 0, 0
	s.Schedule, s.Floor, s.Warmup, s.Smoothing, s.Mixup, s.CutMix = "", 0, 0, 0, 0, 0
	return fmt.Sprintf("%s\n%+v\n%+v\n%d", backend.Description(), cfg, s, max(devices, 1))
}

// take returns a trainer for the network: one that the pool has under the name, reset,
// or else a new one. A nil pool has none.
func (p *Pool) take(name string, backend compute.Backend, net *Network, opt Options) (*Trainer, error) {
	if p == nil {
		return NewTrainer(backend, net, opt)
	}
	p.mutex.Lock()
	var t *Trainer
	if list := p.idle[name]; len(list) > 0 {
		t, p.idle[name] = list[len(list)-1], list[:len(list)-1]
	}
	p.mutex.Unlock()
	if t == nil {
		return NewTrainer(backend, net, opt)
	}
	if err := t.restart(net, opt); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// give takes a trainer back. It closes one that isn't done or can't be used again.
func (p *Pool) give(name string, t *Trainer, done bool) {
	if p == nil || !done || t.broken != nil || t.pending > 0 {
		t.Close()
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.idle == nil {
		p.idle = map[string][]*Trainer{}
	}
	p.idle[name] = append(p.idle[name], t)
}

// Close frees the trainers and the features.
func (p *Pool) Close() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, list := range p.idle {
		for _, t := range list {
			t.Close()
		}
	}
	p.idle, p.computed = nil, nil
}

// restart resets a trainer to the state that NewTrainer would give it. The network and
// the options must build the same graphs as those it has.
func (t *Trainer) restart(net *Network, opt Options) error {
	if err := net.validate(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := opt.validate(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	t.start(net, opt)
	first := make(map[string]*weights.Tensor, len(net.Weights))
	for _, w := range net.Weights {
		first[w.Name] = w
	}
	state := []*weights.Tensor{weights.NewInt64s(counters, []int64{0, 0, 0})}
	for _, p := range t.params {
		w := first[p.name]
		if w == nil {
			return fmt.Errorf("train: the network has no weight %s", p.name)
		}
		values, err := w.Float32s()
		if err != nil {
			return err
		}
		state = append(state, weights.NewTensor(weightScope+"/"+p.name, w.Shape, values))
		if p.average != nil {
			state = append(state, weights.NewTensor(averageScope+"/"+p.name, w.Shape, values))
		}
		if p.frozen {
			continue
		}
		for _, slot := range opt.Optimizer.slots() {
			state = append(state, weights.NewTensor(slot+"/"+p.name, w.Shape, make([]float32, len(values))))
		}
	}
	return t.Restore(state)
}
