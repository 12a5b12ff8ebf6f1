package train

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// extendable names the settings that may change when a run is resumed: its length and its
// learning rate.
var extendable = []string{"lr", "epochs", "schedule", "floor"}

// Phase is a part of a run with the same settings. It ends where the next one begins.
type Phase struct {
	Update int `json:"update"` // updates before it
	Epoch  int `json:"epoch"`  // complete epochs before it
	Batch  int `json:"batch"`  // batches before it in the current epoch
	// Settings are those that may change: lr, epochs, schedule and floor.
	Settings map[string]string `json:"settings"`
}

// phaseSettings are the settings that may change.
func phaseSettings(all map[string]string) map[string]string {
	some := make(map[string]string, len(extendable))
	for _, name := range extendable {
		some[name] = all[name]
	}
	return some
}

// plan determines a run's learning rate.
type plan struct {
	settings Settings // the current ones
	batches  int      // in an epoch
	history  []Phase
}

// extend adds a phase that begins at the run's place, if the settings differ from those of
// the last one. It drops phases after the checkpoint, and a last phase without an update.
func (p *plan) extend(old *Manifest, at place, updates int) error {
	now := Phase{Update: updates, Epoch: at.epoch, Batch: at.batch, Settings: phaseSettings(p.settings.Map())}
	if old == nil {
		p.history = []Phase{now}
		return nil
	}
	list := slices.Clone(old.History)
	if len(list) == 0 {
		list = []Phase{{Settings: phaseSettings(old.Settings)}}
	}
	if list[0].Update != 0 || !slices.IsSortedFunc(list, func(a, b Phase) int { return a.Update - b.Update }) {
		return fmt.Errorf("its history in %s doesn't begin with update 0, or isn't in order", manifestFile)
	}
	list = slices.DeleteFunc(list, func(h Phase) bool { return h.Update > updates })
	if done := at.epoch + min(at.batch, 1); p.settings.Epochs < done {
		return fmt.Errorf("its epoch %d has begun, so epochs=%d is too few", done, p.settings.Epochs)
	}
	same := func(h Phase) bool { return maps.Equal(h.Settings, now.Settings) }
	if last := list[len(list)-1]; !same(last) {
		if text := changes(last.Settings, now.Settings); at.epoch >= p.settings.Epochs && at.epoch > 0 && !strings.HasPrefix(text, "epochs=") {
			return fmt.Errorf("its %d epochs are done: %s changes nothing without more epochs: add epochs=%d",
				at.epoch, text, at.epoch+1)
		}
		if last.Update == updates {
			list = list[:len(list)-1]
		}
		if len(list) == 0 || !same(list[len(list)-1]) {
			list = append(list, now)
		}
	}
	p.history = list
	return p.check()
}

// changes lists the settings that changed, epochs only if no other did.
func changes(old, now map[string]string) string {
	var list []string
	for _, name := range extendable {
		if old[name] != now[name] && name != "epochs" {
			list = append(list, name+"="+now[name])
		}
	}
	if len(list) == 0 {
		return "epochs=" + now["epochs"]
	}
	return strings.Join(list, "; ")
}

// check reads the settings of every phase.
func (p *plan) check() error {
	for _, h := range p.history {
		if _, err := h.apply(p.settings); err != nil {
			return fmt.Errorf("its history in %s: %w", manifestFile, err)
		}
	}
	return nil
}

// apply returns settings with those of the phase.
func (h Phase) apply(s Settings) (Settings, error) {
	var errs []error
	for _, name := range extendable {
		found, err := findSetting(name)
		if err == nil {
			err = found.set(&s, h.Settings[name])
		}
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// schedule is the learning rate by update of a trainer that began after the given number
// of updates.
//
// The phase in which the trainer begins follows its schedule from the beginning, including
// the warm-up. A later phase starts at its rate and follows its schedule over the
// remaining updates.
func (p *plan) schedule(began int) Schedule {
	type part struct {
		from int // update of the trainer
		rate Schedule
	}
	var parts []part
	for _, h := range p.history {
		s, err := h.apply(p.settings)
		if err != nil {
			continue // extend has refused it
		}
		if h.Update <= began {
			parts = []part{{0, s.schedule(p.batches)}}
			continue
		}
		left := (s.Epochs-h.Epoch)*s.Updates(p.batches) - h.Batch/s.Accumulate
		parts = append(parts, part{h.Update - began, s.within(left)})
	}
	if len(parts) == 1 {
		return parts[0].rate
	}
	return func(update int) float64 {
		i := len(parts) - 1
		for parts[i].from > update {
			i--
		}
		return parts[i].rate(update - parts[i].from)
	}
}

// SettingsOf reads the current settings of a run.
func SettingsOf(m *Manifest) (Settings, error) {
	s := DefaultSettings()
	s.Valid = 0 // a manifest without it is of a run that held nothing out
	for _, e := range settings {
		text, there := m.Settings[e.name]
		if !there {
			continue
		}
		if err := e.set(&s, text); err != nil {
			return s, fmt.Errorf("%s: %w", manifestFile, err)
		}
	}
	if err := s.check(); err != nil {
		return s, fmt.Errorf("%s: %w", manifestFile, err)
	}
	return s, nil
}
