package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"gaze/pkg/convnet"
	"gaze/pkg/train"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

const (
	vitName  = "pets37-vit"
	stemName = "efficientnet-lite0"
	side     = 256 // of a picture, in pixels
	settings = "lr=5e-4; batch=64; schedule=cosine; warmup=1; optimizer=adamw; weight_decay=0.05; no_decay=true; clip=1; smoothing=0.1; droppath=0.1; ema=0.998"

	centred  = "resize(256,bicubic) | centercrop(256) | " + pixels
	mirrored = "hflip | resize(256,bicubic) | centercrop(256) | " + pixels
	random   = "randomresizedcrop(256,scale=0.35:1,bicubic) | randomhflip | jitter(0.7:1.3,0.7:1.3,0.7:1.3) | " + pixels
)

// looksIn is the block whose [class] attention says where the model looked: the one that lies
// on the pets of the training pictures, by 'make maps'. The last block's doesn't.
const looksIn = 0

// hybridConfig is the model as it is trained: its cells are 32 pixels apart, where a step is
// cheap.
func hybridConfig(stem convnet.Config) vit.Config {
	stem = stem.WithoutHead()
	return vit.Config{
		Stem: &stem, ImageSize: [2]int{side, side}, PatchSize: [2]int{32, 32}, Channels: 3,
		Dim: 192, Depth: 2, Heads: 3, MLPDim: 640, // so that float16 takes less than 8 MB
		ClassToken: true, QKVBias: true, PatchBias: true, FinalNorm: true, NormEps: 1e-6,
	}
}

// fresh is the model before training: the stem's weights from the checkpoint, the rest drawn
// with the seed.
func (r *recipe) fresh(ctx context.Context) (*vit.Model, error) {
	stem, err := network(ctx, stemName)
	if err != nil {
		return nil, err
	}
	body, err := stem.Derive(stem.Config.WithoutHead())
	if err != nil {
		return nil, err
	}
	list, err := body.Tensors()
	if err != nil {
		return nil, err
	}
	m, err := vit.New(hybridConfig(stem.Config), r.seed)
	if err != nil {
		return nil, err
	}
	if m, err = m.WithStem(list); err != nil {
		return nil, err
	}
	if m, err = m.WithHead(len(r.set.Classes), r.record.Classes, r.seed); err != nil {
		return nil, err
	}
	return m.WithPipeline(centred), nil
}

// hybrid trains the Vision Transformer, writes it, and returns its answers on val.
func (r *recipe) hybrid(ctx context.Context) (answers, error) {
	m, err := r.fresh(ctx)
	if err != nil {
		return answers{}, err
	}
	if m, err = r.trained(ctx, m); err != nil {
		return answers{}, err
	}
	coarse, err := r.judge(ctx, m, "hybrid, cells of 32 pixels")
	if err != nil {
		return answers{}, err
	}
	if m, err = finer(m); err != nil {
		return answers{}, err
	}
	fine, err := r.judge(ctx, m, "hybrid, cells of 16 pixels")
	if err != nil {
		return answers{}, err
	}
	r.record.Hybrid = hybridRecord{Settings: settings, Epochs: r.epochs, Views: r.views, Coarse: coarse.score(), Fine: fine.score()}
	t := fine.temperature()
	r.record.Hybrid.Temperature, r.record.Hybrid.Calibrated = t, fine.crossCalibrated()
	if m, err = cooled(m, t); err != nil {
		return answers{}, err
	}
	dir := filepath.Join(r.out, vitName)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return answers{}, err
	}
	return fine.over(t), m.SaveHalf(filepath.Join(dir, "model.safetensors"))
}

// trained trains the blocks and the head on the stem's features.
func (r *recipe) trained(ctx context.Context, m *vit.Model) (*vit.Model, error) {
	dir := filepath.Join(r.work, fmt.Sprintf("hybrid-%d-%d-%d", r.seed, r.epochs, r.views))
	best := filepath.Join(dir, "best", "model.safetensors")
	old, err := train.ReadManifest(dir)
	if err == nil && old.Status == train.Done {
		return vit.Load(best)
	}
	views, val, err := r.hybridFeatures(ctx, m)
	if err != nil {
		return nil, err
	}
	s, err := train.ParseSettings(fmt.Sprintf("%s; epochs=%d; seed=%d", settings, r.epochs, r.seed))
	if err != nil {
		return nil, err
	}
	source := &viewSource{views: views, batch: s.Batch, seed: r.seed}
	if _, err := r.trainRow(ctx, m, dir, s, source, val, old != nil); err != nil {
		return nil, err
	}
	return vit.Load(best)
}

func tell(p train.Progress) {
	if p.EpochDone() {
		say(p.String())
	}
}

