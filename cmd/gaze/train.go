package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gaze/internal/mpi"
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
	devices                 int
	hosts                   bool

	world *mpi.World // the processes that train together; nil: this one alone

	old   *train.Manifest // the manifest of the run that is resumed
	base  train.Settings  // the settings before --set: the defaults, or those of the resumed run
	named []string        // the settings named in --set
}

func newTrain() *cobra.Command {
	var flags trainFlags
	cmd := &cobra.Command{
		Use:   "train --data DIR --model FILE [--pipeline SPEC] [--set SETTINGS] -o RUN",
		Short: "Fine-tune a Vision Transformer on your own pictures",
		Long: "Train a checkpoint, or a model from scratch, on a data set: a folder of {class}_{id}.jpg,\n" +
			"a folder for each class, or a CSV with the columns filename and label; or a folder of such\n" +
			"splits called train, val and test (other usual names, such as training_set and dev, are\n" +
			"recognised). Without a val split, a fifth of each class is held out for validation\n" +
			"(valid=0.2). The test split isn't used. If the checkpoint has other classes, it gets a new\n" +
			"head; position embeddings are resized to the size of the pipeline's result.\n\n" +
			"RUN is a new folder. It gets run.json (settings and result), pictures.csv (the use of each\n" +
			"picture), metrics.jsonl (every batch and epoch), the same as TensorBoard events,\n" +
			"checkpoints/ (for --resume) and best/model.safetensors: the weights with the best validation\n" +
			"result (without validation, the last ones). 'gaze classify --model RUN' uses those.\n\n" +
			"'gaze train --resume -o RUN' continues a run that was stopped for whatever reason, and gives\n" +
			"the same bits as an uninterrupted run. --resume --set 'epochs=10; lr=1e-5' trains longer,\n" +
			"with a new rate from there on; only lr, epochs, schedule and floor can change.\n\n" +
			"--devices N trains on N GPUs: each gets its part of every batch, and their gradients are\n" +
			"added up before an update. batch stays the number of pictures in a whole batch. With\n" +
			"--hosts, processes that srun or mpirun started share it, usually one on each host. All see\n" +
			"the same files; the first writes RUN. 'make mpi' compiles the library that this needs.\n" +
			"docs/training-devices.md says more.\n\n" +
			"Settings and their defaults:\n  " + settingsHelp() + "\n" +
			"optimizer is adam, adamw (weight_decay=0.01 unless given) or sgd, as in torch; schedule is\n" +
			"constant, or cosine or linear down to floor; warmup is in epochs; clip limits the norm of\n" +
			"the gradients; ema is the decay of the moving average of the weights, which is then the\n" +
			"model that is validated and saved; freeze=backbone trains only the head, freeze=blocks:N the\n" +
			"last N blocks, too; probe trains the head on features that are computed once (no random\n" +
			"steps); head_epochs trains only the head for\n" +
			"the first epochs, at head_lr (0: lr), then everything; divide counts an incomplete group of\n" +
			"accumulated batches as a whole one; precision=bfloat16 rounds the inputs of matrix products,\n" +
			"for devices that are faster that way; checkpoint recomputes blocks instead of storing their\n" +
			"results (less memory, more time); valid is the fraction of the training pictures that is\n" +
			"held out if there is no val split. docs/training.md explains each.",
		Example: "  gaze train --data pets --model B_16_imagenet1k.pth -o run \\\n" +
			"    --pipeline 'randomhflip | resize(256,256) | rotation(30) | totensor | normalize(0.5,0.5)' \\\n" +
			"    --set 'lr=1e-6; epochs=5; batch=16; accumulate=15; seed=1'\n" +
			"  gaze train --data pets --model vit:dim=128,depth=6,heads=4,patch=8,size=64 -o scratch --pipeline 'resize(64,64) | totensor'\n" +
			"  gaze train --data pets --model vit-base-patch16-224 -o two --set 'epochs=6; head_epochs=2; head_lr=1e-3; lr=1e-5'\n" +
			"  gaze train --data pets --model vit-base-patch16-224 -o four --devices 4 --set 'batch=128'\n" +
			"  mpirun -n 2 gaze train --hosts --data pets --model vit-base-patch16-224 -o two-hosts --set 'batch=128'\n" +
			"  gaze train --resume -o run\n" +
			"  gaze train --resume -o run --set 'epochs=10'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return flags.run(cmd) },
	}
	flags.trained(cmd)
	f := cmd.Flags()
	f.StringVar(&flags.evalPipeline, "eval-pipeline", "", "how pictures are prepared for validation (default: --pipeline without its random steps)")
	f.StringVarP(&flags.out, "output", "o", "", "the run's folder")
	f.BoolVar(&flags.resume, "resume", false, "continue the run in the folder; flags and settings that aren't given keep their values")
	f.IntVar(&flags.devices, "devices", 1, "devices (GPUs) of this host that share each batch")
	f.BoolVar(&flags.hosts, "hosts", false, "share each batch with the other processes that srun or mpirun started")
	f.IntVar(&flags.every, "checkpoint-every", 0, "batches between checkpoints (default: only after each epoch)")
	f.BoolVar(&flags.asJSON, "json", false, "write run.json to standard output at the end")
	require(cmd, "output")
	return cmd
}

