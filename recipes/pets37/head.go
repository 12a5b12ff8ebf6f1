package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/convnet"
	"gaze/pkg/data"
	"gaze/pkg/nn"
	"gaze/pkg/train"
	"gaze/pkg/weights"
)

const (
	headNetwork  = "efficientnet-lite2"
	headSide     = 288
	headSettings = "lr=2e-3; epochs=40; batch=64; schedule=cosine; warmup=1; optimizer=adamw; weight_decay=0.3; seed=1"
)

func headPipelines() [2]string {
	plain := fmt.Sprintf("resize(%d,bicubic) | centercrop(%d) | ", headSide, headSide) + pixels
	return [2]string{plain, "hflip | " + plain}
}

// seen is the pooled features of a set's pictures and of their mirror images, and the
// logits of ImageNet's classes.
type seen struct {
	features [2]*train.FeatureSet // each Dim = channels
	imageNet [2]*train.FeatureSet // each Dim = 1000
}

// look computes them.
func (r *recipe) look(ctx context.Context, runner *convnet.Runner, set *data.Dataset, name string) (s seen, err error) {
	channels := runner.Config().Channels()
	run := func(images []float32, n int) ([]float32, error) {
		out, err := runner.Run(ctx, images, [4]int{n, 3, headSide, headSide}, convnet.Want{Pooled: true, Logits: true})
		if err != nil {
			return nil, err
		}
		var values []float32
		for i := range n {
			values = append(values, out.Pooled.Values[i*channels:(i+1)*channels]...)
			values = append(values, out.Logits.Values[i*runner.Classes():(i+1)*runner.Classes()]...)
		}
		return values, nil
	}
	for i, pipeline := range headPipelines() {
		both, err := r.featuresOf(ctx, headNetwork, set, view{fmt.Sprintf("%s-%d", name, i), pipeline, 0}, run)
		if err != nil {
			return s, err
		}
		s.features[i] = columns(both, 0, channels)
		s.imageNet[i] = columns(both, channels, both.Dim)
	}
	return s, nil
}

// columns is some of the features of each picture.
func columns(f *train.FeatureSet, from, to int) *train.FeatureSet {
	out := &train.FeatureSet{Dim: to - from, Labels: f.Labels}
	for i := range f.Labels {
		out.Values = append(out.Values, f.Values[i*f.Dim+from:i*f.Dim+to]...)
	}
	return out
}

// head trains the linear layer over EfficientNet-Lite2's features, measures when a picture
// looks like no pet, writes the layer and returns its answers on val.
func (r *recipe) head(ctx context.Context) (answers, error) {
	m, err := network(ctx, headNetwork)
	if err != nil {
		return answers{}, err
	}
	defer m.Close()
	runner, err := convnet.NewRunner(r.device, m)
	if err != nil {
		return answers{}, err
	}
	defer runner.Close()
	training, err := r.look(ctx, runner, r.set.Train, "train")
	if err != nil {
		return answers{}, err
	}
	val, err := r.look(ctx, runner, r.set.Validation, "val")
	if err != nil {
		return answers{}, err
	}
	if err := r.pets(ctx, runner, training, val); err != nil {
		return answers{}, err
	}
	layer, err := r.linear(ctx, training)
	if err != nil {
		return answers{}, err
	}
	a := answers{classes: len(r.set.Classes), labels: val.features[0].Labels}
	for _, f := range val.features {
		a.views = append(a.views, layer.logits(f))
	}
	say("EfficientNet-Lite2 and a linear layer: " + a.score().String())
	t := a.mean().temperature()
	r.record.Head = headRecord{Settings: headSettings, Score: a.score(), Temperature: t, Calibrated: a.mean().crossCalibrated()}
	return a.over(t), layer.over(t).write(filepath.Join(r.out, "pets37", "head.safetensors"))
}

// linear is a linear layer.
type linear struct {
	weight, bias []float32 // [classes, in] and [classes]
	classes, in  int
}

// standard is the mean and the deviation of each feature.
func standard(f *train.FeatureSet) (mean, deviation []float64) {
	mean, deviation = make([]float64, f.Dim), make([]float64, f.Dim)
	n := float64(len(f.Labels))
	for i, v := range f.Values {
		mean[i%f.Dim] += float64(v) / n
	}
	for i, v := range f.Values {
		d := float64(v) - mean[i%f.Dim]
		deviation[i%f.Dim] += d * d / n
	}
	for k, v := range deviation {
		deviation[k] = math.Sqrt(v) + 1e-3
	}
	return mean, deviation
}

