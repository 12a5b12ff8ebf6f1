package train

import (
	"fmt"
	"math"
)

// Average keeps an exponential moving average of the weights beside them, as
// timm's ModelEma: after each update average = decay·average + (1-decay)·weight.
type Average struct {
	Decay float64 // at least 0, less than 1; 0.9999 is usual for long runs
	// Warmup lets the decay grow to Decay, so that the random start is soon
	// forgotten (timm's ModelEmaV3 with use_warmup, gamma 1, power 2/3): after n
	// updates it is at most 1-(1+n-1)^(-2/3), which is 0 the first time.
	Warmup bool
}

func (a *Average) validate() error {
	if a != nil && !(a.Decay >= 0 && a.Decay < 1) {
		return fmt.Errorf("an average of decay %g: it must be at least 0 and less than 1", a.Decay)
	}
	return nil
}

// decay is the decay after the given number of updates.
func (a *Average) decay(updates int) float64 {
	if !a.Warmup {
		return a.Decay
	}
	return min(a.Decay, 1-math.Pow(float64(updates), -2.0/3))
}
