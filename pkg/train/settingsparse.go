package train

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gaze/pkg/transform"
)

// setting is a setting by its name in text.
type setting struct {
	name string
	get  func(s *Settings) string
	set  func(s *Settings, text string) error
	// late settings aren't in a manifest if they have their defaults, so that runs of
	// versions that didn't have them can be resumed.
	late bool
}

// settings lists all settings in the order in which String writes them.
var settings = []setting{
	decimal("lr", func(s *Settings) *float64 { return &s.Rate }, 0, 1e6),
	whole("epochs", func(s *Settings) *int { return &s.Epochs }, 1, 1e6),
	whole("batch", func(s *Settings) *int { return &s.Batch }, 1, 1e6),
	whole("accumulate", func(s *Settings) *int { return &s.Accumulate }, 1, 1e6),
	flag("divide", func(s *Settings) *bool { return &s.Divide }),
	seedSetting(),
	choice("optimizer", func(s *Settings) *string { return &s.Optimizer }, "adam", "adamw", "sgd"),
	decimal("weight_decay", func(s *Settings) *float64 { return &s.WeightDecay }, 0, 1e6),
	flag("no_decay", func(s *Settings) *bool { return &s.NoDecay }),
	decimal("momentum", func(s *Settings) *float64 { return &s.Momentum }, 0, 1),
	flag("nesterov", func(s *Settings) *bool { return &s.Nesterov }),
	decimal("beta1", func(s *Settings) *float64 { return &s.Beta1 }, 0, below1),
	decimal("beta2", func(s *Settings) *float64 { return &s.Beta2 }, 0, below1),
	decimal("eps", func(s *Settings) *float64 { return &s.Eps }, above0, 1),
	choice("schedule", func(s *Settings) *string { return &s.Schedule }, "constant", "cosine", "linear"),
	decimal("floor", func(s *Settings) *float64 { return &s.Floor }, 0, 1e6),
	decimal("warmup", func(s *Settings) *float64 { return &s.Warmup }, 0, 1e6),
	decimal("clip", func(s *Settings) *float64 { return &s.Clip }, 0, 1e9),
	decimal("smoothing", func(s *Settings) *float64 { return &s.Smoothing }, 0, 1),
	decimal("ema", func(s *Settings) *float64 { return &s.EMA }, 0, below1),
	decimal("droppath", func(s *Settings) *float64 { return &s.DropPath }, 0, below1),
	decimal("layerdecay", func(s *Settings) *float64 { return &s.LayerDecay }, 1e-6, 1),
	freezeSetting(),
	flag("probe", func(s *Settings) *bool { return &s.Probe }),
	decimal("mixup", func(s *Settings) *float64 { return &s.Mixup }, 0, 1e3),
	decimal("cutmix", func(s *Settings) *float64 { return &s.CutMix }, 0, 1e3),
	late(choice("precision", func(s *Settings) *string { return &s.Precision }, Float32.String(), BFloat16.String())),
	late(flag("checkpoint", func(s *Settings) *bool { return &s.Checkpoint })),
	late(decimal("valid", func(s *Settings) *float64 { return &s.Valid }, 0, below1)),
	late(whole("head_epochs", func(s *Settings) *int { return &s.HeadEpochs }, 0, 1e6)),
	late(decimal("head_lr", func(s *Settings) *float64 { return &s.HeadRate }, 0, 1e6)),
}

func late(s setting) setting {
	s.late = true
	return s
}

// below1 is the largest number less than 1.
var below1 = math.Nextafter(1, 0)

// above0 is the smallest positive float32.
const above0 = math.SmallestNonzeroFloat32

// decimal is a number within bounds.
func decimal(name string, field func(*Settings) *float64, low, high float64) setting {
	return setting{name: name,
		get: func(s *Settings) string { return strconv.FormatFloat(*field(s), 'g', -1, 64) },
		set: func(s *Settings, text string) error {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return fmt.Errorf("%s is a number, not %q", name, text)
			}
			if !(v >= low && v <= high) {
				return fmt.Errorf("%s must %s", name, bounds(low, high))
			}
			*field(s) = v
			return nil
		}}
}

// bounds says what a number must be, in words for bounds just below 1 or just above 0.
func bounds(low, high float64) string {
	switch {
	case high == below1:
		return fmt.Sprintf("be at least %g and less than 1", low)
	case low == above0:
		return fmt.Sprintf("be more than 0 and at most %g", high)
	}
	return fmt.Sprintf("lie between %g and %g", low, high)
}

// whole is a whole number within bounds.
func whole(name string, field func(*Settings) *int, low, high int) setting {
	return setting{name: name,
		get: func(s *Settings) string { return strconv.Itoa(*field(s)) },
		set: func(s *Settings, text string) error {
			v, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("%s is a whole number, not %q", name, text)
			}
			if v < low || v > high {
				return fmt.Errorf("%s must lie between %d and %d", name, low, high)
			}
			*field(s) = v
			return nil
		}}
}

// seedSetting is the seed: any whole number from 0.
func seedSetting() setting {
	return setting{name: "seed",
		get: func(s *Settings) string { return strconv.FormatUint(s.Seed, 10) },
		set: func(s *Settings, text string) error {
			v, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return fmt.Errorf("seed is a whole number from 0, not %q", text)
			}
			s.Seed = v
			return nil
		}}
}

