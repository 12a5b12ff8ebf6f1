package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gomlx/compute"

	"gaze/internal/meter"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/evaluate/maps"
	"gaze/pkg/evaluate/maps/league"
	"gaze/pkg/hub"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// recipe is the command's arguments and what it needs.
type recipe struct {
	work, out, data, imgfocus string
	untaught, photos          string // of the part on captions
	parts                     []string
	workers                   int
	plan                      plan

	device  compute.Backend
	choices []league.Choice
	order   []string // rows by rank on validation pictures
	record  *league.Record
}

func (r *recipe) run(ctx context.Context) (err error) {
	known := []string{"drawn", "twin", "pets37", "imgfocus", captionsName}
	for _, p := range r.parts {
		if !slices.Contains(known, p) {
			return fmt.Errorf("there is no part %q: choose of %v", p, known)
		}
	}
	if r.device, err = backend.Default(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(r.out), 0o755); err != nil {
		return err
	}
	if err := r.captions(ctx); err != nil || len(r.parts) == 0 {
		return err
	}
	r.record = &league.Record{Resamples: r.plan.Resamples, Seed: seed, Level: 0.05, Interest: 0.02,
		Versions: map[string]string{"league": league.Version, "backend": r.device.Name()}}
	dirs, _, err := r.trained(ctx)
	if err != nil {
		return err
	}
	if err := r.choose(ctx, dirs[0]); err != nil {
		return err
	}
	r.record.Chosen = r.choices
	for _, p := range r.parts {
		start := time.Now()
		if err := r.part(ctx, p, dirs); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		fmt.Fprintf(os.Stderr, "%s took %s\n", p, time.Since(start).Round(time.Second))
	}
	r.show()
	return nil
}

// part does a part of the league.
func (r *recipe) part(ctx context.Context, key string, dirs []string) error {
	switch key {
	case "drawn":
		var models []*opened
		for i, dir := range dirs {
			m, err := r.open(fmt.Sprintf("drawn pets, seed %d", i+1), dir)
			if err != nil {
				return err
			}
			defer m.close()
			models = append(models, m)
		}
		return r.drawnPart(ctx, key, "drawn pets", models, r.plan)
	case "twin":
		dir, err := r.twin(ctx)
		if err != nil {
			return err
		}
		m, err := r.open("drawn pets, twin that knows removed cells", dir)
		if err != nil {
			return err
		}
		defer m.close()
		p := r.plan
		p.Localised, p.Singles = min(p.Localised, p.Singles), p.Curves
		p.Sane = 0
		return r.drawnPart(ctx, key, "drawn pets, a model that knows removed cells", []*opened{m}, p)
	}
	if r.data == "" {
		fmt.Fprintf(os.Stderr, "%s is left out: it needs photographs (-data)\n", key)
		r.record.Notes = append(r.record.Notes, key+" is left out: it needs photographs")
		return nil
	}
	truth, err := data.OpenTruth(r.data)
	if err != nil {
		return err
	}
	if key == "imgfocus" {
		return r.saliencyPart(ctx, truth)
	}
	return r.photosPart(ctx, truth)
}

// drawnPart judges models on drawn test pictures.
func (r *recipe) drawnPart(ctx context.Context, key, title string, models []*opened, p plan) error {
	var scores []*league.Scores
	var entries []league.Entry
	failed := map[string]int{}
	for _, m := range models {
		cases, err := drawn(ctx, m.pipeline, true, p.Localised, r.workers)
		if err != nil {
			return err
		}
		benches, done, err := r.benches(m, cases, p)
		if err != nil {
			return err
		}
		entries = r.entries(m.model.Config, p.Costly)
		if err := r.forecast(m, cases, entries, p); err != nil {
			return err
		}
		s, err := r.judge(ctx, m, cases, entries, benches, failed)
		done()
		if err != nil {
			return err
		}
		scores = append(scores, s)
	}
	return r.analyse(ctx, key, title, models[0], entries, scores, failed, kept)
}

// kept are the columns of which the scores of single pictures are kept.
var kept = []string{"part-density", "energy-pet", "pointing-pet", "gap-road", "single-drop"}

