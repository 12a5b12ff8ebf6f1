package study

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/evaluate"
	"gaze/pkg/plots"
	"gaze/pkg/train"
)

// averages is a model that isn't a Vision Transformer: the mean of every channel in 4×4
// cells.
type averages struct{}

func (averages) Digest() (string, error) {
	sum := sha256.Sum256([]byte("averages"))
	return hex.EncodeToString(sum[:]), nil
}

func (averages) Extract(_ context.Context, images []float32, shape [4]int) ([]float32, int, error) {
	n, channels, height, width := shape[0], shape[1], shape[2], shape[3]
	dim := channels * 16
	out := make([]float32, n*dim)
	for i, v := range images {
		x, y := i%width, i/width%height
		c, k := i/(width*height)%channels, i/(width*height*channels)
		out[k*dim+c*16+y*4/height*4+x*4/width] += v * 16 / float32(height*width)
	}
	return out, dim, nil
}

// everyKind is a study with rows of every kind and of two models.
func everyKind(t *testing.T) Study {
	all := rows()
	for i := range all {
		all[i].Model = "tiny"
	}
	other := all[0]
	other.Start, other.Model = "cells", "cells"
	return Study{
		Data: smallSet(t), Seeds: []uint64{1, 2}, Dir: t.TempDir(), Judge: "val", Notes: []string{"a note"}, Folder: "/home/someone/pets",
		Extractors: map[string]train.Extractor{"cells": averages{}},
		Rows: []Row{
			all[0], all[1],
			{Name: "k-NN", Model: "tiny", Kind: Neighbours, Start: all[0].Start, Pipeline: all[0].Pipeline, Settings: "k=1,3", PerClass: 4},
			{Name: "once", Model: "tiny", Start: all[0].Start, Pipeline: all[0].Pipeline, Settings: all[1].Settings, PerClass: 5, Seeds: []uint64{2}},
			{Name: "k-NN", Model: "cells", Kind: Neighbours, Start: "cells", Pipeline: other.Pipeline, Settings: "k=1,3"},
			{Name: "probe", Model: "cells", Start: "cells", Pipeline: other.Pipeline, Settings: "lr=1e-2; epochs=4; batch=12; probe=true", Seeds: []uint64{1}},
		},
	}
}

// views is everything that is drawn of a result.
func views(t *testing.T, r *Result) string {
	t.Helper()
	text := r.Table().String()
	for _, model := range r.Models() {
		part := r.Of(model)
		text += part.Table().String() + part.Final().String() + part.Final().Run.Report.String()
		for _, draw := range []func(...string) (plots.LineChart, error){part.Curves, part.TrainingCurves} {
			chart, err := draw()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range chart.Series {
				text += fmt.Sprintln(chart.Title, s.Name, s.X, s.Y, s.Low, s.High)
			}
		}
		for _, o := range part.Outcomes {
			text += o.Runs[0].Report.PairTable().String() + o.Runs[0].Report.ClassTable().String() + part.Against(o.Name)
			if _, err := o.Runs[0].Report.ConfusionFigure().Image(1); err != nil {
				t.Error(err)
			}
			if _, err := o.Runs[0].Report.ReliabilityFigure().Image(1); err != nil {
				t.Error(err)
			}
		}
		for i := 1; i < len(part.Outcomes); i++ {
			effects, err := part.Steps(part.Outcomes[i-1].Name, part.Outcomes[i].Name)
			if err != nil {
				t.Fatal(err)
			}
			text += EffectTable(effects).String() + effects[0].String() + effects[0].Pictures.String()
		}
	}
	return text
}

// TestRecord: a record that was written and read shows the same as the live result, and a
// record made of it is the same file.
func TestRecord(t *testing.T) {
	s := everyKind(t)
	live := run(t, s)
	checkFeatureRows(t, live)
	path := filepath.Join(t.TempDir(), "record.json")
	if err := live.Record().Write(path); err != nil {
		t.Fatal(err)
	}
	rec, err := ReadRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	read := rec.Result()
	if got, want := views(t, read), views(t, live); got != want {
		t.Errorf("the record shows\n%s\nthe live result\n%s", got, want)
	}
	if len(live.Missing) != 0 || len(read.Outcomes) != 6 || read.Parts != (Parts{36, 18, 18}) || read.TestedOn() != "val" {
		t.Errorf("missing %v, %d rows, %+v, %s", live.Missing, len(read.Outcomes), read.Parts, read.TestedOn())
	}
	again := filepath.Join(t.TempDir(), "again.json")
	if err := read.Record().Write(again); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(path)
	second, _ := os.ReadFile(again)
	if !bytes.Equal(first, second) {
		t.Errorf("written again, the record is another:\n%s\n%s", first, second)
	}
	for _, word := range []string{"someone", s.Dir, s.Data.Test.Root} {
		if bytes.Contains(first, []byte(word)) {
			t.Errorf("the record tells of %s", word)
		}
	}
	if _, err := read.TestPicture(0); err == nil || !strings.Contains(err.Error(), "no pictures") {
		t.Errorf("a picture of a record: %v", err)
	}
	if _, err := read.Outcome("k-NN"); err == nil || !strings.Contains(err.Error(), "2 models") {
		t.Errorf("a row of two models: %v", err)
	}
	if o, err := read.Of("cells").Outcome("k-NN"); err != nil || o.Runs[0].Neighbours == 0 || !o.Features || len(o.Runs) != 2 {
		t.Errorf("%+v, %v", o, err)
	}
	if f := read.Of("cells").Final(); f.Command != "" {
		t.Errorf("a command for features: %s", f.Command)
	}
	// Nothing is computed again: the runs are in the folder.
	if told := views(t, run(t, s)); told != views(t, live) {
		t.Errorf("run again, it shows\n%s", told)
	}
}