// choice is one of a few words.
func choice(name string, field func(*Settings) *string, words ...string) setting {
	return setting{name: name,
		get: func(s *Settings) string { return *field(s) },
		set: func(s *Settings, text string) error {
			text = strings.ToLower(text)
			if !slices.Contains(words, text) {
				return fmt.Errorf("%s is one of %s, not %q", name, strings.Join(words, ", "), text)
			}
			*field(s) = text
			return nil
		}}
}

// freezeSetting says what isn't trained: nothing, the backbone, or all but the last blocks.
func freezeSetting() setting {
	return setting{name: "freeze",
		get: func(s *Settings) string { return s.Freeze },
		set: func(s *Settings, text string) error {
			text = strings.ToLower(text)
			if number, ok := strings.CutPrefix(text, blocksPrefix); ok {
				n, err := strconv.Atoi(number)
				if err != nil || n < 1 {
					return fmt.Errorf("freeze=blocks:N trains the last N blocks, 1 or more, not %q", number)
				}
				s.Freeze = blocksPrefix + strconv.Itoa(n)
				return nil
			}
			if !slices.Contains([]string{"none", "stem", "backbone"}, text) {
				return fmt.Errorf("freeze is one of none, stem, backbone, blocks:N, not %q", text)
			}
			s.Freeze = text
			return nil
		}}
}

// flag is a switch: its name alone turns it on.
func flag(name string, field func(*Settings) *bool) setting {
	return setting{name: name,
		get: func(s *Settings) string { return strconv.FormatBool(*field(s)) },
		set: func(s *Settings, text string) error {
			v, err := strconv.ParseBool(text)
			if err != nil && text != "" {
				return fmt.Errorf("%s is true or false, not %q", name, text)
			}
			*field(s) = v || text == ""
			return nil
		}}
}

// ParseSettings reads settings from one line of text, such as
//
//	lr=1e-6; epochs=5; batch=16; accumulate=15; seed=1
//
// with ';' between them. Settings that aren't named have their defaults, as in
// [DefaultSettings], except that adamw has torch's weight decay of 0.01. Case and '_' in
// names don't matter. A switch, such as probe, needs no value. The error is a
// [*transform.SyntaxError].
func ParseSettings(text string) (Settings, error) {
	s, _, err := DefaultSettings().With(text)
	return s, err
}

// With changes the settings that a text names, as [ParseSettings] reads it, and returns
// their names in the text's order. All others stay the same, except that a change to adamw
// sets its weight decay.
func (s Settings) With(text string) (Settings, []string, error) {
	before := s
	var seen []string
	fail := func(at int, err error) error {
		return &transform.SyntaxError{Spec: text, Column: utf8.RuneCountInString(text[:at]) + 1, Reason: err.Error()}
	}
	end := 0
	for part := range strings.SplitSeq(text, ";") {
		start := end
		end += len(part) + 1
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, has := strings.Cut(part, "=")
		at := start + spaceBefore(name)
		found, err := findSetting(strings.TrimSpace(name))
		if err != nil {
			return s, nil, fail(at, err)
		}
		if slices.Contains(seen, found.name) {
			return s, nil, fail(at, fmt.Errorf("%s is there a second time", found.name))
		}
		seen = append(seen, found.name)
		if has {
			at = start + len(name) + 1 + spaceBefore(value)
		}
		value = strings.TrimSpace(value)
		if has && value == "" {
			return s, nil, fail(at, fmt.Errorf("the value of %s should be here", found.name))
		}
		if err := found.set(&s, value); err != nil {
			return s, nil, fail(at, err)
		}
	}
	if s.Optimizer == "adamw" && before.Optimizer != "adamw" && !slices.Contains(seen, "weight_decay") {
		s.WeightDecay = NewAdamW().WeightDecay
	}
	if err := s.check(); err != nil {
		return s, nil, fail(0, err)
	}
	return s, seen, nil
}

// spaceBefore is the number of bytes of leading space.
func spaceBefore(text string) int {
	return len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace))
}

// findSetting finds a setting by its name; the error lists all names.
func findSetting(name string) (*setting, error) {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "") }
	names := make([]string, len(settings))
	for i := range settings {
		if plain(name) == plain(settings[i].name) {
			return &settings[i], nil
		}
		names[i] = settings[i].name
	}
	return nil, fmt.Errorf("there is no setting %q; there are %s", name, strings.Join(names, ", "))
}

// Named is a setting's name and value as text.
type Named struct{ Name, Value string }

// List is all settings in the order in which String writes them.
func (s Settings) List() []Named {
	out := make([]Named, len(settings))
	for i, e := range settings {
		out[i] = Named{e.name, e.get(&s)}
	}
	return out
}

// Map is the settings by their names, as in a run's manifest: all, except that precision
// and those after it in [Settings] are left out if they have their defaults.
func (s Settings) Map() map[string]string {
	out, usual := make(map[string]string, len(settings)), DefaultSettings()
	for _, e := range settings {
		if !e.late || e.get(&s) != e.get(&usual) {
			out[e.name] = e.get(&s)
		}
	}
	return out
}

// String is the settings as [ParseSettings] reads them: lr, epochs, batch, accumulate and
// seed, and those that don't have their defaults.
func (s Settings) String() string {
	usual := DefaultSettings()
	if s.Optimizer == "adamw" {
		usual.WeightDecay = NewAdamW().WeightDecay
	}
	var parts []string
	for i, e := range settings {
		if i < 4 || e.name == "seed" || e.get(&s) != e.get(&usual) {
			parts = append(parts, e.name+"="+e.get(&s))
		}
	}
	return strings.Join(parts, "; ")
}