// photosPart judges the real model on photographs: those that it wasn't trained on, then, for the
// head, those that it was.
func (r *recipe) photosPart(ctx context.Context, truth *data.Truth) error {
	m, err := r.open(hub.Pets37ViT, hub.Pets37ViT)
	if err != nil {
		return err
	}
	defer m.close()
	failed := map[string]int{}
	cases, err := photographs(ctx, truth, "val", false, m.pipeline, r.plan.Photos, r.workers)
	if err != nil {
		return err
	}
	p := plan{Localised: len(cases), Singles: r.plan.PhotoMaps, Curves: r.plan.PhotoCurves, Costly: r.plan.PhotoMaps, Sane: r.plan.PhotoSane, Mosaics: r.plan.PhotoCurves}
	benches, done, err := r.benches(m, cases, p)
	if err != nil {
		return err
	}
	defer done()
	entries := r.entries(m.model.Config, p.Costly)
	if err := r.forecast(m, cases, entries, p); err != nil {
		return err
	}
	s, err := r.judge(ctx, m, cases, entries, benches, failed)
	if err != nil {
		return err
	}
	if err := r.analyse(ctx, "pets37", "photographs of pets, pets37-vit", m, entries, []*league.Scores{s}, failed, []string{"energy-pet"}); err != nil {
		return err
	}
	failed = map[string]int{}
	if cases, err = photographs(ctx, truth, "train", true, m.pipeline, r.plan.Heads, r.workers); err != nil {
		return err
	}
	if err := m.predict(cases); err != nil {
		return err
	}
	entries = slices.DeleteFunc(r.entries(m.model.Config, 0), func(e league.Entry) bool {
		return e.Method != nil && e.Method.Cost(m.model.Config, e.Settings) > cheapest || e.Name == league.LeaveOut().Name
	})
	local := []league.Bench{{Judge: maps.LocalisationJudge{Workers: r.workers}}}
	if s, err = r.judge(ctx, m, cases, entries, local, failed); err != nil {
		return err
	}
	return r.analyse(ctx, "pets37-heads", "photographs that pets37-vit was trained on, with heads", m, entries, []*league.Scores{s}, failed, nil)
}

// saliencyPart judges the saliency model, which has no classes, by where its maps lie.
func (r *recipe) saliencyPart(ctx context.Context, truth *data.Truth) error {
	m, err := r.open(hub.ImgFocusName, r.imgfocus)
	if err != nil {
		return err
	}
	defer m.close()
	cases, err := photographs(ctx, truth, "train", true, m.pipeline, r.plan.Saliency, r.workers)
	if err != nil {
		return err
	}
	if err := m.predict(cases); err != nil {
		return err
	}
	entries := slices.DeleteFunc(r.entries(m.model.Config, 0), func(e league.Entry) bool { return e.Name == league.LeaveOut().Name })
	failed := map[string]int{}
	s, err := r.judge(ctx, m, cases, entries, []league.Bench{{Judge: maps.LocalisationJudge{Workers: r.workers}}, {Judge: maps.ComplexityJudge{}}}, failed)
	if err != nil {
		return err
	}
	return r.analyse(ctx, "imgfocus", "photographs of pets, "+hub.ImgFocusName, m, entries, []*league.Scores{s}, failed, nil)
}

// entries are the methods with their settings, the rows that don't compete, and the best
// of validation that the model can be asked, turned round. It is one without a sign: evidence for
// and against a class both lie on the pet, so that a signed map turned round lies there, too.
func (r *recipe) entries(cfg vit.Config, costly int) []league.Entry {
	methods := league.Methods(cfg, league.Chosen(r.choices))
	all := append(append([]league.Entry{}, methods...), league.Baselines()...)
	all = append(all, league.LeaveOut())
	for _, name := range r.order {
		i := slices.IndexFunc(methods, func(e league.Entry) bool { return e.Name == name })
		if i >= 0 && !methods[i].Method.Signed && methods[i].Method.Cost(cfg, methods[i].Settings) <= most {
			all = append(all, league.Invert(methods[i]))
			break
		}
	}
	for i, e := range all {
		if e.Method != nil && e.Method.Cost(cfg, e.Settings) > cheapest || e.Name == league.LeaveOut().Name {
			all[i].Pictures = costly
		}
	}
	return all
}