// hybridFeatures are the stem's maps: of the training pictures, once as they are and once
// for each random crop, and of val.
func (r *recipe) hybridFeatures(ctx context.Context, m *vit.Model) (training []*train.FeatureSet, val *train.FeatureSet, err error) {
	runner, err := vit.NewRunner(r.device, m)
	if err != nil {
		return nil, nil, err
	}
	defer runner.Close()
	run := func(images []float32, n int) ([]float32, error) {
		out, err := runner.Run(images, [4]int{n, 3, side, side}, vit.Want{StemFeatures: true})
		if err != nil {
			return nil, err
		}
		return out.StemFeatures.Values, nil
	}
	if val, err = r.featuresOf(ctx, stemName, r.set.Validation, view{"map-val", centred, 0}, run); err != nil {
		return nil, nil, err
	}
	views := []view{{"map-train", centred, 0}}
	for i := range r.views {
		views = append(views, view{fmt.Sprintf("map-train-%d", i+1), random, i + 1})
	}
	for _, v := range views {
		f, err := r.featuresOf(ctx, stemName, r.set.Train, v, run)
		if err != nil {
			return nil, nil, err
		}
		training = append(training, f)
	}
	return training, val, nil
}

// viewSource shows another view in each epoch.
type viewSource struct {
	views []*train.FeatureSet
	batch int
	seed  uint64
}

func (s *viewSource) of(epoch int) train.Source {
	return s.views[epoch%len(s.views)].Source(s.batch, true, s.seed)
}

func (s *viewSource) Len() int { return s.of(0).Len() }

func (s *viewSource) Batches(epoch, from int) iter.Seq2[train.Batch, error] {
	return s.of(epoch).Batches(epoch, from)
}

// finer is the model with cells of 16 pixels in place of 32: the stem's last stage keeps the
// map's size and dilates its kernels, which leaves the values of every second cell in each
// direction as they were, and the positions are resized to the finer grid.
func finer(m *vit.Model) (*vit.Model, error) {
	from, to := m.Config, m.Config
	stem := from.Stem.WithOutputStride(16)
	to.Stem, to.PatchSize = &stem, [2]int{16, 16}
	out, err := vit.New(to, 1)
	if err != nil {
		return nil, err
	}
	var list []*weights.Tensor
	for _, p := range from.Parameters() {
		t, err := m.Tensor(p.Name)
		if err != nil {
			return nil, err
		}
		if p.Name == "positions" {
			if t, err = finerPositions(t, from, to, m.PosResize()); err != nil {
				return nil, err
			}
		}
		list = append(list, t)
	}
	if out, err = out.WithParameters(list); err != nil {
		return nil, err
	}
	out.Labels = m.Labels
	return out.WithPipeline(m.Pipeline()), nil
}

func finerPositions(t *weights.Tensor, from, to vit.Config, how vit.PosResize) (*weights.Tensor, error) {
	values, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	class := len(values) - from.Patches()*from.Dim
	patches, err := vit.ResizePosEmbed(values[class:], from.Dim, from.Grid(), to.Grid(), how)
	if err != nil {
		return nil, err
	}
	return weights.NewTensor("positions", []int{1, 1 + to.Patches(), to.Dim}, append(append([]float32(nil), values[:class]...), patches...)), nil
}

// cooled is the model with logits divided by a temperature, which is what its head does.
func cooled(m *vit.Model, temperature float64) (*vit.Model, error) {
	var list []*weights.Tensor
	for _, name := range []string{"head/weight", "head/bias"} {
		values, shape, err := m.Parameter(name)
		if err != nil {
			return nil, err
		}
		list = append(list, weights.NewTensor(name, shape, divided(values, temperature)))
	}
	return m.WithSome(list)
}

func divided(values []float32, by float64) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(float64(v) / by)
	}
	return out
}

// judge runs the model on the pictures of val and on their mirror images.
func (r *recipe) judge(ctx context.Context, m *vit.Model, what string) (answers, error) {
	runner, err := vit.NewRunner(r.device, m)
	if err != nil {
		return answers{}, err
	}
	defer runner.Close()
	run := func(images []float32, n int) ([]float32, error) {
		out, err := runner.Run(images, [4]int{n, 3, side, side}, vit.Want{Logits: true})
		if err != nil {
			return nil, err
		}
		return out.Logits.Values, nil
	}
	digest, err := m.Digest()
	if err != nil {
		return answers{}, err
	}
	a := answers{}
	for i, pipeline := range []string{centred, mirrored} {
		f, err := r.featuresOf(ctx, digest, r.set.Validation, view{fmt.Sprintf("logits-%d", i), pipeline, 0}, run)
		if err != nil {
			return answers{}, err
		}
		a.classes, a.labels = f.Dim, f.Labels
		a.views = append(a.views, f.Values)
	}
	if a.classes < 2 {
		return answers{}, errors.New("the model has no classes")
	}
	say(fmt.Sprintf("%s: %s", what, a.score()))
	return a, nil
}