// checkFeatureRows: pictures that cells of colours tell apart are told apart by k-NN and by a
// probe on such features, and fewer pictures are trained on where a row asks for it.
func checkFeatureRows(t *testing.T, r *Result) {
	t.Helper()
	for _, name := range []string{"k-NN", "probe"} {
		o, err := r.Of("cells").Outcome(name)
		if err != nil {
			t.Fatal(err)
		}
		if run := o.Runs[0]; run.Report.Accuracy.Value < 0.6 || run.Best.Total != 18 || len(run.Right) != 18 {
			t.Errorf("%s: %s, %+v", name, run.Report, run.Best)
		}
	}
	few, err := r.Of("tiny").Outcome("once")
	if err != nil || len(few.Runs) != 1 || few.Runs[0].Seed != 2 || few.Runs[0].Pictures != 3*3*5 {
		t.Errorf("%+v, %v", few, err)
	}
	nearest, err := r.Of("tiny").Outcome("k-NN")
	if err != nil || nearest.Runs[0].Pictures != 3*4 {
		t.Errorf("%+v, %v", nearest, err)
	}
}

// TestRecordOfAnUnfinishedStudy: what is there is recorded, and what is missing is said.
func TestRecordOfAnUnfinishedStudy(t *testing.T) {
	device, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := Study{Data: smallSet(t), Rows: rows(), Seeds: []uint64{1, 2}, Dir: t.TempDir()}
	s.Progress = func(p Progress) {
		if p.Run == 2 {
			cancel()
		}
	}
	r, err := s.Run(ctx, device)
	if err == nil || r == nil || len(r.Outcomes) != 1 || len(r.Outcomes[0].Runs) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	want := []Missing{{"slow", "", 2, "not finished"}, {"fast", "", 1, "not finished"}, {"fast", "", 2, "not finished"}}
	if !slices.Equal(r.Missing, want) {
		t.Errorf("missing %+v, want %+v", r.Missing, want)
	}
	path := filepath.Join(t.TempDir(), "record.json")
	if err := r.Record().Write(path); err != nil {
		t.Fatal(err)
	}
	rec, err := ReadRecord(path)
	if err != nil || !slices.Equal(rec.Missing, want) || !strings.Contains(rec.Result().Table().String(), "slow") {
		t.Errorf("%+v, %v", rec, err)
	}
	// A study of which nothing is finished has an empty table.
	empty := *r
	empty.Outcomes = nil
	if text := empty.Table().String(); strings.Contains(text, "slow") || empty.Final().Run.Report != nil {
		t.Error(text)
	}
}

// TestStudyGoesOnAfterARunBrokeDown: a rate that makes the loss NaN is a finding, and the
// other rows are trained.
func TestStudyGoesOnAfterARunBrokeDown(t *testing.T) {
	all := rows()
	all[0].Settings = "lr=1e6; epochs=3; batch=12; optimizer=sgd"
	r := run(t, Study{Data: smallSet(t), Rows: all, Seeds: []uint64{1}, Dir: t.TempDir()})
	if len(r.Outcomes) != 1 || len(r.Missing) != 1 || r.Missing[0].Row != "slow" || !strings.Contains(r.Missing[0].Why, "the learning rate is too high") {
		t.Errorf("%d rows, missing %+v", len(r.Outcomes), r.Missing)
	}
}

