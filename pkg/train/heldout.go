package train

import (
	"fmt"

	"gaze/pkg/data"
)

// HeldOut says which part of the training pictures a run was validated on instead of
// trained on. Fraction and seed decide which they are (see [data.HoldOut]); the run's
// pictures.csv lists them.
type HeldOut struct {
	Fraction float64 `json:"fraction"`
	Seed     uint64  `json:"seed"`
	Pictures int     `json:"pictures"`
	Of       int     `json:"of"` // number of all training pictures
}

// holdOut takes validation pictures from the training set, if there are no others and the
// settings ask for it, and lists what each picture is used for.
func (f *FineTune) holdOut() error {
	switch {
	case f.sweeping && (f.Validation != nil || f.Settings.Valid == 0):
		return nil
	case f.Validation != nil:
		if usual := DefaultSettings().Valid; f.Settings.Valid != usual && f.Settings.Valid != 0 {
			f.Warn(fmt.Sprintf("valid=%g has no effect: there are pictures to validate on", f.Settings.Valid))
		}
		f.list(f.Train, f.Validation, Validated, f.describe(false), f.describe(true))
		return f.twins()
	case f.Settings.Valid == 0:
		f.Warn("no picture is held out to validate on (valid=0): the run keeps its last weights, and how good they are on other pictures isn't known")
		f.list(f.Train, nil, "", f.describe(false), nil)
		return nil
	}
	all, own := f.Train, f.describe(false)
	rest, part, err := data.HoldOut(all, len(f.Classes), f.Settings.Seed, f.Settings.Valid)
	if err != nil {
		return fmt.Errorf("train: no pictures to validate on, and none can be held out: %w; valid=0 trains on all", err)
	}
	f.heldOut = &HeldOut{Fraction: f.Settings.Valid, Seed: f.Settings.Seed, Pictures: len(part), Of: all.Len()}
	f.Train, f.Validation = data.Subset{Set: all, Places: rest}, data.Subset{Set: all, Places: part}
	f.list(f.Train, f.Validation, HeldApart,
		func(i int) (string, string) { return own(rest[i]) }, func(i int) (string, string) { return own(part[i]) })
	f.Warn(f.heldOut.Text(f.Train, f.Validation, len(f.Classes)))
	return f.twins()
}

// Text says what is held out: how many pictures of which share, and by which seed.
func (h *HeldOut) Text(rest, part data.Set, classes int) string {
	counts := make([]int, classes)
	for i := range part.Len() {
		counts[part.Label(i)]++
	}
	whole, alone := make([]int, classes), 0
	for i := range rest.Len() {
		whole[rest.Label(i)]++
	}
	for c, n := range counts {
		if n == 0 && whole[c] == 1 {
			alone++
		}
	}
	text := fmt.Sprintf("no val split: %s of %s pictures, %g %% of each class, are held out to validate on (valid=%g; seed=%d)",
		thousands(h.Pictures), thousands(h.Of), 100*h.Fraction, h.Fraction, h.Seed)
	if alone > 0 {
		text += fmt.Sprintf("; %d with a single picture only train", alone)
	}
	return text
}

// thousands writes a number with commas, as 3,680.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// describe returns the name and the sum of a picture of Train or Validation.
func (f *FineTune) describe(validation bool) func(i int) (name, sum string) {
	set := f.Train
	if validation {
		set = f.Validation
	}
	return func(i int) (string, string) {
		if f.Files == nil {
			return set.Name(i), ""
		}
		name, sum := f.Files(validation, i)
		return name, SumText(sum)
	}
}

// list adds the pictures that are trained on, then those validated on.
func (f *FineTune) list(train, validation data.Set, use Use, trained, validated func(i int) (name, sum string)) {
	add := func(set data.Set, use Use, describe func(i int) (name, sum string)) {
		for i := range set.Len() {
			name, sum := describe(i)
			class := ""
			if label := set.Label(i); label >= 0 && label < len(f.Classes) {
				class = f.Classes[label]
			}
			f.pictures = append(f.pictures, Picture{Use: use, Name: name, Class: class, Sum: sum})
		}
	}
	add(train, Trained, trained)
	if validation != nil {
		add(validation, use, validated)
	}
}

// twins warns of validation pictures whose files are also training pictures, or were in
// an earlier run of the model.
func (f *FineTune) twins() error {
	trained, both, before, of := map[string]bool{}, 0, 0, 0
	for _, p := range f.pictures {
		switch {
		case p.Sum == "":
		case p.Use == Trained:
			trained[p.Sum] = true
		default:
			of++
			switch {
			case trained[p.Sum]:
				both++
			case f.Before[p.Sum]:
				before++
			}
		}
	}
	if both > 0 {
		f.Warn(fmt.Sprintf("%s of the %s pictures to validate on are also trained on (the same files): validation overrates the model", thousands(both), thousands(of)))
	}
	if before > 0 {
		f.Warn(fmt.Sprintf("%s of the %s pictures to validate on are among those that the model was trained on before: validation overrates it (runs with the same seed hold out the same pictures)", thousands(before), thousands(of)))
	}
	return nil
}
