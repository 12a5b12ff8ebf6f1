package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"gaze/internal/atomicfile"
	"gaze/internal/filelock"
	"gaze/internal/meter"
	"gaze/pkg/weights"
)

// ErrStopped is what [Fit.Run] returns when its context is cancelled: the run is
// saved and can be resumed.
var ErrStopped = errors.New("train: stopped on request; the run is saved and can be resumed")

// Fit is a training run that lives in a folder:
//
//	run.json                       what it is and how it stands (Manifest)
//	metrics.jsonl                  a line for each batch and each epoch
//	events.out.tfevents.gaze       the same for TensorBoard: each update and each validation
//	checkpoints/last.safetensors   everything it needs to resume
//	best/model.safetensors         the weights that were best on the validation set
//
// A run that is stopped or killed at any moment can be resumed, and ends with the same
// bits as one that wasn't.
type Fit struct {
	Dir        string
	Train      Source
	Validation Source // nil: none; the last weights are then the best
	Epochs     int
	// CheckpointEvery is the number of batches between two checkpoints; 0: only
	// after each epoch, and when stopped.
	CheckpointEvery int

	Settings map[string]string // everything that decides the result; resuming needs the same
	Data     string            // identifies the data, for example by a hash; resuming needs the same
	Versions map[string]string
	Notes    map[string]string // information for people and programs, such as the paths of model and data
	Resume   bool              // continue the run in Dir; otherwise Dir must not hold a run

	// Save writes the best weights as a model; nil writes a safetensors file under the
	// network's names.
	Save func(path string, list []*weights.Tensor) error
	// Progress, unless nil, is called after every batch and every epoch.
	Progress func(Progress)

	// What [FineTune] adds.
	files    map[string][]byte // further files of a new run's folder, by name
	heldOut  *HeldOut
	warnings []string
	may      []string // settings that may change on resuming
	// extend is given the place where the run starts or resumes and returns its history.
	extend func(old *Manifest, at place) ([]Phase, error)
	second *secondStage
}

// run is a Fit that is running. Of several processes that train together, the first keeps
// the folder; the others only read it.
type run struct {
	Fit
	safe     place // at the last update that several processes made together
	trainer  *Trainer
	manifest *Manifest
	log      *metricsLog
	events   *eventLog
	unlock   func()
	at       place
	began    time.Time
	before   float64 // seconds of earlier starts
	worked   float64 // work of earlier starts
	meter    *meter.Meter
	pictures int  // since it was started
	due      bool // a checkpoint is to be made
}

// Run trains until all epochs are done, the context is cancelled (then it saves the run
// and returns [ErrStopped]) or something fails, which is also recorded in the manifest. t
// must be new.
func (f Fit) Run(ctx context.Context, t *Trainer) (*Manifest, error) {
	r := &run{Fit: f, trainer: t}
	if err := r.open(); err != nil {
		if r.unlock != nil {
			r.unlock()
		}
		return nil, fmt.Errorf("train: %s: %w", f.Dir, err)
	}
	defer r.unlock()
	var err error
	for err == nil && r.at.epoch < f.Epochs {
		err = r.epoch(ctx)
	}
	return r.manifest, r.close(err)
}

// open creates the folder, or restores the run in it.
func (r *run) open() error {
	if r.Train == nil || r.Epochs < 1 {
		return errors.New("there is nothing to train on: give a source and at least one epoch")
	}
	r.manifest = &Manifest{
		Settings: maps.Clone(r.Settings), Data: r.Data, Versions: r.Versions, Notes: r.Notes, Device: r.trainer.backend.Description(),
		HeldOut: r.heldOut, Warnings: r.warnings,
	}
	if err := r.lock(); err != nil {
		return err
	}
	if r.follows() {
		return r.openFollower()
	}
	old, err := ReadManifest(r.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && r.Resume:
		return fmt.Errorf("there is no run to resume: no %s", manifestFile)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && !r.Resume:
		return errors.New("it holds a run already: resume it or choose another folder")
	case err == nil:
		if err := r.manifest.sameRun(old, r.may); err != nil {
			return fmt.Errorf("the run in it is another: %w: resume it as it was, or choose another folder", err)
		}
	}
	for _, file := range []string{checkpointFile, bestFile, manifestFile} {
		dir := filepath.Dir(filepath.Join(r.Dir, file))
		if err := errors.Join(os.MkdirAll(dir, 0o755), atomicfile.Sweep(dir)); err != nil {
			return err
		}
	}
	if r.Resume {
		if r.at, _, err = readCheckpoint(r.Dir, r.trainer); err != nil {
			return fmt.Errorf("its checkpoint can't be used: %w; without the file %s the run begins again", err, filepath.Join(r.Dir, checkpointFile))
		}
	}
	if r.extend != nil {
		if r.manifest.History, err = r.extend(old, r.at); err != nil {
			return err
		}
	}
	if err := r.checkSame(); err != nil {
		return err
	}
	for name, text := range r.files {
		path := filepath.Join(r.Dir, name)
		if _, err := os.Stat(path); r.Resume && err == nil {
			continue
		}
		if _, err := Pictures(r.Dir); name == picturesFile && err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already, and no run's: move it, or choose another folder: %w", path, err)
		}
		if err := atomicfile.WriteBytes(path, text); err != nil {
			return err
		}
	}
	if r.log, err = openMetrics(r.Dir, r.at.metrics); err != nil {
		return err
	}
	if r.events, err = openEvents(r.Dir, r.at.events); err != nil {
		return errors.Join(err, r.log.close())
	}
	r.began, r.before = time.Now(), r.at.seconds
	r.worked = r.work(r.at.epoch, r.at.batch, false)
	r.meter = meter.New(r.work(r.Epochs, 0, false) - r.worked)
	return r.tell(Running, "")
}

