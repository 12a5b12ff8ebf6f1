package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/data/pets"
	"gaze/pkg/train"
)

// smallSet is pictures of three breeds that a tiny model tells apart.
func smallSet(t *testing.T) *data.Splits {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pets")
	set := pets.Set{Seed: 3, Breeds: 3, Size: 16, Splits: []pets.Split{
		{Name: "train", Pictures: 36, Options: pets.Posed}, {Name: "val", Pictures: 18, Options: pets.Posed}, {Name: "test", Pictures: 18, Options: pets.Posed},
	}}
	if err := pets.Write(context.Background(), dir, set, pets.WriteOptions{Format: "png"}); err != nil {
		t.Fatal(err)
	}
	splits, err := data.OpenDataset(dir)
	if err != nil {
		t.Fatal(err)
	}
	return splits
}

func rows() []Row {
	const start, plain = "vit:dim=32,depth=1,heads=2,patch=8,size=16", "totensor | normalize(0.5,0.5)"
	return []Row{
		{Name: "slow", Start: start, Pipeline: plain, Settings: "lr=1e-7; epochs=3; batch=12"},
		{Name: "fast", Start: start, Pipeline: plain, Settings: "lr=3e-3; epochs=3; batch=12"},
	}
}

func run(t *testing.T, s Study) *Result {
	t.Helper()
	device, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Run(context.Background(), device)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStudy(t *testing.T) {
	var trained []string
	s := Study{Data: smallSet(t), Rows: rows(), Seeds: []uint64{1, 2}, Dir: t.TempDir(), Parallel: 2}
	s.Progress = func(p Progress) {
		if p.Done == 1 && p.Epoch == 1 {
			trained = append(trained, p.Row.Name)
		}
	}
	r := run(t, s)
	if len(trained) != 4 {
		t.Errorf("%d runs were trained, want 4: %v", len(trained), trained)
	}
	if best := r.Best().Name; best == "slow" {
		t.Errorf("the best row is %s", best)
	}
	fast, err := r.Outcome("fast")
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range fast.Runs {
		if len(run.Epochs) != 3 || run.Pictures != 3*36 || len(run.Right) != 18 || run.Test == nil {
			t.Fatalf("seed %d: %+v", run.Seed, run)
		}
		if run.Best != *run.Epochs[run.BestAt-1].Validation || run.Last != *run.Epochs[2].Validation {
			t.Errorf("seed %d: best %+v, last %+v of %+v", run.Seed, run.Best, run.Last, run.Epochs)
		}
	}
	for _, want := range []string{"slow", "fast", "±"} {
		if text := r.Table().String(); !strings.Contains(text, want) {
			t.Errorf("the table has no %q:\n%s", want, text)
		}
	}
	chart, err := r.Curves("slow", "fast")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chart.Image(1); err != nil || len(chart.Series) != 2 {
		t.Errorf("the curves: %v", err)
	}
	effects, err := r.Steps("slow", "fast")
	if err != nil || len(effects) != 1 {
		t.Fatalf("%d effects, %v", len(effects), err)
	}
	if text := EffectTable(effects).String(); !strings.Contains(text, effects[0].To) {
		t.Errorf("the effects:\n%s", text)
	}

	// What is there isn't trained again, and is the same, also one run at a time.
	trained, s.Parallel = nil, 1
	again := run(t, s)
	if len(trained) != 0 {
		t.Errorf("trained again: %v", trained)
	}
	if again.Table().String() != r.Table().String() {
		t.Errorf("read back, the table is another:\n%s\n%s", again.Table(), r.Table())
	}
	s.Dir, s.Rows, s.Seeds = t.TempDir(), s.Rows[1:], s.Seeds[1:]
	alone := run(t, s).Outcomes[0].Runs[0]
	if was := fast.Runs[1]; was.Best != alone.Best || was.Last != alone.Last {
		t.Errorf("%+v trained alone, %+v beside another", alone.Best, was.Best)
	}
}

func TestStudyStopsAndGoesOn(t *testing.T) {
	device, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := Study{Data: smallSet(t), Rows: rows()[1:2], Seeds: []uint64{1}, Dir: t.TempDir()}
	s.Progress = func(p Progress) {
		if p.Epoch == 2 {
			cancel()
		}
	}
	if _, err := s.Run(ctx, device); !errors.Is(err, train.ErrStopped) {
		t.Fatalf("stopped, it returns %v", err)
	}
	starts := 0
	s.Progress = func(p Progress) {
		if p.Epoch == 1 && p.Batch > 0 {
			starts++
		}
	}
	r := run(t, s)
	if starts != 0 {
		t.Error("it began the stopped run anew")
	}
	s.Dir, s.Progress = t.TempDir(), nil
	straight := run(t, s)
	if a, b := r.Outcomes[0].Runs[0], straight.Outcomes[0].Runs[0]; a.Best != b.Best || a.Last != b.Last {
		t.Errorf("after a stop %+v, without one %+v", a.Last, b.Last)
	}
}

func TestStudyRefuses(t *testing.T) {
	splits := smallSet(t)
	good := rows()[:1]
	changed := func(change func(*Row)) []Row {
		row := good[0]
		change(&row)
		return []Row{row}
	}
	for _, c := range []struct {
		name  string
		study Study
		says  string
	}{
		{"no data", Study{Rows: good, Seeds: []uint64{1}, Dir: "x"}, "train and val"},
		{"no validation", Study{Data: &data.Splits{Train: splits.Train}, Rows: good, Seeds: []uint64{1}, Dir: "x"}, "train and val"},
		{"no rows", Study{Data: splits, Seeds: []uint64{1}, Dir: "x"}, "no rows"},
		{"no folder", Study{Data: splits, Rows: good, Seeds: []uint64{1}}, "no folder"},
		{"a name twice", Study{Data: splits, Rows: append(good, good...), Seeds: []uint64{1}, Dir: "x"}, "name of its own"},
		{"a seed twice", Study{Data: splits, Rows: good, Seeds: []uint64{1, 1}, Dir: "x"}, "seed 1"},
		{"settings", Study{Data: splits, Rows: changed(func(r *Row) { r.Settings = "rate=1" }), Seeds: []uint64{1}, Dir: t.TempDir()}, "rate"},
		{"pipeline", Study{Data: splits, Rows: changed(func(r *Row) { r.Pipeline = "resise(2)" }), Seeds: []uint64{1}, Dir: t.TempDir()}, "resise"},
		{"start", Study{Data: splits, Rows: changed(func(r *Row) { r.Start = "vit:depth=x" }), Seeds: []uint64{1}, Dir: t.TempDir()}, "depth"},
		{"file", Study{Data: splits, Rows: changed(func(r *Row) { r.Start = "nowhere.pth" }), Seeds: []uint64{1}, Dir: t.TempDir()}, "nowhere.pth"},
	} {
		t.Run(c.name, func(t *testing.T) {
			device, err := backend.Open("go:ops_sequential")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.study.Run(context.Background(), device); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v, want %q", err, c.says)
			}
			if _, err := os.Stat("x"); err == nil {
				t.Error("it left a folder")
			}
		})
	}
}

// TestStudyWarns: what is left out of a row's runs is told with the row.
func TestStudyWarns(t *testing.T) {
	probe := Row{Name: "probe", Start: rows()[0].Start, Pipeline: "randomhflip | totensor | normalize(0.5,0.5)", Settings: "lr=1e-2; epochs=1; batch=12; probe"}
	s := Study{Data: smallSet(t), Rows: []Row{probe}, Seeds: []uint64{1}, Dir: t.TempDir()}
	told := ""
	s.Warn = func(row Row, text string) { told += row.Name + ": " + text + "\n" }
	run(t, s)
	if !strings.Contains(told, "probe: a probe learns from features that are computed once, so what is random in the pipeline is left out") {
		t.Errorf("told %q", told)
	}
}