// most is the cost of a method whose maps are turned round: they are made twice.
const most = 100

// benches are the judges of a model on pictures that it is asked about first. done frees
// them.
func (r *recipe) benches(m *opened, cases []*maps.Case, p plan) (list []league.Bench, done func(), err error) {
	done = func() {}
	if err := m.predict(cases); err != nil {
		return nil, done, err
	}
	list = []league.Bench{
		{Judge: maps.LocalisationJudge{Workers: 1}},
		{Judge: maps.ComplexityJudge{}},
		{Judge: maps.MosaicJudge{Pool: cases, Seed: seed, Workers: 1}, Pictures: p.Mosaics, Version: fmt.Sprint(len(cases), " pictures")},
	}
	operators := []maps.Operator{maps.LinearImputation(0.01, seed), maps.TrainingMean(), maps.TokenDrop(), maps.Blur(0)}
	if cases[0].Drawn != nil {
		list = append(list, league.Bench{Judge: maps.TruthJudge{Workers: 1}})
		operators = append(operators, maps.Replacing("backdrop", "true background", "the picture as it is drawn without the animal", maps.Backdrop))
	}
	curves, err := maps.NewFaithfulness(maps.FaithfulnessOptions{Operators: operators[:3], Parts: maps.Curves | maps.Products,
		Fractions: fractions, Seed: seed, Workers: 1})
	if err != nil {
		return nil, done, err
	}
	singles, err := maps.NewFaithfulness(maps.FaithfulnessOptions{Operators: operators, Parts: maps.Singles | maps.Subsets, Subsets: subsets, Seed: seed, Workers: 1})
	if err != nil {
		return nil, done, err
	}
	list = append(list, league.Bench{Judge: curves, Pictures: p.Curves, Version: fmt.Sprint("fractions ", fractions)}, league.Bench{Judge: singles, Pictures: p.Singles})
	if p.Sane == 0 {
		return list, done, nil
	}
	sanity, err := maps.NewSanity(m.model, maps.SanityOptions{Stages: 3, Noisy: -1, Samples: 2, Seed: seed})
	if err != nil {
		return nil, done, err
	}
	return append(list, league.Bench{Judge: sanity, Pictures: p.Sane, Version: "3 stages, 2 samples"}), func() { _ = sanity.Close() }, nil
}

// choose chooses the methods' settings on validation pictures of the first seed's model.
func (r *recipe) choose(ctx context.Context, dir string) error {
	start := time.Now()
	m, err := r.open("settings", dir)
	if err != nil {
		return err
	}
	defer m.close()
	cases, err := drawn(ctx, m.pipeline, false, r.plan.Validation, r.workers)
	if err != nil {
		return err
	}
	if err := m.predict(cases); err != nil {
		return err
	}
	singles, err := maps.NewFaithfulness(maps.FaithfulnessOptions{Operators: []maps.Operator{maps.LinearImputation(0.01, seed), maps.TokenDrop()},
		Parts: maps.Singles | maps.Subsets, Subsets: subsets, Seed: seed, Workers: 1})
	if err != nil {
		return err
	}
	trials := league.Trials(m.model.Config)
	for i := range trials {
		trials[i].MakeAgainst = nil // a contrast would need every map again
	}
	local, err := league.Only(maps.LocalisationJudge{Workers: 1}, "energy-pet", "ap-pet", "energy-head")
	if err != nil {
		return err
	}
	truth, err := league.Only(maps.TruthJudge{Workers: 1}, "parts", "part-density", "idle-scenery")
	if err != nil {
		return err
	}
	benches := []league.Bench{{Judge: local}, {Judge: truth}, {Judge: singles}}
	s, err := r.judge(ctx, m, cases, trials, benches, map[string]int{})
	if err != nil {
		return err
	}
	r.choices, r.order, err = league.Choose(ctx, m.model.Config, trials, s)
	fmt.Fprintf(os.Stderr, "settings took %s\n", time.Since(start).Round(time.Second))
	return err
}