// lock keeps other processes out of the folder until the run returns.
func (r *run) lock() error {
	if r.follows() {
		r.unlock = func() {}
		return nil
	}
	if r.Resume {
		if _, err := os.Stat(r.Dir); err != nil {
			return fmt.Errorf("there is no run to resume: %w", err)
		}
	} else if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return err
	}
	release, ok, err := filelock.Try(filepath.Join(r.Dir, ".lock"))
	if err == nil && !ok {
		err = errors.New("another process is training in it")
	}
	r.unlock = release
	return err
}

// tell writes the manifest.
func (r *run) tell(status, reason string) error {
	if r.follows() {
		return nil
	}
	m := r.manifest
	m.Status, m.Reason = status, reason
	m.Updates, m.Epochs, m.Best, m.BestAt, m.Seconds = r.trainer.Updates(), r.at.epoch, r.at.best, r.at.bestAt, r.seconds()
	return m.write(r.Dir)
}

func (r *run) seconds() float64 { return r.before + time.Since(r.began).Seconds() }

// close ends the run; err says how.
func (r *run) close(err error) error {
	status, reason := Done, ""
	if r.follows() {
		return err
	}
	if r.trainer.giveUp(err, r.safe.trained) {
		r.at = r.safe
		err = errors.Join(err, r.save())
	}
	switch {
	case errors.Is(err, ErrStopped):
		status = Stopped
	case err != nil:
		status, reason = Failed, err.Error()
	}
	return errors.Join(err, r.log.close(), r.events.close(), r.tell(status, reason))
}

// checkpoint saves everything that the run needs to resume.
func (r *run) checkpoint() error {
	if r.follows() {
		return nil
	}
	r.at.metrics, r.at.events = r.log.size, r.events.size
	return r.save()
}

// save is checkpoint at a place whose files' sizes are known.
func (r *run) save() error {
	state, err := r.trainer.State()
	if err != nil {
		return err
	}
	if err := errors.Join(r.log.sync(), r.events.sync()); err != nil { // before the checkpoint, which records their sizes
		return err
	}
	r.at.seconds = r.seconds()
	return writeCheckpoint(r.Dir, state, r.at)
}

// stop saves and returns ErrStopped.
func (r *run) stop() error {
	if err := r.checkpoint(); err != nil {
		return err
	}
	return ErrStopped
}

// epoch trains the rest of the current epoch, evaluates and saves.
func (r *run) epoch(ctx context.Context) error {
	for batch, err := range r.Train.Batches(r.at.epoch, r.at.batch) {
		stop, agreed := r.stopped(ctx) // checked first, since the source may end with ctx too
		switch {
		case agreed != nil:
			return agreed
		case stop:
			return r.stop()
		case err != nil:
			return err
		}
		if err := r.batch(batch); err != nil {
			return err
		}
		if err := r.checkpointIfDue(); err != nil {
			return err
		}
	}
	if r.at.batch == 0 {
		return fmt.Errorf("train: epoch %d has no batches", r.at.epoch+1)
	}
	if m, err := r.trainer.Flush(); err != nil {
		return err
	} else if m.Updated {
		if err := r.record(m); err != nil {
			return err
		}
		r.noteSafe()
	}
	validation, err := r.evaluate(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return r.stop() // evaluated again on resuming
		}
		return err
	}
	return r.finishEpoch(validation)
}

// batch trains on one batch and reports it.
func (r *run) batch(batch Batch) error {
	if len(batch.Images) == 0 {
		r.at.batch++
		return nil
	}
	m, err := r.trainer.Step(batch)
	if err != nil {
		return err
	}
	r.at.batch++
	r.at.sums.add(m)
	r.at.group.add(m)
	r.pictures += m.Batch
	if err := r.record(m); err != nil {
		return err
	}
	r.noteSafe()
	r.progress(m, nil)
	return nil
}

