package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute"
)

// FinderOptions configures a learning-rate range test. Zero values stand for fastai's.
type FinderOptions struct {
	From, To  float64 // first and last learning rate; 0: 1e-7 and 10
	Updates   int     // number of updates; 0: 100
	Smoothing float64 // factor of the moving average of the losses; 0: 0.98
	// Diverged ends the sweep at this multiple of the best smoothed loss; 0: 4.
	Diverged float64
}

func (o FinderOptions) withDefaults() (FinderOptions, error) {
	or := func(v *float64, usual float64) {
		if *v == 0 {
			*v = usual
		}
	}
	or(&o.From, 1e-7)
	or(&o.To, 10)
	or(&o.Smoothing, 0.98)
	or(&o.Diverged, 4)
	if o.Updates == 0 {
		o.Updates = 100
	}
	switch {
	case !(o.From > 0 && o.To > o.From) || math.IsInf(o.To, 0):
		return o, fmt.Errorf("learning rates from %g to %g: they must rise, from more than 0", o.From, o.To)
	case o.Updates < 2:
		return o, fmt.Errorf("a sweep of %d updates: it needs at least 2", o.Updates)
	case !(o.Smoothing > 0 && o.Smoothing < 1):
		return o, fmt.Errorf("smoothing of %g: it must be between 0 and 1", o.Smoothing)
	case !(o.Diverged > 1):
		return o, fmt.Errorf("a sweep that ends at %g times its best loss: it must be more than 1", o.Diverged)
	}
	return o, nil
}

// Sweep is the loss of a network at rising learning rates, one value for each update.
type Sweep struct {
	Rates    []float64
	Losses   []float64 // of the update's batches, before the update
	Smoothed []float64 // their exponential moving average, its bias corrected
	Diverged bool      // whether it ended because the loss was too large or not finite
	// DivergedAt is the rate from which on the losses stayed above the initial ones; 0 if
	// the sweep didn't end early. The smoothed loss shows that only later.
	DivergedAt float64
}

// rate is the learning rate of an update.
func (o FinderOptions) rate(update int) float64 {
	return o.From * math.Pow(o.To/o.From, float64(update)/float64(o.Updates-1))
}

// FindLearningRate trains a copy of the network with a learning rate that rises
// exponentially from update to update, to find where the loss falls fastest and where
// training breaks down: Smith's range test (Cyclical Learning Rates, 2017) as in fastai.
// The network's own weights don't change. opt are the options of the training to come;
// its Schedule isn't used and may be nil. The source's epochs are repeated until there are
// enough batches.
func FindLearningRate(ctx context.Context, backend compute.Backend, net *Network, opt Options, source Source, how FinderOptions) (*Sweep, error) {
	how, err := how.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("train: finding a learning rate: %w", err)
	}
	opt.Average = nil
	opt.Schedule = how.rate
	t, err := NewTrainer(backend, net, opt)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	s := &Sweep{}
	if err := s.run(ctx, t, source, how); err != nil {
		return nil, err
	}
	if len(s.Rates) < 2 {
		return nil, fmt.Errorf("train: the loss isn't finite at a learning rate of %g: begin with a lower one", how.From)
	}
	return s, nil
}

// run trains until all rates are tried or the loss diverges.
func (s *Sweep) run(ctx context.Context, t *Trainer, source Source, how FinderOptions) error {
	var group sums
	best, mean := math.Inf(1), 0.0
	for epoch := 0; ; epoch++ {
		before := t.batches
		for batch, err := range source.Batches(epoch, 0) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			if len(batch.Images) == 0 {
				continue
			}
			m, err := t.Step(batch)
			if broken := (*NotFiniteError)(nil); errors.As(err, &broken) {
				s.diverged(how.rate(len(s.Rates)))
				return nil
			} else if err != nil {
				return err
			}
			if group.add(m); !m.Updated {
				continue
			}
			loss := group.evaluation().Loss
			group = sums{}
			mean = how.Smoothing*mean + (1-how.Smoothing)*loss
			n := len(s.Rates) + 1
			smooth := mean / (1 - math.Pow(how.Smoothing, float64(n)))
			s.Rates, s.Losses, s.Smoothed = append(s.Rates, m.Rate), append(s.Losses, loss), append(s.Smoothed, smooth)
			best = min(best, smooth)
			if smooth > how.Diverged*best {
				s.diverged(m.Rate)
				return nil
			}
			if n == how.Updates {
				return nil
			}
		}
		if t.batches == before {
			return errors.New("train: finding a learning rate: the source has no pictures")
		}
	}
}

// Steepest is the learning rate at which the smoothed loss falls fastest over the
// logarithm of the rate: fastai's suggestion "steep". It leaves out the first tenth of the
// updates and the last five if there are enough; fastai leaves out a tenth of the planned
// updates.
func (s *Sweep) Steepest() float64 {
	from, to := s.window()
	best := from
	for i := from; i+1 < to; i++ {
		if s.Smoothed[i+1]-s.Smoothed[i] < s.Smoothed[best+1]-s.Smoothed[best] {
			best = i
		}
	}
	return s.Rates[best]
}

// MinimumTenth is a tenth of the learning rate with the lowest smoothed loss: fastai's
// suggestion "minimum". It leaves out the same updates as Steepest.
func (s *Sweep) MinimumTenth() float64 {
	from, to := s.window()
	best := from
	for i := from; i < to; i++ {
		if s.Smoothed[i] < s.Smoothed[best] {
			best = i
		}
	}
	return s.Rates[best] / 10
}

// diverged ends the sweep, whose last rate is given, and looks back for the rate at which
// training broke down. The initial loss is the mean of the first tenth, at least three.
func (s *Sweep) diverged(last float64) {
	s.Diverged, s.DivergedAt = true, last
	first := s.Losses[:min(max(len(s.Losses)/10, 3), len(s.Losses))]
	mean := 0.0
	for _, loss := range first {
		mean += loss / float64(len(first))
	}
	for i := len(s.Losses) - 1; i >= len(first) && s.Losses[i] > mean; i-- {
		s.DivergedAt = s.Rates[i]
	}
}

// DivergedTenth is a tenth of the learning rate at which training broke down: an upper
// bound of the rate to train with. It is 0 if training didn't break down.
func (s *Sweep) DivergedTenth() float64 { return s.DivergedAt / 10 }

// window is the range of updates for suggestions, at least two.
func (s *Sweep) window() (from, to int) {
	from, to = len(s.Rates)/10, len(s.Rates)-5
	if to-from < 2 {
		return 0, len(s.Rates)
	}
	return from, to
}
