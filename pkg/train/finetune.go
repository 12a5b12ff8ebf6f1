package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/gomlx/compute"

	"gaze/pkg/data"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// FineTune trains a Vision Transformer on a data set, in a run's folder as described for
// [Fit]. vit.Load opens its best model, which has the classes' names and the evaluation
// pipeline.
type FineTune struct {
	Dir   string
	Model *vit.Model // to start from; stays open until Run returns
	Start string     // identifies the model, for example by a digest; resuming needs the same

	Train      data.Set
	Validation data.Set // nil: the fraction Settings.Valid of Train; if that is 0, the last weights are the best
	Classes    []string // names
	Data       string   // identifies the data, for example by a hash; resuming needs the same
	// Files returns the name of a picture of Train or Validation, relative to its set's
	// folder, and the sum of its file, for the run's pictures.csv; nil: the set's own
	// names, and no sums.
	Files func(validation bool, i int) (name string, sum data.Sum)

	// Before is the sums, as [SumText] has them, of pictures that Model has already been
	// trained on: validating on those overrates it, and Warn is called.
	Before map[string]bool

	Pipeline     transform.Pipeline
	EvalPipeline transform.Pipeline // nil: Pipeline.Evaluation()
	Settings     Settings

	// Devices is the number of devices that share each batch; 0: one. See Options.Devices.
	// A run may be resumed on another number; only on the same one has it the same bits.
	Devices int
	// Peers are the processes that train the run together; nil: this one alone. The first
	// keeps the folder, which all must be able to read. The bits depend on their number, too.
	Peers Peers

	// What follows doesn't change the result.

	Workers         int // goroutines that decode and transform; 0: one for each processor
	CheckpointEvery int // batches between two checkpoints; 0: only after each epoch
	Resume          bool
	Versions, Notes map[string]string
	Bad             func(data.BadPicture) // called for pictures that can't be read; nil: they end the run. Peers then read all pictures, not only their own
	Damaged         func(data.BadPicture) // called for damaged pictures that are used all the same; may be nil
	Warn            func(string)          // called for warnings; may be nil
	Progress        func(Progress)        // as Fit.Progress
	Pool            *Pool                 // keeps trainers for runs like this one; may be nil

	heldOut  *HeldOut
	pictures []Picture
	warnings []string
	sweeping bool // nothing is validated
}

// Run trains; see [Fit.Run]. A cancelled context ends it with [ErrStopped] after the
// current batch. The warnings are also in the manifest.
//
// A run that is resumed may have other settings for its length and its learning rate: lr,
// epochs, schedule and floor. It then starts at lr and follows the schedule over the
// remaining updates, without warm-up; the optimiser keeps its state. All other settings
// must be the same.
func (f FineTune) Run(ctx context.Context, backend compute.Backend) (*Manifest, error) {
	// The loaders outlive ctx, so that Fit can finish the current batch before it stops.
	loading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	s, m, network, err := f.begin(ctx, loading, backend)
	if err != nil {
		return nil, err
	}
	ts, err := f.trainers(backend, s, m, network)
	if err != nil {
		return nil, err
	}
	fit, err := f.fit(s, m)
	if err != nil {
		return nil, err
	}
	fit.second, fit.extend, fit.may = ts.second, ts.extend, extendable
	manifest, err := fit.Run(ctx, ts.now)
	ts.keep(ts.now, err == nil)
	return manifest, err
}

