package main

import (
	"errors"

	"github.com/gomlx/compute"

	"gaze/pkg/train"
	"gaze/pkg/vit"
)

// prepareInference's answer is the logits [batch, classes] or, for attention, the [class]
// token's attention in all layers [batch, layers, heads, patches].
func prepareInference(b compute.Backend, t task) ([]float32, work, error) {
	m, err := vit.Load(t.Weights)
	if err != nil {
		return nil, nil, err
	}
	var options []vit.RunnerOption
	if t.Precision == "bfloat16" {
		options = append(options, vit.InBFloat16)
	}
	runner, err := vit.NewRunner(b, m, options...)
	if err != nil {
		return nil, nil, errors.Join(err, m.Close())
	}
	images, err := readFloats(t.Input)
	if err != nil {
		return nil, nil, err
	}
	want := vit.Want{Logits: true}
	if t.Kind == "attention" {
		want = vit.Want{ClassAttention: m.Config.AllLayers()}
	}
	once := func() error {
		_, err := runner.Run(images, t.Shape, want)
		return err
	}
	out, err := runner.Run(images, t.Shape, want)
	if err != nil {
		return nil, nil, err
	}
	if t.Kind == "attention" {
		return out.ClassAttention.Values, once, nil
	}
	return out.Logits.Values, once, nil
}

// prepareTraining's answer is the losses of the first updates.
func prepareTraining(b compute.Backend, t task) ([]float32, work, error) {
	m, err := vit.Load(t.Weights)
	if err != nil {
		return nil, nil, err
	}
	net, err := train.ViT(m, 0, 0)
	if err != nil {
		return nil, nil, err
	}
	precision := train.Float32
	if t.Precision == "bfloat16" {
		precision = train.BFloat16
	}
	trainer, err := train.NewTrainer(b, net, train.Options{
		Precision: precision, Optimizer: train.NewAdam(), Schedule: train.Constant(t.Rate), Accumulate: t.Accumulate, Checkpointing: t.Checkpointing,
	})
	if err != nil {
		return nil, nil, err
	}
	images, err := readFloats(t.Input)
	if err != nil {
		return nil, nil, err
	}
	update := func() (loss float64, err error) {
		pixels, labels := len(images)/t.Accumulate, len(t.Labels)/t.Accumulate
		for i := range t.Accumulate {
			m, err := trainer.Step(train.Batch{Images: images[i*pixels : (i+1)*pixels], Labels: t.Labels[i*labels : (i+1)*labels]})
			if err != nil {
				return 0, err
			}
			loss += m.Loss / float64(t.Accumulate)
		}
		return loss, nil
	}
	var losses []float32
	for range t.Losses {
		loss, err := update()
		if err != nil {
			return nil, nil, err
		}
		losses = append(losses, float32(loss))
	}
	return losses, func() error { _, err := update(); return err }, nil
}