// linear trains on features brought to mean 0 and deviation 1, in which one rate suits all,
// and then makes the layer take them as they are.
func (r *recipe) linear(ctx context.Context, s seen) (linear, error) {
	mean, deviation := standard(s.features[0])
	var views []*train.FeatureSet
	for _, f := range s.features {
		v := &train.FeatureSet{Dim: f.Dim, Labels: f.Labels, Values: make([]float32, len(f.Values))}
		for i, x := range f.Values {
			v.Values[i] = float32((float64(x) - mean[i%f.Dim]) / deviation[i%f.Dim])
		}
		views = append(views, v)
	}
	l := linear{classes: len(r.set.Classes), in: views[0].Dim}
	list, err := r.fitLinear(ctx, l, views)
	if err != nil {
		return l, err
	}
	for _, t := range list {
		values, err := t.Float32s()
		if err != nil {
			return l, err
		}
		if t.Name == "classifier/weight" {
			l.weight = append([]float32(nil), values...)
		} else {
			l.bias = append([]float32(nil), values...)
		}
	}
	for i := range l.weight {
		k := i % l.in
		w := float64(l.weight[i]) / deviation[k]
		l.weight[i] = float32(w)
		l.bias[i/l.in] -= float32(w * mean[k])
	}
	return l, nil
}

// fitLinear trains the layer, or reads it from the run that did.
func (r *recipe) fitLinear(ctx context.Context, l linear, views []*train.FeatureSet) ([]*weights.Tensor, error) {
	s, err := train.ParseSettings(headSettings)
	if err != nil {
		return nil, err
	}
	source := &viewSource{views: views, batch: s.Batch, seed: s.Seed}
	loss, err := train.Classification(l.classes, s.Smoothing, func(scope *model.Scope, x *Node, _ nn.Training) *Node {
		x = Reshape(x, x.Shape().Dim(0), l.in)
		return convnet.Classify(nn.NewVariables(scope, x, 0, nn.Training{}), x, l.classes)
	})
	if err != nil {
		return nil, err
	}
	net := &train.Network{Input: [3]int{1, 1, l.in}, Loss: loss, Weights: []*weights.Tensor{
		weights.NewTensor("classifier/weight", []int{l.classes, l.in}, make([]float32, l.classes*l.in)),
		weights.NewTensor("classifier/bias", []int{l.classes}, make([]float32, l.classes)),
	}}
	t, err := train.NewTrainer(r.device, net, s.Options(source.Len(), 0))
	if err != nil {
		return nil, err
	}
	defer t.Close()
	dir := filepath.Join(r.work, "head")
	old, err := train.ReadManifest(dir)
	if err != nil || old.Status != train.Done {
		fit := train.Fit{Dir: dir, Train: source, Epochs: s.Epochs, Settings: s.Map(), Data: r.hash, Resume: err == nil, Progress: tell}
		if _, err := fit.Run(ctx, t); err != nil {
			return nil, err
		}
	}
	file, err := weights.Open(filepath.Join(dir, "best", "model.safetensors"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var list []*weights.Tensor
	for _, w := range net.Weights {
		stored, ok := file.Tensor(w.Name)
		if !ok {
			return nil, fmt.Errorf("%s has no %s", dir, w.Name)
		}
		values, err := stored.Float32s()
		if err != nil {
			return nil, err
		}
		list = append(list, weights.NewTensor(w.Name, w.Shape, append([]float32(nil), values...)))
	}
	return list, nil
}

func (l linear) logits(f *train.FeatureSet) []float32 {
	out := make([]float32, len(f.Labels)*l.classes)
	for i := range f.Labels {
		x := f.Values[i*f.Dim : (i+1)*f.Dim]
		for c := range l.classes {
			sum := float64(l.bias[c])
			for k, w := range l.weight[c*l.in : (c+1)*l.in] {
				sum += float64(w) * float64(x[k])
			}
			out[i*l.classes+c] = float32(sum)
		}
	}
	return out
}

// over divides the logits.
func (l linear) over(temperature float64) linear {
	l.weight, l.bias = divided(l.weight, temperature), divided(l.bias, temperature)
	return l
}

func (l linear) write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return weights.WriteSafetensors(path, []*weights.Tensor{
		weights.NewTensor("weight", []int{l.classes, l.in}, l.weight),
		weights.NewTensor("bias", []int{l.classes}, l.bias),
	}, nil)
}
