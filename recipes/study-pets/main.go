// Command study-pets repeats the report's study on photographs of pets: 'make study-pets'
// runs it.
//
//	study-pets -data FOLDER [-models NAME,NAME] [-scale small|full] [-work FOLDER] [-o record.json]
//
// FOLDER is a data set in the homework's layout (train/ and val/ with {class}_{id}.jpg) or any
// other that 'gaze train' reads. Where it has no test pictures, val judges, and a tenth of
// train is held out to choose epochs and rows by.
//
// A model is a name that 'gaze models' lists, a file, a folder or a run; NAME=FILE gives a
// file a name for the tables. For each Vision Transformer the rows are the report's settings
// (learning rates from one that crawls to one that collapses, augmentation, larger pictures,
// accumulation), a linear probe, k-NN, the last blocks only, layer-wise decay, and the best
// setting that was found; a model that only has features has the probe and k-NN.
//
// Finished runs are kept in the folder of -work, and a study that was stopped continues
// there. The record is written after every run, so that it always holds what is there.
//
// At the scale small (30 training pictures of each breed, 98 pixels, four epochs, one seed
// where blocks are trained and three where they aren't), a row of a ViT-S/14 takes six to
// eight minutes at 80 GFLOP/s. full is the report's size, for a faster machine. What is
// shortened is noted in the record.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/study"
)

// options are the flags.
type options struct {
	data, models, scale, work, out string
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "", "the data set")
	flag.StringVar(&o.models, "models", "", "models, with ',' between them")
	flag.StringVar(&o.scale, "scale", "small", "size of the study: "+strings.Join(report.PetsScales(), ", "))
	flag.StringVar(&o.work, "work", "study-pets", "folder of the runs")
	flag.StringVar(&o.out, "o", "", "the record to write (default: record-SCALE.json in the folder of the runs)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "study-pets:", err)
		os.Exit(1)
	}
}

func (o options) run(ctx context.Context) error {
	if o.data == "" || flag.NArg() > 0 {
		return errors.New("name the data set: -data FOLDER (make study-pets DATA=FOLDER)")
	}
	set, err := data.OpenDataset(o.data)
	if err != nil {
		return err
	}
	models, extractors, err := openModels(ctx, o.models)
	if err != nil {
		return err
	}
	s, err := report.PetsStudy(set, models, o.scale)
	if err != nil {
		return err
	}
	s.Folder, s.Dir, s.Extractors = o.data, o.work, extractors
	if o.out == "" {
		o.out = filepath.Join(o.work, "record-"+o.scale+".json")
	}
	if err := os.MkdirAll(filepath.Dir(o.out), 0o755); err != nil {
		return err
	}
	result, err := o.study(ctx, s)
	if result == nil {
		return err
	}
	if len(result.Outcomes) > 0 {
		if wrote := result.Record().Write(o.out); wrote != nil {
			return errors.Join(err, wrote)
		}
		fmt.Println(result.Table().String())
		fmt.Println(study.EffectTable(report.PetsEffects(result)).String())
		fmt.Println(report.IntroducePets(result))
		fmt.Println(report.DiscussPets(result))
		fmt.Println("wrote", o.out)
	}
	return err
}

// study runs the rows, telling how far it is and how long it takes.
func (o options) study(ctx context.Context, s *study.Study) (*study.Result, error) {
	device, err := backend.Default()
	if err != nil {
		return nil, err
	}
	forecast, err := s.Forecast()
	if err != nil {
		return nil, err
	}
	for _, note := range s.Notes {
		fmt.Fprintln(os.Stderr, "note:", note)
	}
	fmt.Fprintf(os.Stderr, "%d rows; how long they take is said after the first batches. Stopped with Ctrl-C, the study continues when it is run again\n", len(s.Rows))
	s.Progress = (&reporter{forecast: forecast}).report
	s.Warn = func(row study.Row, text string) { fmt.Fprintf(os.Stderr, "%s: %s\n", row.Title(), text) }
	s.Finished = func(r *study.Result) {
		if err := r.Record().Write(o.out); err != nil {
			fmt.Fprintln(os.Stderr, "study-pets: the record isn't written yet:", err)
		}
	}
	return s.Run(ctx, device)
}

// reporter prints a line for every epoch, and every minute within one.
type reporter struct {
	forecast *study.Forecast
	last     time.Time
}

func (r *reporter) report(p study.Progress) {
	r.forecast.Observe(p)
	long := p.Epochs <= 10 // a probe has many short epochs
	if time.Since(r.last) < time.Minute && !(long && p.EpochDone()) && !(p.EpochDone() && p.Epoch == p.Epochs) {
		return
	}
	r.last = time.Now()
	text := fmt.Sprintf("run %d of %d, %s, seed %d: epoch %d/%d", p.Run, p.Runs, p.Row.Title(), p.Seed, p.Epoch, p.Epochs)
	if v := p.Validation; v != nil {
		text += fmt.Sprintf(", validation %.1f %%", 100*v.Accuracy)
	} else {
		text += fmt.Sprintf(", batch %d/%d, loss %.3f", p.Done, p.Batches, p.Train.Loss)
	}
	if left := r.forecast.Text(); left != "" {
		text += "; " + left
	}
	fmt.Fprintln(os.Stderr, text)
}