// trained defines the flags for the model, the data and the settings.
func (f *trainFlags) trained(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.data, "data", "", "data set: a folder or a CSV")
	modelFlag(cmd, &f.model)
	flags.Lookup("model").Usage += ", or vit:dim=128,depth=6,heads=4,patch=8,size=64 to train from scratch"
	flags.StringVar(&f.pipeline, "pipeline", "", "how training pictures are prepared, ending in a tensor (default: the checkpoint's own pipeline)")
	flags.StringVar(&f.set, "set", "", "settings, as in 'lr=1e-6; epochs=5; batch=16'")
	flags.IntVar(&f.workers, "workers", 0, "pictures decoded at a time (default: one per processor)")
	flags.IntVar(&f.cache, "cache", 1024, "MiB of memory for decoded pictures, so that later epochs only transform them")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "name pictures that can't be read and continue without them")
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
	if f.devices < 1 {
		return misuse(cmd, fmt.Errorf("--devices is %d: it must be at least 1", f.devices))
	}
	if f.hosts {
		var err error
		if f.world, err = mpi.Open(); err != nil {
			return fmt.Errorf("--hosts: %w", err)
		}
	}
	err := f.train(cmd)
	if f.world != nil && (err == nil || errors.Is(err, train.ErrStopped)) {
		err = errors.Join(err, f.world.Close()) // otherwise the others aren't where this one is
	}
	return err
}

// follows says whether another process writes the run's folder and reports on it.
func (f *trainFlags) follows() bool { return f.world != nil && f.world.Rank() > 0 }

