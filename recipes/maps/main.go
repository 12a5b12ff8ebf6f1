// Command maps scores a model's [class] attention on the photographs about whose pixels
// something is known, and writes what notebook 3 shows: 'make maps DATA=pets' runs it.
//
//	maps -data FOLDER -model MODEL -o FOLDER [-pipeline TEXT] [-masked]
//
// The data set is in the layout of 'gaze pull oxford-pets' ([data.OpenTruth]). The train
// pictures are scored first; the share of the pixels at which the intersection over
// union is best there is then used on val. The folder gets train.json and val.json with
// the scores of each picture, and record.json, without them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"gaze/internal/atomicfile"
	"gaze/internal/meter"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/evaluate/maps"
	"gaze/pkg/hub"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

func main() {
	var r recipe
	flag.StringVar(&r.data, "data", "", "data set with index.csv, trimaps and outlines")
	flag.StringVar(&r.model, "model", "", "a file, a folder, a run, or a name that 'gaze models' lists")
	flag.StringVar(&r.title, "title", "", "the model's name in the record (default: as it is called)")
	flag.StringVar(&r.pipeline, "pipeline", "", "how pictures are prepared (default: the model's own)")
	flag.Uint64Var(&r.seed, "seed", 1, "of the intervals")
	flag.IntVar(&r.resamples, "resamples", 10000, "of the bootstrap")
	flag.BoolVar(&r.masked, "masked", false, "only pictures with a trimap or an outline: a fifth of those with a box around the head")
	flag.StringVar(&r.out, "o", "", "folder for the results")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := r.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "maps:", err)
		os.Exit(1)
	}
}

type recipe struct {
	data, model, title, pipeline, out string
	masked                            bool
	seed                              uint64
	resamples                         int
}

func (r *recipe) run(ctx context.Context) error {
	if r.data == "" || r.model == "" || r.out == "" {
		return errors.New("give -data, -model and -o")
	}
	truth, err := data.OpenTruth(r.data)
	if err != nil {
		return err
	}
	mapper, pipeline, done, err := r.open()
	if err != nil {
		return err
	}
	defer done()
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	var chosen *maps.Report
	var all []*maps.Report
	for _, split := range []string{"train", "val"} {
		report, err := maps.Evaluate(ctx, mapper, pipeline, r.of(truth, split), maps.Options{
			Model: r.title, Set: "Oxford-IIIT Pet, " + r.called(split), Seed: r.seed, Resamples: r.resamples, Chosen: chosen,
			Warn: func(text string) { fmt.Fprintln(os.Stderr, "note:", text) }, Progress: progress(split),
		})
		if err != nil {
			return fmt.Errorf("%s: %w", split, err)
		}
		if err := report.Save(filepath.Join(r.out, split+".json")); err != nil {
			return err
		}
		for _, part := range report.Parts {
			fmt.Println(report.Table(part.Truth))
		}
		chosen = report
		all = append([]*maps.Report{report.Brief()}, all...)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(r.out, "record.json"), append(text, '\n'))
}

// open opens the model. done closes it.
func (r *recipe) open() (m maps.Mapper, p transform.Pipeline, done func(), err error) {
	path := r.model
	if _, err := os.Stat(path); err != nil {
		if path, err = hub.Resolve(r.model); err != nil {
			return nil, nil, nil, err
		}
	}
	model, err := train.LoadModel(path)
	if err != nil {
		return nil, nil, nil, err
	}
	if r.title == "" {
		r.title = hub.ShortName(r.model)
	}
	if p, err = model.Preprocessing(); r.pipeline != "" {
		p, err = transform.Parse(r.pipeline)
	}
	if err == nil {
		err = model.Config.CheckPipeline(p)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	device, err := backend.Default()
	if err != nil {
		return nil, nil, nil, err
	}
	runner, err := vit.NewRunner(device, model)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err = maps.ClassAttention(runner)
	return m, p, func() { runner.Close(); model.Close() }, err
}

// called names the pictures of a split.
func (r *recipe) called(split string) string {
	if r.masked {
		return split + ", those with a mask"
	}
	return split
}

// of lists the pictures of a split.
func (r *recipe) of(t *data.Truth, split string) []*data.Known {
	var out []*data.Known
	for _, k := range t.Pictures {
		if k.Split == split && (!r.masked || k.HasTrimap() || k.HasOutline()) {
			out = append(out, k)
		}
	}
	return out
}

// progress shows how long a split takes and how far it is.
func progress(split string) func(done, total int) {
	var log *meter.Log
	return func(done, total int) {
		if log == nil {
			log = meter.NewLog(os.Stderr, total, "pictures of "+split)
		}
		log.Done(done)
	}
}
