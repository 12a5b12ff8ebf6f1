package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/train"
	"gaze/pkg/transform"
)

// trainFlags are the flags of `gaze train`.
type trainFlags struct {
	data, model, pipeline, evalPipeline, set, out string

	resume, skipBad, asJSON bool
	workers, every, cache   int
}

func newTrain() *cobra.Command {
	var flags trainFlags
	cmd := &cobra.Command{
		Use:   "train --data DIR --model FILE [--pipeline SPEC] [--set SETTINGS] -o RUN",
		Short: "Fine-tune a Vision Transformer on pictures of your own",
		Long: "Train a checkpoint, or a model from scratch, on a data set: a folder of {class}_{id}.jpg,\n" +
			"a folder for each class, or a CSV with the columns filename and label; with the splits\n" +
			"train, val and test as folders in it, if there are. A checkpoint of other classes gets a\n" +
			"new head; position embeddings are resized to what the pipeline makes of a picture.\n\n" +
			"RUN is a new folder: run.json (settings and result), metrics.jsonl (every batch and epoch),\n" +
			"the same as events for TensorBoard, checkpoints/ (to go on from) and best/model.safetensors,\n" +
			"the weights that were best on val (without val, the last). 'gaze classify --model RUN' uses\n" +
			"those. Whatever stops a run, 'gaze train --resume -o RUN' goes on with it to the same bits.\n\n" +
			"Settings, and what they are if not given:\n  " + settingsHelp() + "\n" +
			"optimizer is adam, adamw (weight_decay=0.01 unless given) or sgd, as torch has them; schedule\n" +
			"is constant, or cosine or linear down to floor; warmup is in epochs; clip bounds the norm of\n" +
			"the gradients; ema is the decay of the weights' average, which then counts; freeze=backbone\n" +
			"trains the head alone, probe does so on features that are computed once; divide counts an\n" +
			"incomplete group of accumulated batches as a whole one; precision=bfloat16 rounds the factors\n" +
			"of matrix products, for devices that are faster so; checkpoint computes blocks a second time\n" +
			"instead of keeping what they computed: less memory, more time.",
		Example: "  gaze train --data pets --model B_16_imagenet1k.pth -o run \\\n" +
			"    --pipeline 'randomhflip | resize(256,256) | rotation(30) | totensor | normalize(0.5,0.5)' \\\n" +
			"    --set 'lr=1e-6; epochs=5; batch=16; accumulate=15; seed=1'\n" +
			"  gaze train --data pets --model vit:dim=128,depth=6,heads=4,patch=8,size=64 -o scratch --pipeline 'resize(64,64) | totensor'\n" +
			"  gaze train --resume -o run",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return flags.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.data, "data", "", "data set: a folder or a CSV")
	modelFlag(cmd, &flags.model)
	f.Lookup("model").Usage += ", or vit:dim=128,depth=6,heads=4,patch=8,size=64 to begin from scratch"
	f.StringVar(&flags.pipeline, "pipeline", "", "how a picture is prepared to train on, ending in a tensor (default: as the checkpoint says)")
	f.StringVar(&flags.evalPipeline, "eval-pipeline", "", "how it is prepared to be classified (default: --pipeline without its random steps)")
	f.StringVar(&flags.set, "set", "", "settings, as in 'lr=1e-6; epochs=5; batch=16'")
	f.StringVarP(&flags.out, "output", "o", "", "the run's folder")
	f.BoolVar(&flags.resume, "resume", false, "go on with the run in the folder; flags that are not given are as they were")
	f.IntVar(&flags.workers, "workers", 0, "pictures that are decoded at a time (default: one for each processor)")
	f.IntVar(&flags.cache, "cache", 1024, "MiB of memory for decoded pictures, so that later epochs only transform them")
	f.IntVar(&flags.every, "checkpoint-every", 0, "batches between two checkpoints (default: only after each epoch)")
	f.BoolVar(&flags.skipBad, "skip-bad", false, "name pictures that can't be read and go on without them")
	f.BoolVar(&flags.asJSON, "json", false, "write run.json to standard output at the end")
	require(cmd, "output")
	return cmd
}

// settingsHelp lists the settings and their defaults.
func settingsHelp() string {
	var lines []string
	line := ""
	for _, s := range train.DefaultSettings().List() {
		if text := s.Name + "=" + s.Value; len(line)+len(text) > 84 {
			lines, line = append(lines, line), text
		} else if line == "" {
			line = text
		} else {
			line += "; " + text
		}
	}
	return strings.Join(append(lines, line), "\n  ")
}

func (f *trainFlags) run(cmd *cobra.Command) error {
	if f.workers < 0 || f.every < 0 || f.cache < 0 {
		return misuse(cmd, errors.New("--workers, --cache and --checkpoint-every can't be negative"))
	}
	if err := f.recall(); err != nil {
		return err
	}
	for _, need := range []struct{ name, value string }{{"data", f.data}, {"model", f.model}} {
		if need.value == "" {
			return misuse(cmd, fmt.Errorf("required flag(s) %q not set", need.name))
		}
	}
	if err := outsideData(f.out, f.data); err != nil && !f.resume {
		return err
	}
	log := newTrainLog(cmd.ErrOrStderr())
	job, err := f.parse()
	if err != nil {
		return misuse(cmd, err)
	}
	job.Warn, job.Progress = log.say, log.progress
	if f.skipBad {
		job.Bad = func(bad data.BadPicture) { log.say(about(bad.Name, bad.Err) + "; left out") }
	}
	splits, err := f.open(cmd, job)
	if err != nil {
		return err
	}
	start, err := f.openStart(cmd, job, splits)
	if err != nil {
		return err
	}
	defer start.Close()
	b, err := backend.Default()
	if err != nil {
		return err
	}
	told := context.AfterFunc(cmd.Context(), func() { log.say("stopping: the batch under way is finished, then the run is saved") })
	manifest, err := job.Run(cmd.Context(), b)
	told()
	log.close()
	if errors.Is(err, train.ErrStopped) {
		return fmt.Errorf("stopped in epoch %d of %d and saved: go on with 'gaze train --resume -o %s'", manifest.Epochs+1, job.Settings.Epochs, f.out)
	}
	if err != nil {
		return err
	}
	return f.tell(cmd, manifest)
}