// train trains or resumes the run.
func (f *trainFlags) train(cmd *cobra.Command) error {
	if err := f.recall(); err != nil {
		return err
	}
	if f.old != nil && !cmd.Flags().Changed("devices") {
		f.devices = train.DevicesOf(f.old)
	}
	for _, need := range []struct{ name, value string }{{"data", f.data}, {"model", f.model}} {
		if need.value == "" {
			return misuse(cmd, fmt.Errorf("required flag(s) %q not set", need.name))
		}
	}
	if f.follows() {
		cmd.SetOut(io.Discard)
		cmd.SetErr(io.Discard)
	}
	log := newTrainLog(cmd.ErrOrStderr())
	job, err := f.parse()
	if err != nil {
		return misuse(cmd, err)
	}
	if err := f.checkDevices(); err != nil {
		return err
	}
	job.Warn, job.Progress = log.say, log.progress
	damaged := &damagedPictures{say: log.say}
	job.Damaged = damaged.add
	if f.skipBad {
		job.Bad = func(bad data.BadPicture) { log.say(about(bad.Name, bad.Err) + "; left out") }
	}
	splits, err := f.openData(cmd)
	if err != nil {
		return err
	}
	if err := f.take(cmd, job, splits); err != nil {
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
	told := context.AfterFunc(cmd.Context(), func() { log.say("stopping: the current batch is finished, then the run is saved") })
	manifest, err := job.Run(cmd.Context(), b)
	told()
	damaged.sum()
	log.close()
	if errors.Is(err, train.ErrStopped) {
		return &stoppedError{fmt.Sprintf("stopped in epoch %d of %d and saved: continue with 'gaze train --resume -o %s'", manifest.Epochs+1, job.Settings.Epochs, f.out)}
	}
	if err != nil {
		return err
	}
	return f.tell(cmd, manifest)
}

// stoppedError says how to continue a run that was stopped on request.
type stoppedError struct{ text string }

func (e *stoppedError) Error() string { return e.text }
func (e *stoppedError) Unwrap() error { return train.ErrStopped }

// checkDevices checks that there are enough devices before the data is read, which may take
// long.
func (f *trainFlags) checkDevices() error {
	if f.devices < 2 {
		return nil
	}
	b, err := backend.Default()
	if err != nil {
		return err
	}
	if err := backend.CheckDevices(b, f.devices); err != nil {
		return fmt.Errorf("--devices: %w", err)
	}
	return nil
}

// recall fills in the flags that aren't given from the resumed run. It checks, before
// any work is done, that the folder holds a run with --resume and none without it.
func (f *trainFlags) recall() error {
	f.base = train.DefaultSettings()
	if f.follows() && !f.resume {
		return nil // the first process may have made the folder already
	}
	old, err := train.ReadManifest(f.out)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.resume:
		return fmt.Errorf("there is no run to resume in %s", f.out)
	case errors.Is(err, fs.ErrNotExist):
		return checkNewRun(f.out)
	case err != nil:
		return err
	case !f.resume:
		return fmt.Errorf("%s already holds a run: continue it with --resume, or choose another folder", f.out)
	}
	if f.base, err = train.SettingsOf(old); err != nil {
		return fmt.Errorf("%s: %w", f.out, err)
	}
	f.old = old
	recall := func(flag *string, value string) {
		if *flag == "" {
			*flag = value
		}
	}
	recall(&f.data, old.Notes["data"])
	recall(&f.model, old.Notes["model"])
	recall(&f.pipeline, old.Settings["pipeline"])
	recall(&f.evalPipeline, old.Settings["eval_pipeline"])
	return nil
}

// parse makes a job from the flags.
func (f *trainFlags) parse() (*train.FineTune, error) {
	job := &train.FineTune{
		Dir: f.out, Devices: f.devices, Workers: f.workers, CheckpointEvery: f.every, Resume: f.resume,
		Versions: map[string]string{"gaze": version()},
	}
	if f.world != nil {
		job.Peers = f.world
	}
	var err error
	if job.Settings, f.named, err = f.base.With(f.set); err != nil {
		return nil, fmt.Errorf("--set: %w", err)
	}
	if f.pipeline != "" {
		if job.Pipeline, err = parseTensorPipeline(f.pipeline); err != nil {
			return nil, fmt.Errorf("--pipeline: %w", err)
		}
		job.EvalPipeline = job.Pipeline.Evaluation()
	}
	if f.evalPipeline != "" {
		if job.EvalPipeline, err = parseTensorPipeline(f.evalPipeline); err != nil {
			return nil, fmt.Errorf("--eval-pipeline: %w", err)
		}
		if job.EvalPipeline.Random() {
			return nil, errors.New("--eval-pipeline: it has random steps, but the same picture must always give the same result: leave them out")
		}
	}
	return job, nil
}

// openData lists the data set. It checks that the set can be trained on and that the
// run's folder isn't inside it.
func (f *trainFlags) openData(cmd *cobra.Command) (*data.Splits, error) {
	if !f.resume {
		if err := outsideData(f.out, f.data); err != nil {
			return nil, err
		}
	}
	splits, err := openDataset(cmd, f.data)
	if err != nil {
		return nil, err
	}
	all := []*data.Dataset{splits.Train, splits.Validation, splits.Test}
	if !f.resume {
		if err := cmp.Or(outsidePictures(f.out, f.data, all...), setOutside(f.out, f.data, all...)); err != nil {
			return nil, err
		}
	}
	return splits, f.check(splits)
}

