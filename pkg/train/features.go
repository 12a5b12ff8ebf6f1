package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"gaze/pkg/transform"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// FeatureSet is the features that a model computes of pictures, to train a [Probe] or a
// [LinearHead] on, or to look for neighbours in ([KNN]).
type FeatureSet struct {
	Values []float32 // [pictures, Dim]: the input of the head
	Dim    int
	Labels []int // [pictures]
}

// Source makes batches of the features; batch 0 means a single batch of all. With shuffle
// every epoch has an order of its own, which depends on the seed.
func (f *FeatureSet) Source(batch int, shuffle bool, seed uint64) Source {
	if batch <= 0 {
		batch = max(len(f.Labels), 1)
	}
	return &probeSource{features: f, batch: batch, shuffle: shuffle, seed: seed}
}

// Features computes the features of a source's pictures (its epoch 0), in the source's
// order, with the model without its head. Training with [FreezeBackbone] would compute
// them in every epoch.
//
// If a folder is given they are stored there, and read from there for the same model and
// the same key. The key must identify everything that decides the pictures: the data, the
// pipeline, the source's seed and order. A damaged file is replaced.
//
// A loader (see [FromLoader]) whose pipeline has random steps is an error: one draw of
// them would stand for all. [transform.Pipeline.Evaluation] leaves them out.
func Features(ctx context.Context, backend compute.Backend, m *vit.Model, source Source, folder, key string) (*FeatureSet, error) {
	return keptFeatures(source, m.Digest, folder, key, func() (*FeatureSet, error) {
		runner, err := vit.NewRunner(backend, m)
		if err != nil {
			return nil, err
		}
		defer runner.Close()
		return computeFeatures(ctx, vitExtractor{runner}, source)
	})
}

// Extractor is a frozen model of any kind that turns pictures into features.
type Extractor interface {
	// Digest identifies the model and its weights.
	Digest() (string, error)
	// Extract returns the features, [n, dim], of n prepared pictures, [n, channels, height,
	// width], both row-major.
	Extract(ctx context.Context, images []float32, shape [4]int) (values []float32, dim int, err error)
}

// ExtractFeatures is [Features] by any model. shape is the channels, the height and the
// width of the source's pictures.
func ExtractFeatures(ctx context.Context, e Extractor, source Source, shape [3]int, folder, key string) (*FeatureSet, error) {
	return keptFeatures(source, e.Digest, folder, key, func() (*FeatureSet, error) {
		return computeFeatures(ctx, sizedExtractor{e, shape}, source)
	})
}

// keptFeatures returns the features that are in the folder, or computes them and keeps them
// there.
func keptFeatures(source Source, digest func() (string, error), folder, key string, features func() (*FeatureSet, error)) (*FeatureSet, error) {
	if l, ok := source.(loaderSource); ok && l.loader.Random() {
		return nil, errors.New("train: features: they are computed once, but the loader's pipeline has random steps, or mixes pictures: leave these out (Pipeline.Evaluation)")
	}
	path := ""
	if folder != "" {
		digest, err := digest()
		if err != nil {
			return nil, fmt.Errorf("train: features: %w", err)
		}
		sum := sha256.Sum256([]byte(digest + "\n" + key))
		path = filepath.Join(folder, "features-"+hex.EncodeToString(sum[:12])+".safetensors")
		if f, err := readFeatures(path); err == nil {
			return f, nil
		}
	}
	f, err := features()
	if err == nil && path != "" {
		err = f.write(path)
	}
	if err != nil {
		return nil, fmt.Errorf("train: features: %w", err)
	}
	return f, nil
}

// extractor computes the features of a batch.
type extractor interface {
	shape() [3]int // channels, height and width of a picture
	extract(ctx context.Context, images []float32, shape [4]int) (values []float32, dim int, err error)
}

// vitExtractor is a Vision Transformer without its head.
type vitExtractor struct{ runner *vit.Runner }

func (e vitExtractor) shape() [3]int {
	cfg := e.runner.Config()
	return [3]int{cfg.Channels, cfg.ImageSize[0], cfg.ImageSize[1]}
}

func (e vitExtractor) extract(_ context.Context, images []float32, shape [4]int) ([]float32, int, error) {
	out, err := e.runner.Run(images, shape, vit.Want{PreLogits: true})
	if err != nil {
		return nil, 0, err
	}
	return out.PreLogits.Values, out.PreLogits.Shape[1], nil
}

// sizedExtractor is an Extractor for pictures of one size.
type sizedExtractor struct {
	Extractor
	size [3]int
}

func (e sizedExtractor) shape() [3]int { return e.size }

func (e sizedExtractor) extract(ctx context.Context, images []float32, shape [4]int) ([]float32, int, error) {
	values, dim, err := e.Extract(ctx, images, shape)
	if err == nil && (dim < 1 || len(values) != shape[0]*dim) {
		err = fmt.Errorf("%d pictures have %d values of %d features", shape[0], len(values), dim)
	}
	return values, dim, err
}

