package train

import (
	"github.com/gomlx/compute"

	"gaze/pkg/vit"
)

// secondStage is what follows the epochs of a run that train the head alone.
type secondStage struct {
	at   int // epochs before it
	next func(first *Trainer) (*Trainer, error)
}

// trainers are those of a run: one, or two where the head is trained first.
type trainers struct {
	now    *Trainer
	head   bool // whether it trains the head alone, and another comes after it
	plan   *plan
	second *secondStage
	keep   func(t *Trainer, done bool) // takes the last one back
}

// trainers makes the trainer that the run begins with, or goes on with.
func (f *FineTune) trainers(backend compute.Backend, s *sources, m *vit.Model, network *Network) (*trainers, error) {
	batches, depth := s.train.Len(), m.Config.Depth
	ts := &trainers{plan: &plan{settings: f.Settings, batches: batches}}
	if f.Settings.HeadEpochs == 0 {
		name := program(backend, m.Config, f.Settings)
		ts.keep = func(t *Trainer, done bool) { f.Pool.give(name, t, done) }
		var err error
		ts.now, err = f.Pool.take(name, backend, network, f.Settings.Options(batches, depth))
		return ts, err
	}
	ts.keep = func(t *Trainer, _ bool) { t.Close() }
	all := f.Settings.Options(batches, depth)
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
	ts.now, err = NewTrainer(backend, plain, f.Settings.headSettings().Options(batches, depth))
	return ts, err
}

// extend makes the learning rate what it is from where the run stands on, and gives
// the run's history, nil as long as nothing has changed in it.
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