func TestRecordRefuses(t *testing.T) {
	r := run(t, Study{Data: smallSet(t), Rows: rows()[1:], Seeds: []uint64{1}, Dir: t.TempDir()})
	for says, change := range map[string]func(*Record){
		"format":        func(r *Record) { r.Format = 2 },
		"classes":       func(r *Record) { r.Classes = nil },
		"-1":            func(r *Record) { r.Parts.Validation = -1 },
		"a run":         func(r *Record) { r.Outcomes[0].Runs = nil },
		"of its own":    func(r *Record) { r.Outcomes = append(r.Outcomes, r.Outcomes[0]) },
		"the best is":   func(r *Record) { r.Outcomes[0].Runs[0].BestAt = 9 },
		"bytes of bits": func(r *Record) { r.Outcomes[0].Runs[0].Right = "AAAA" + "AAAA" },
		"base64":        func(r *Record) { r.Outcomes[0].Runs[0].Right = "?" },
		"by its bits":   func(r *Record) { r.Outcomes[0].Runs[0].Right = "AAAA" },
		"neither":       func(r *Record) { r.Outcomes[0].Runs[0].Counts = nil },
	} {
		rec := r.Record()
		change(rec)
		text, err := rec.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseRecord(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if _, err := ReadRecord(filepath.Join(t.TempDir(), "none.json")); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Error(err)
	}
}

// TestRecordIsShortened: a record that would be too large keeps the details of each row's
// first run, and the accuracies and bits of all.
func TestRecordIsShortened(t *testing.T) {
	r := run(t, Study{Data: smallSet(t), Rows: rows()[1:], Seeds: []uint64{1, 2}, Dir: t.TempDir()})
	want := r.Table().String()
	for i := range 350 { // as many rows as make it too large
		o := r.Outcomes[0]
		o.Name = strings.Repeat("x", i+1)
		r.Outcomes = append(r.Outcomes, o)
	}
	path := filepath.Join(t.TempDir(), "record.json")
	if err := r.Record().Write(path); err != nil {
		t.Fatal(err)
	}
	rec, err := ReadRecord(path)
	if err != nil {
		t.Fatal(err)
	}
	read := rec.Result()
	o := read.Outcomes[0]
	if !strings.Contains(strings.Join(rec.Notes, " "), "first run only") || o.Runs[0].Report.Confusion == nil || o.Runs[1].Report.Confusion != nil {
		t.Fatalf("notes %q", rec.Notes)
	}
	if a, b := o.Runs[1].Report, r.Outcomes[0].Runs[1].Report; a.Correct != b.Correct || a.Loss != b.Loss || a.Calibration.ECE != b.Calibration.ECE || a.String() != b.String() {
		t.Errorf("%s, was %s", a, b)
	}
	read.Outcomes = read.Outcomes[:1]
	if got := read.Table().String(); got != want {
		t.Errorf("%s\nwas\n%s", got, want)
	}
	if again := read.Record(); again.Outcomes[0].Runs[1].Summary == nil {
		t.Error("recorded again, the summary is lost")
	}
	for i := range r.Outcomes {
		r.Outcomes[i].Asks = strings.Repeat("why? ", 1000)
	}
	if err := r.Record().Write(path); err == nil || !strings.Contains(err.Error(), "leave out rows") {
		t.Error(err)
	}
}

// TestEffectOfOneSeed: with one run each, the interval is that of the same pictures.
func TestEffectOfOneSeed(t *testing.T) {
	one := func(name string, right ...bool) Outcome {
		correct := 0
		for _, is := range right {
			if is {
				correct++
			}
		}
		return Outcome{Row: Row{Name: name}, Runs: []Run{{Seed: 1, Right: right, Report: &evaluate.Report{}, Test: &evaluate.Report{Accuracy: evaluate.Wilson(correct, len(right))}}}}
	}
	r := &Result{Tested: true, Outcomes: []Outcome{one("a", true, false, false, true), one("b", true, true, true, true)}}
	e, err := r.Effect("a", "b")
	if err != nil || e.Seeds != 1 || e.Points.Value != 50 || e.Pictures.OnlyOther != 2 || !(e.Points.Low < 50 && e.Points.High > 50) {
		t.Errorf("%+v, %v", e, err)
	}
	if text := EffectTable([]Effect{e}).String(); !strings.Contains(text, "by picture") {
		t.Error(text)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"format":1,"pictures":{"train":1,"validation":2},"classes":["a","b"],"judged_on":"val","rows":[{"name":"x","runs":[{"seed":1,"best_epoch":1,"right":"AQ==","epochs":[{"update":1,"train":{},"validation":{"total":2}}],"counts":{"confusion":[0,0,1,1,0,1],"loss":1,"bins":[{"bin":9,"pictures":2,"correct":1,"confidence":0.6}]}}]}]}`))
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		rec, err := ParseRecord(text)
		if err != nil {
			return
		}
		r := rec.Result()
		_ = r.Table().String()
		if _, err := r.Record().encode(); err != nil {
			t.Error(err)
		}
	})
}