// judge runs a job, and shows how far it is.
func (r *recipe) judge(ctx context.Context, m *opened, cases []*maps.Case, entries []league.Entry, benches []league.Bench, failed map[string]int) (*league.Scores, error) {
	times := map[string]float64{}
	var log *meter.Log
	s, err := league.Job{Model: m.name, Digest: m.digest, Explainer: m.explainer, Cases: cases, Entries: entries, Benches: benches,
		Work: filepath.Join(r.work, "kept"), Workers: r.workers,
		Progress: func(done, total int) {
			if log == nil {
				log = meter.NewLog(os.Stderr, total, "steps of "+m.name)
			}
			log.Done(done)
		},
		Failed: func(entry string, c *maps.Case, err error) {
			failed[entry]++
			fmt.Fprintf(os.Stderr, "note: %s has no map of %s: %v\n", entry, c.Name, err)
		},
		Timing: func(what string, seconds float64) { times[what] += seconds },
	}.Run(ctx)
	told(m.name, times)
	return s, err
}

// forecast says how long a model takes if nothing is kept yet: forward passes, counted from the
// plan, by the time that one takes now.
func (r *recipe) forecast(m *opened, cases []*maps.Case, entries []league.Entry, p plan) error {
	var pictures []*transform.Tensor
	for _, c := range cases[:min(len(cases), 16)] {
		pictures = append(pictures, c.Tensor)
	}
	if err := m.timed(pictures); err != nil {
		return err
	}
	cells := float64(m.model.Config.Patches())
	var passes float64
	for _, e := range entries {
		cost := 0.0
		switch {
		case e.Method != nil:
			cost = float64(e.Method.Cost(m.model.Config, e.Settings))
		case e.Name == league.LeaveOut().Name:
			cost = cells
		}
		of := func(n int) float64 {
			if e.Pictures > 0 {
				n = min(n, e.Pictures)
			}
			return float64(min(n, len(cases)))
		}
		passes += cost * (of(len(cases)) + of(p.Mosaics) + sanityMaps*of(p.Sane))
		if cases[0].Drawn != nil {
			passes += contrasts * cost * of(len(cases))
		}
		passes += curvePasses * of(p.Curves)
	}
	passes += float64(min(p.Singles, len(cases))) * 5 * (cells + subsets)
	if cases[0].Drawn != nil {
		passes += redrawn * float64(len(cases))
	}
	fmt.Fprintf(os.Stderr, "%s: %.0f thousand forward passes, %s each: %s without what is kept\n", m.name, passes/1000, m.forward.Round(10*time.Microsecond), meter.About(time.Duration(passes*float64(m.forward))))
	return nil
}

// What judges ask of a model, for the forecast.
const (
	sanityMaps  = 5   // maps of an entrant for each picture
	contrasts   = 0.4 // share of the drawn pictures with two classes to tell apart
	redrawn     = 25  // drawings of a drawn picture
	curvePasses = 6*3 + 1
)

// told lists what took longest.
func told(name string, times map[string]float64) {
	var keys []string
	for k := range times {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if times[a] > times[b] {
			return -1
		}
		return 1
	})
	for _, k := range keys[:min(len(keys), 12)] {
		fmt.Fprintf(os.Stderr, "  %s: %s: %.0f s\n", name, k, times[k])
	}
}

// analyse adds a part to the record.
func (r *recipe) analyse(ctx context.Context, key, title string, m *opened, entries []league.Entry, scores []*league.Scores, failed map[string]int, keep []string) error {
	start := time.Now()
	p, err := league.Analyse(ctx, entries, scores, league.Options{Key: key, Title: title, Resamples: r.plan.Resamples, Seed: seed, Workers: r.workers,
		Keep: keep, Config: m.model.Config, Failed: failed})
	if err != nil {
		return err
	}
	r.record.Parts = append(r.record.Parts, p)
	fmt.Fprintf(os.Stderr, "%s: analysed in %s\n", key, time.Since(start).Round(time.Second))
	return r.record.Save(r.out) // whatever comes next
}

// show prints what was found.
func (r *recipe) show() {
	fmt.Println(r.record.ChoiceTable())
	for _, p := range r.record.Parts {
		for _, f := range league.Families() {
			fmt.Println(p.Table(f))
		}
		fmt.Println(p.GateTable())
		fmt.Println(p.BudgetTable())
	}
	fmt.Println(r.record.TauTable())
	fmt.Println(r.record.Headline(league.Questions()))
	fmt.Println("wrote", r.out)
}
