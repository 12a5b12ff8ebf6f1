package train

import (
	"github.com/gomlx/compute"

	"gaze/pkg/vit"
)

// secondStage follows the epochs of a run in which only the head is trained.
type secondStage struct {
	at   int // the number of epochs before it
	next func(first *Trainer) (*Trainer, error)
}

// trainers are the trainers of a run: one, or two if the head is trained first.
type trainers struct {
	now    *Trainer
	head   bool // whether it trains only the head, and another follows
	plan   *plan
	second *secondStage
	keep   func(t *Trainer, done bool) // takes the last trainer back
}

// trainers makes the trainer that the run starts or resumes with.
func (f *FineTune) trainers(backend compute.Backend, s *sources, m *vit.Model, network *Network) (*trainers, error) {
	batches, depth := s.train.Len(), m.Config.Depth
	ts := &trainers{plan: &plan{settings: f.Settings, batches: batches}}
	if f.Peers != nil {
		f.Pool = nil // its trainers may have other peers
	}
	if f.Settings.HeadEpochs == 0 {
		name := programKey(backend, m.Config, f.Settings, f.Devices)
		ts.keep = func(t *Trainer, done bool) { f.Pool.give(name, t, done) }
		var err error
		ts.now, err = f.Pool.take(name, backend, network, f.options(f.Settings, batches, depth))
		return ts, err
	}
	ts.keep = func(t *Trainer, _ bool) { t.Close() }
	all := f.options(f.Settings, batches, depth)
	if f.Resume && checkpointEpoch(f.Dir) >= f.Settings.HeadEpochs {
		var err error
		ts.now, err = NewTrainer(backend, network, all)
		return ts, err
	}
	plain, err := ViT(m, 0, f.Settings.Smoothing)
	if err != nil {
		return nil, err
	}
	ts.head = true
	ts.second = &secondStage{at: f.Settings.HeadEpochs, next: func(first *Trainer) (*Trainer, error) {
		all.Schedule = ts.plan.schedule(first.updates)
		t, err := first.Next(network, all)
		if err != nil {
			return nil, err
		}
		first.Close()
		ts.now = t
		return t, nil
	}}
	ts.now, err = NewTrainer(backend, plain, f.options(f.Settings.headSettings(), batches, depth))
	return ts, err
}

// extend sets the learning rate from the run's place on, and returns the run's history, nil
// if its settings never changed.
func (ts *trainers) extend(old *Manifest, at place) ([]Phase, error) {
	if err := ts.plan.extend(old, at, ts.now.updates); err != nil {
		return nil, err
	}
	if !ts.head {
		ts.now.opt.Schedule = ts.plan.schedule(ts.now.began)
	}
	if len(ts.plan.history) < 2 {
		return nil, nil
	}
	return ts.plan.history, nil
}