// evaluate evaluates the validation set; it returns nil if there is none.
func (r *run) evaluate(ctx context.Context) (*Evaluation, error) {
	if r.Validation == nil {
		return nil, nil
	}
	if r.peers() != nil {
		ctx = context.WithoutCancel(ctx) // or one might leave while the others wait for it
	}
	e, err := r.trainer.Evaluate(ctx, r.Validation, r.trainer.opt.Average != nil)
	return &e, err
}

// finishEpoch saves the weights if they are the best so far, and a checkpoint.
func (r *run) finishEpoch(validation *Evaluation) error {
	train := r.at.sums.evaluation()
	if validation == nil || validation.Better(r.at.best) {
		r.at.best, r.at.bestAt = validation, r.at.epoch+1
		if err := r.saveBest(); err != nil {
			return err
		}
	}
	record := EpochMetrics{Epoch: r.at.epoch + 1, Update: r.trainer.Updates(), Train: train, Validation: validation, Seconds: r.seconds()}
	if err := r.recordEpoch(record); err != nil {
		return err
	}
	r.progress(Metrics{Update: r.trainer.Updates()}, validation)
	r.at.epoch++
	r.at.batch, r.at.sums = 0, sums{}
	if r.second != nil && r.at.epoch == r.second.at { // before the checkpoint, so that its epoch says which trainer's state it has
		next, err := r.second.next(r.trainer)
		if err != nil {
			return err
		}
		r.trainer = next
	}
	if err := r.checkpoint(); err != nil {
		return err
	}
	r.noteSafe()
	return r.tell(Running, "")
}

func (r *run) saveBest() error {
	if r.follows() {
		return nil
	}
	list, err := r.trainer.Weights(r.trainer.opt.Average != nil)
	if err != nil {
		return err
	}
	path := filepath.Join(r.Dir, bestFile)
	if r.Save != nil {
		return r.Save(path, list)
	}
	return weights.WriteSafetensors(path, list, nil)
}

// recordEpoch logs an epoch.
func (r *run) recordEpoch(record EpochMetrics) error {
	if r.follows() {
		return nil
	}
	if err := r.log.add(record); err != nil || record.Validation == nil {
		return err
	}
	v := record.Validation
	return r.events.add(record.Update, scalar{"validation/loss", v.Loss}, scalar{"validation/accuracy", v.Accuracy})
}

// record logs a batch, and the update if it made one.
func (r *run) record(m Metrics) error {
	if r.follows() {
		if m.Updated {
			r.at.group = sums{}
		}
		return nil
	}
	err := r.log.add(batchRecord{
		Epoch: r.at.epoch + 1, Batch: r.at.batch, Update: m.Update, Loss: m.Loss, Correct: m.Correct, Pictures: m.Batch,
		Rate: m.Rate, GradNorm: m.GradNorm, Seconds: r.seconds(),
	})
	if err != nil || !m.Updated {
		return err
	}
	e := r.at.group.evaluation()
	r.at.group = sums{}
	return r.events.add(m.Update, scalar{"train/loss", e.Loss}, scalar{"train/accuracy", e.Accuracy},
		scalar{"train/learning_rate", m.Rate}, scalar{"train/gradient_norm", m.GradNorm})
}

// progress calls Progress.
func (r *run) progress(m Metrics, validation *Evaluation) {
	if r.Progress == nil || r.follows() {
		return
	}
	elapsed := time.Since(r.began)
	batches := max(r.Train.Len(), r.at.batch)
	r.meter.At(r.work(r.at.epoch, r.at.batch, validation != nil) - r.worked)
	r.Progress(Progress{
		Metrics: m, Epoch: r.at.epoch + 1, Epochs: r.Epochs, Done: r.at.batch, Batches: batches,
		Train: r.at.sums.evaluation(), Validation: validation, Seconds: r.seconds(),
		PicturesPerSec: float64(r.pictures) / max(elapsed.Seconds(), 1e-9),
		Remaining:      r.meter.Left(), Forecast: r.forecast(),
	})
}

// validationWork is the work of a validation batch beside a training batch: a forward
// pass takes about a third of a forward and a backward pass.
const validationWork = 1.0 / 3

// work is how much is done after some epochs and batches, in training batches. validated
// is true after the validation of the epoch under way.
func (r *run) work(epochs, batches int, validated bool) float64 {
	validation := 0.0
	if r.Validation != nil {
		validation = validationWork * float64(r.Validation.Len())
	}
	done := float64(epochs)*(float64(r.Train.Len())+validation) + float64(batches)
	if validated {
		done += validation
	}
	return done
}

// forecast is Progress.Forecast.
func (r *run) forecast() string {
	text := r.meter.Forecast()
	switch {
	case text == "":
		return ""
	case r.worked > 0:
		return fmt.Sprintf("%s for the rest of %d epochs of %d steps", text, r.Epochs, r.Train.Len())
	}
	return fmt.Sprintf("%s for %d epochs of %d steps", text, r.Epochs, r.Train.Len())
}