// begin makes the network and the sources of its batches; loading is the context of those.
func (f *FineTune) begin(ctx, loading context.Context, backend compute.Backend) (*sources, *vit.Model, *Network, error) {
	tell := f.Warn
	f.Warn = func(text string) {
		f.warnings = append(f.warnings, text)
		if tell != nil {
			tell(text)
		}
	}
	if f.EvalPipeline == nil {
		f.EvalPipeline = f.Pipeline.Evaluation()
	}
	switch {
	case f.Settings.Probe && f.Pipeline.Random():
		f.Warn(fmt.Sprintf("a probe learns from features that are computed once, so what is random in the pipeline is left out: %s", f.EvalPipeline))
	case f.Settings.Probe && f.Pipeline.String() != f.EvalPipeline.String():
		f.Warn(fmt.Sprintf("a probe learns from features that are computed once, by the evaluation's pipeline: %s", f.EvalPipeline))
	case f.Settings.Smoothing == 1:
		f.Warn("with smoothing=1 every class is the same target: the labels have no effect on training")
	}
	if f.Train == nil || f.Model == nil {
		return nil, nil, nil, errors.New("train: fine-tuning needs a model and pictures to train on")
	}
	if err := f.Settings.check(); err != nil {
		return nil, nil, nil, fmt.Errorf("train: settings: %w", err)
	}
	if err := f.Settings.checkFor(f.Model.Config); err != nil {
		return nil, nil, nil, fmt.Errorf("train: settings: %w", err)
	}
	if err := f.Model.Config.CheckPipeline(f.Pipeline); err != nil {
		return nil, nil, nil, fmt.Errorf("train: %w", err)
	}
	if err := f.Model.Config.CheckPipeline(f.EvalPipeline); err != nil {
		return nil, nil, nil, fmt.Errorf("train: evaluation: %w", err)
	}
	if err := f.holdOut(); err != nil {
		return nil, nil, nil, err
	}
	if f.sweeping {
		f.Validation = nil
	}
	s, err := f.sources(loading)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := f.prepare(s.shape)
	if err == nil && f.Settings.Probe {
		err = f.toFeatures(ctx, backend, m, s)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	network, err := f.network(m)
	return s, m, network, err
}

// The names of Devices, if there are several, and of the number of Peers among a manifest's
// settings.
const (
	devicesSetting   = "devices"
	processesSetting = "processes"
)

// options are the options of a trainer of the run.
func (f *FineTune) options(s Settings, batches, depth int) Options {
	o := s.Options(batches, depth)
	o.Devices, o.Peers = f.Devices, f.Peers
	return o
}

// DevicesOf is the number of devices that a run was last trained on.
func DevicesOf(m *Manifest) int {
	n, err := strconv.Atoi(m.Settings[devicesSetting])
	if err != nil {
		return 1
	}
	return n
}

// sources are the batches of a run.
type sources struct {
	train, validation Source
	shape             [3]int // channels, height and width of a picture
}

// sources opens the loaders.
func (f *FineTune) sources(ctx context.Context) (*sources, error) {
	train, err := f.loader(f.Train, f.Settings.Probe)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	s := &sources{train: FromLoader(ctx, train), shape: train.Shape()}
	if f.Validation == nil {
		return s, nil
	}
	validation, err := f.loader(f.Validation, true)
	if err != nil {
		return nil, fmt.Errorf("train: validation: %w", err)
	}
	if validation.Shape() != s.shape {
		return nil, fmt.Errorf("train: the pipeline makes tensors of %v, the evaluation's of %v: they must agree", s.shape, validation.Shape())
	}
	s.validation = FromLoader(ctx, validation)
	return s, nil
}

// loader is a loader of training pictures or, if plain, of pictures in order and without
// random transforms.
func (f *FineTune) loader(set data.Set, plain bool) (*data.Loader, error) {
	o := data.LoaderOptions{Pipeline: f.EvalPipeline, Batch: f.Settings.Batch, Seed: f.Settings.Seed, Workers: f.Workers, Bad: f.Bad, Damaged: f.Damaged}
	if !plain {
		o.Pipeline, o.Shuffle, o.Classes = f.Pipeline, true, len(f.Classes)
		if mix := f.Settings.Mix(); mix != nil {
			o.Mix = *mix
		}
	}
	if f.Peers != nil && f.Bad == nil && o.Mix == (transform.Mix{}) && !f.Settings.Probe {
		o.Part, o.Parts = f.Peers.Rank(), f.Peers.Size()
	}
	return data.NewLoader(set, o)
}

// prepare fits the model to the size of the pictures and to the classes.
func (f *FineTune) prepare(shape [3]int) (*vit.Model, error) {
	m := f.Model
	if shape[0] != m.Config.Channels {
		return nil, fmt.Errorf("train: the pipeline makes pictures of %d channels, the model takes %d", shape[0], m.Config.Channels)
	}
	if size := [2]int{shape[1], shape[2]}; size != m.Config.ImageSize {
		resized, err := m.ResizedTo(size[0], size[1])
		if err != nil {
			return nil, fmt.Errorf("train: the pipeline makes pictures of %d×%d: %w", size[0], size[1], err)
		}
		f.Warn(fmt.Sprintf("the model's position embeddings are resized from pictures of %d×%d to %d×%d", m.Config.ImageSize[0], m.Config.ImageSize[1], size[0], size[1]))
		m = resized
	}
	if m.Config.Classes != len(f.Classes) || m.Labels != nil && !slices.Equal(m.Labels, f.Classes) {
		f.Warn(fmt.Sprintf("the model gets a new head for %d classes", len(f.Classes)))
		headed, err := m.WithHead(len(f.Classes), f.Classes, f.Settings.Seed)
		if err != nil {
			return nil, err
		}
		m = headed
	}
	m = m.WithPipeline(f.EvalPipeline.String())
	m.Labels = f.Classes
	if err := m.CheckSave(); err != nil {
		return nil, fmt.Errorf("train: the trained model couldn't be saved: %w", err)
	}
	return m, nil
}

func (f *FineTune) network(m *vit.Model) (*Network, error) {
	if f.Settings.Probe {
		return Probe(m, f.Settings.Smoothing)
	}
	return ViT(m, f.Settings.DropPath, f.Settings.Smoothing)
}

// fit is the run as a Fit.
func (f *FineTune) fit(s *sources, m *vit.Model) (Fit, error) {
	pictures, err := writePictures(f.pictures)
	if err != nil {
		return Fit{}, err
	}
	settings := f.Settings.Map()
	if delete(settings, "valid"); f.heldOut != nil {
		settings["valid"] = strconv.FormatFloat(f.heldOut.Fraction, 'g', -1, 64)
	}
	settings["model"] = f.Start
	settings["pipeline"] = f.Pipeline.String()
	settings["eval_pipeline"] = f.EvalPipeline.String()
	if f.Devices > 1 {
		settings[devicesSetting] = strconv.Itoa(f.Devices)
	}
	if f.Peers != nil {
		settings[processesSetting] = strconv.Itoa(f.Peers.Size())
	}
	return Fit{
		Dir: f.Dir, Train: s.train, Validation: s.validation, Epochs: f.Settings.Epochs, CheckpointEvery: f.CheckpointEvery,
		Settings: settings, Data: f.Data, Versions: f.Versions, Notes: f.Notes, Resume: f.Resume, Progress: f.Progress,
		Save:  func(path string, list []*weights.Tensor) error { return saveModel(m, path, list) },
		files: map[string][]byte{picturesFile: pictures}, heldOut: f.heldOut, warnings: f.warnings,
	}, nil
}

// saveModel saves a model with the trained weights; the others are the model's own.
func saveModel(m *vit.Model, path string, list []*weights.Tensor) error {
	out, err := m.WithSome(list)
	if err != nil {
		return err
	}
	return out.Save(path)
}

// Sweep tries learning rates on what Run would train: the same head, pictures and
// pipeline; see [FindLearningRate]. It writes nothing.
func (f FineTune) Sweep(ctx context.Context, backend compute.Backend, how FinderOptions) (*Sweep, error) {
	f.sweeping = true
	if f.Settings.HeadEpochs > 0 {
		return nil, errors.New("train: finding a learning rate: head_epochs makes two stages, and the test covers one: leave it out to find lr, or name freeze=backbone in its place to find head_lr")
	}
	s, m, network, err := f.begin(ctx, ctx, backend)
	if err != nil {
		return nil, err
	}
	return FindLearningRate(ctx, backend, network, f.options(f.Settings, s.train.Len(), m.Config.Depth), s.train, how)
}

// checkFor makes sure that the settings are for a model of this architecture.
func (s Settings) checkFor(c vit.Config) error {
	if s.Freeze == "stem" && c.Stem == nil {
		return fmt.Errorf("freeze=stem is for hybrids: the model's patches are cut from the picture, so leave it out")
	}
	return s.checkDepth(c.Depth)
}
