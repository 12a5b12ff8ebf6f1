package train

import "math"

// Schedule is the learning rate by update, counted from 0. The formulas are those of
// torch.optim.lr_scheduler, stepped after each update.
type Schedule func(update int) float64

// Constant is the same learning rate throughout.
func Constant(rate float64) Schedule {
	return func(int) float64 { return rate }
}

// Cosine falls from rate to floor along half a cosine over the given number of updates
// and stays there (CosineAnnealingLR up to its T_max).
func Cosine(rate, floor float64, updates int) Schedule {
	return func(update int) float64 {
		return floor + (rate-floor)*(1+math.Cos(math.Pi*done(update, updates)))/2
	}
}

// Linear falls from rate to floor linearly over the given number of updates and stays
// there (LinearLR).
func Linear(rate, floor float64, updates int) Schedule {
	return func(update int) float64 {
		return rate + (floor-rate)*done(update, updates)
	}
}

// Steps multiplies the rate by factor after every given number of updates (StepLR).
func Steps(rate, factor float64, every int) Schedule {
	return func(update int) float64 {
		return rate * math.Pow(factor, float64(update/max(every, 1)))
	}
}

// Warmup rises linearly from start, a fraction of the schedule's first rate, to that
// rate over the given number of updates, then follows the schedule from its beginning
// (SequentialLR of LinearLR and that schedule).
func Warmup(updates int, start float64, then Schedule) Schedule {
	return func(update int) float64 {
		if update >= updates {
			return then(update - updates)
		}
		return then(0) * (start + (1-start)*done(update, updates))
	}
}

// done is the fraction of the updates that are over, at most 1.
func done(update, updates int) float64 {
	if update >= updates {
		return 1
	}
	return float64(update) / float64(updates)
}
