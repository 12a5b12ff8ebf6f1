package explain

import "fmt"

// Settings are the numbers that methods leave open. The zero value has each at its default,
// mostly the paper's; the record of a league lists those that did better.
type Settings struct {
	// Layer of "attention", counted from 0; -1 is the last.
	Layer *int
	// Heads combines the heads of "attention" and of the rollouts. The zero value is their mean.
	Heads Heads
	// Discard is the share of a layer's weights that rollouts set to zero, the smallest
	// ones, in [0, 1). Default 0.
	Discard float64
	// Steps is the number of points on the way from the baseline of "ig" (default 32) and
	// "tam" (default 20).
	Steps int
	// Samples is the number of noisy pictures of "smoothgrad" (default 32), of masks of
	// "rise" and "rise-tokens" (default 500).
	Samples int
	// Noise is the standard deviation of the noise of "smoothgrad", as a share of the range
	// of the picture's values (default 0.15), and of "vitcx", in the units of those values
	// (default 0.1).
	Noise float64
	// Window is the side of the square of patches that "occlusion" hides at a time.
	// Default 1.
	Window int
	// Original selects the definition of the paper where Gaze's default corrects it:
	// "rise" and "rise-tokens" without the centring.
	Original bool
}

// filled is the settings that don't depend on the method with their defaults.
func (s Settings) filled() Settings {
	if s.Layer == nil {
		last := -1
		s.Layer = &last
	}
	if s.Heads == (Heads{}) {
		s.Heads = MeanHeads
	}
	if s.Window == 0 {
		s.Window = 1
	}
	return s
}

// Names of the settings, as in flags.
const (
	layerSetting    = "layer"
	headSetting     = "head"
	discardSetting  = "discard"
	stepsSetting    = "steps"
	samplesSetting  = "samples"
	noiseSetting    = "noise"
	windowSetting   = "window"
	originalSetting = "original"
)

// given are the names of the settings that aren't at their default.
func (s Settings) given() []string {
	var out []string
	for _, one := range []struct {
		name  string
		given bool
	}{
		{layerSetting, s.Layer != nil}, {headSetting, s.Heads != Heads{}}, {discardSetting, s.Discard != 0}, {stepsSetting, s.Steps != 0},
		{samplesSetting, s.Samples != 0}, {noiseSetting, s.Noise != 0}, {windowSetting, s.Window != 0}, {originalSetting, s.Original},
	} {
		if one.given {
			out = append(out, one.name)
		}
	}
	return out
}

// or is a setting, or its default if it is zero.
func or[T int | float64](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// check reports a setting that can't be.
func (s Settings) check(layers, heads int) error {
	if _, err := Index(*s.Layer, layers, "layer"); err != nil {
		return err
	}
	if err := s.Heads.Check(heads); err != nil {
		return err
	}
	switch {
	case !(s.Discard >= 0 && s.Discard < 1):
		return fmt.Errorf("a share of %g to discard: it goes from 0 to below 1", s.Discard)
	case s.Steps < 0, s.Samples < 0, s.Window < 1, !(s.Noise >= 0):
		return fmt.Errorf("steps %d, samples %d, window %d, noise %g: they must be positive", s.Steps, s.Samples, s.Window, s.Noise)
	}
	return nil
}