// recall takes the flags that aren't given from the run that is resumed, and
// makes sure, before any work is done, that there is one or that there is none.
func (f *trainFlags) recall() error {
	old, err := train.ReadManifest(f.out)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.resume:
		return fmt.Errorf("there is no run to resume in %s", f.out)
	case errors.Is(err, fs.ErrNotExist):
		return checkNewRun(f.out)
	case err != nil:
		return err
	case !f.resume:
		return fmt.Errorf("%s holds a run already: go on with it by --resume, or choose another folder", f.out)
	}
	recall := func(flag *string, value string) {
		if *flag == "" {
			*flag = value
		}
	}
	recall(&f.data, old.Notes["data"])
	recall(&f.model, old.Notes["model"])
	recall(&f.set, old.Notes["set"])
	recall(&f.pipeline, old.Settings["pipeline"])
	recall(&f.evalPipeline, old.Settings["eval_pipeline"])
	return nil
}

// parse reads what is written in the flags.
func (f *trainFlags) parse() (*train.FineTune, error) {
	job := &train.FineTune{
		Dir: f.out, Workers: f.workers, CheckpointEvery: f.every, Resume: f.resume,
		Versions: map[string]string{"gaze": version()},
	}
	var err error
	if job.Settings, err = train.ParseSettings(f.set); err != nil {
		return nil, fmt.Errorf("--set: %w", err)
	}
	if f.pipeline != "" {
		if job.Pipeline, err = parseTensorPipeline(f.pipeline); err != nil {
			return nil, fmt.Errorf("--pipeline: %w", err)
		}
		job.EvalPipeline = train.EvaluationPipeline(job.Pipeline)
	}
	if f.evalPipeline != "" {
		if job.EvalPipeline, err = parseTensorPipeline(f.evalPipeline); err != nil {
			return nil, fmt.Errorf("--eval-pipeline: %w", err)
		}
		if job.EvalPipeline.Random() {
			return nil, errors.New("--eval-pipeline: it has random steps: the same picture must get the same answer each time")
		}
	}
	return job, nil
}

// open lists the data set, hashes it and gives it to the job.
func (f *trainFlags) open(cmd *cobra.Command, job *train.FineTune) (*data.Splits, error) {
	splits, err := data.OpenDataset(f.data)
	if err != nil {
		return nil, err
	}
	if splits.Train == nil {
		return nil, fmt.Errorf("%s: there is no split to train on: call its folder train", f.data)
	}
	if len(splits.Classes) < 2 {
		return nil, fmt.Errorf("%s: all pictures are of the class %s: there is nothing to tell apart", f.data, strings.Join(splits.Classes, ""))
	}
	job.Train, job.Classes = data.NewCache(splits.Train, int64(f.cache)<<20), splits.Classes
	hash, err := splits.Train.Hash(cmd.Context())
	if err != nil {
		return nil, err
	}
	if splits.Validation != nil {
		job.Validation = splits.Validation
		validation, err := splits.Validation.Hash(cmd.Context())
		if err != nil {
			return nil, err
		}
		hash += "+" + validation
	}
	job.Data = hash
	if f.skipBad {
		job.Bad = func(bad data.BadPicture) {
			fmt.Fprintf(cmd.ErrOrStderr(), "gaze: %s; left out\n", about(bad.Name, bad.Err))
		}
	}
	return splits, nil
}

// notes tell the way back to a run's beginnings, wherever it is resumed from.
func (f *trainFlags) notes() map[string]string {
	absolute := func(path string) string {
		if _, err := os.Stat(path); err != nil { // a name, or a description
			return path
		}
		if abs, err := filepath.Abs(path); err == nil {
			return abs
		}
		return path
	}
	return map[string]string{"data": absolute(f.data), "model": absolute(f.model), "set": f.set}
}

// tell says where the result is and how good it is.
func (f *trainFlags) tell(cmd *cobra.Command, m *train.Manifest) error {
	if f.asJSON {
		return writeJSON(cmd, m)
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s\n", filepath.Join(f.out, "best", "model.safetensors"))
	if m.Best != nil {
		fmt.Fprintf(out, "best after epoch %d: %d of %d validation pictures right (%.2f %%)\n", m.BestAt, m.Best.Correct, m.Best.Total, 100*m.Best.Accuracy)
	}
	return nil
}

// parseTensorPipeline reads a pipeline that must end in a tensor.
func parseTensorPipeline(spec string) (transform.Pipeline, error) {
	p, err := transform.Parse(spec)
	if err != nil {
		return nil, err
	}
	for _, op := range p {
		if op == transform.Op(transform.ToTensor{}) {
			return p, nil
		}
	}
	return nil, errors.New("it must end in a tensor: add '| totensor' and the normalisation")
}