// computeFeatures runs a model on a source.
func computeFeatures(ctx context.Context, e extractor, source Source) (*FeatureSet, error) {
	size := e.shape()
	each := size[0] * size[1] * size[2]
	f := &FeatureSet{}
	for b, err := range source.Batches(0, 0) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if len(b.Images) == 0 {
			continue
		}
		if b.Targets != nil || len(b.Images) != len(b.Labels)*each {
			return nil, fmt.Errorf("a batch of %d values and %d labels: it must be pictures of %d values with a label each, not mixed", len(b.Images), len(b.Labels), each)
		}
		values, dim, err := e.extract(ctx, b.Images, [4]int{len(b.Labels), size[0], size[1], size[2]})
		if err != nil {
			return nil, err
		}
		f.Dim = dim
		f.Values = append(f.Values, values...)
		f.Labels = append(f.Labels, b.Labels...)
	}
	if len(f.Labels) == 0 {
		return nil, errors.New("there are no pictures")
	}
	return f, nil
}

// write stores the features, the labels as float32, in which every class number is exact,
// and a checksum.
func (f *FeatureSet) write(path string) error {
	labels := make([]float32, len(f.Labels))
	for i, label := range f.Labels {
		labels[i] = float32(label)
	}
	list := []*weights.Tensor{
		weights.NewTensor("features", []int{len(f.Labels), f.Dim}, f.Values),
		weights.NewTensor("labels", []int{len(f.Labels)}, labels),
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return weights.WriteSafetensors(path, list, map[string]string{"sha256": checksum(list)})
}

// checksum is of the tensors' values.
func checksum(list []*weights.Tensor) string {
	h := sha256.New()
	for _, t := range list {
		h.Write(t.Bytes())
	}
	return hex.EncodeToString(h.Sum(nil))
}

// readFeatures reads what write wrote.
func readFeatures(path string) (*FeatureSet, error) {
	file, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	values, ok := file.Tensor("features")
	labels, found := file.Tensor("labels")
	if !ok || !found || len(values.Shape) != 2 || labels.Len() != values.Shape[0] {
		return nil, fmt.Errorf("%s doesn't hold features", path)
	}
	if file.Metadata()["sha256"] != checksum([]*weights.Tensor{values, labels}) {
		return nil, fmt.Errorf("%s is damaged", path)
	}
	f := &FeatureSet{Dim: values.Shape[1]}
	mapped, err := values.Float32s()
	if err != nil {
		return nil, err
	}
	f.Values = append(f.Values, mapped...) // the values are mapped only until the file is closed
	numbers, err := labels.Float32s()
	if err != nil {
		return nil, err
	}
	for _, v := range numbers {
		f.Labels = append(f.Labels, int(v))
	}
	return f, nil
}

// probeSource makes batches of features.
type probeSource struct {
	features *FeatureSet
	batch    int
	seed     uint64
	shuffle  bool
}

// probeStream makes the order of a probe's pictures independent of other random numbers
// with the same seed.
const probeStream = 0x70726f6265 // "probe"

// toFeatures computes the features of all pictures once and makes the batches of a linear
// probe from them. Runs that share a pool, a model and pictures share the features, which
// don't depend on the head that the seed draws.
func (f *FineTune) toFeatures(ctx context.Context, backend compute.Backend, m *vit.Model, s *sources) error {
	key := ""
	if f.Start != "" && f.Data != "" {
		key = fmt.Sprintf("%s\n%s\n%s\n%s\n%v\n%d", backend.Description(), f.Start, f.Data, f.EvalPipeline, s.shape, f.Settings.Batch)
		if f.heldOut != nil {
			key += fmt.Sprintf("\n%+v", *f.heldOut)
		}
	}
	both, err := f.Pool.features(ctx, key, func() (both [2]*FeatureSet, err error) {
		runner, err := vit.NewRunner(backend, m)
		if err != nil {
			return both, err
		}
		defer runner.Close()
		for i, source := range []Source{s.train, s.validation} {
			if source == nil {
				continue
			}
			if both[i], err = computeFeatures(ctx, vitExtractor{runner}, source); err != nil {
				return both, fmt.Errorf("train: features: %w", err)
			}
		}
		return both, nil
	})
	if err != nil {
		return err
	}
	s.train = both[0].Source(f.Settings.Batch, true, f.Settings.Seed)
	if both[1] != nil {
		s.validation = both[1].Source(f.Settings.Batch, false, f.Settings.Seed)
	}
	return nil
}

func (p *probeSource) Len() int { return (len(p.features.Labels) + p.batch - 1) / p.batch }

func (p *probeSource) Batches(epoch, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		f, order := p.features, p.order(epoch)
		for start := from * p.batch; start < len(order); start += p.batch {
			var b Batch
			for _, i := range order[start:min(start+p.batch, len(order))] {
				b.Images = append(b.Images, f.Values[i*f.Dim:(i+1)*f.Dim]...)
				b.Labels = append(b.Labels, f.Labels[i])
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// order is the order of the pictures in an epoch.
func (p *probeSource) order(epoch int) []int {
	order := make([]int, len(p.features.Labels))
	for i := range order {
		order[i] = i
	}
	if p.shuffle {
		r := transform.NewRand(p.seed^probeStream, uint64(epoch), 0, 0)
		for i := len(order) - 1; i > 0; i-- {
			j := r.IntN(i + 1)
			order[i], order[j] = order[j], order[i]
		}
	}
	return order
}