// check checks that there is a train split with at least two classes.
func (f *trainFlags) check(splits *data.Splits) error {
	if splits.Train == nil {
		return fmt.Errorf("%s: there is no split to train on: call its folder train", f.data)
	}
	if len(splits.Classes) < 2 {
		return fmt.Errorf("%s: all pictures are of the class %s: training needs at least two classes", f.data, strings.Join(splits.Classes, ""))
	}
	return nil
}

// take gives the data set to the job.
func (f *trainFlags) take(cmd *cobra.Command, job *train.FineTune, splits *data.Splits) error {
	if splits.Validation == nil && splits.Test != nil {
		job.Warn(fmt.Sprintf("the test split isn't used for validation: it is for the final evaluation ('gaze evaluate --run %s --split test')", f.out))
	}
	if whole, ok := data.SetOf(absolute(f.data)); ok && splits.Validation == nil {
		job.Warn(fmt.Sprintf("%s is a split of %s: name that instead to use its other splits", f.data, whole))
	}
	if err := f.takeSets(cmd, job, splits); err != nil {
		return err
	}
	if f.old != nil && f.old.Data != job.Data {
		return fmt.Errorf("%s: its pictures have changed since the run in %s began (files, names, classes or splits): name the original data with --data, or start a new run in another folder", f.data, f.out)
	}
	return nil
}

// takeSets gives the job its pictures, with their names and the data set's hash.
func (f *trainFlags) takeSets(cmd *cobra.Command, job *train.FineTune, splits *data.Splits) error {
	if splits.Validation != nil && job.Settings.Valid > 0 && slices.Contains(f.named, "valid") {
		return misuse(cmd, fmt.Errorf("--set: valid=%g holds out training pictures for validation, but %s has a val split: leave valid out, or move the split elsewhere", job.Settings.Valid, f.data))
	}
	job.Train, job.Classes = data.NewCache(splits.Train, int64(f.cache)<<20), splits.Classes
	sums, err := splits.Train.Sums(cmd.Context(), nil)
	if err != nil {
		return err
	}
	job.Data = splits.Train.HashOf(sums)
	var validation []data.Sum
	if splits.Validation != nil {
		job.Validation = splits.Validation
		if validation, err = splits.Validation.Sums(cmd.Context(), nil); err != nil {
			return err
		}
		job.Data += "+" + splits.Validation.HashOf(validation)
	}
	job.Files = func(validating bool, i int) (string, data.Sum) {
		if validating {
			return splits.Validation.Relative(i), validation[i]
		}
		return splits.Train.Relative(i), sums[i]
	}
	return nil
}

// notes record the run's data, model and settings so that it can be resumed from any
// working folder.
func (f *trainFlags) notes() map[string]string {
	whole := func(path string) string {
		if _, err := os.Stat(path); err != nil { // a catalogue name or a model description
			return path
		}
		return absolute(path)
	}
	set := f.set
	if f.old != nil { // --set names only the settings that change
		if s, _, err := f.base.With(set); err == nil {
			set = s.String()
		}
	}
	return map[string]string{"data": whole(f.data), "model": whole(f.model), "set": set}
}

// tell prints the path of the result and its accuracy.
func (f *trainFlags) tell(cmd *cobra.Command, m *train.Manifest) error {
	if f.asJSON {
		return writeJSON(cmd, m)
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s\n", filepath.Join(f.out, "best", "model.safetensors"))
	if m.Best != nil {
		kind := "validation"
		if m.HeldOut != nil {
			kind = "held-out"
		}
		fmt.Fprintf(out, "best after epoch %d: %d of %d %s pictures right (%.2f %%)\n", m.BestAt, m.Best.Correct, m.Best.Total, kind, 100*m.Best.Accuracy)
	}
	return nil
}

// parseTensorPipeline reads a pipeline that must end in a tensor.
func parseTensorPipeline(spec string) (transform.Pipeline, error) {
	p, err := transform.Parse(spec)
	if err != nil {
		return nil, err
	}
	if !p.EndsInTensor() {
		return nil, errors.New("it must end in a tensor: add '| totensor' and the normalisation")
	}
	return p, nil
}
