package main

import (
	"errors"

	"github.com/gomlx/compute"

	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// prepareExplain's answer is the maps of a method for the predicted classes, [batch,
// patches].
func prepareExplain(b compute.Backend, t task) ([]float32, work, error) {
	m, err := vit.Load(t.Weights)
	if err != nil {
		return nil, nil, err
	}
	explainer, err := explain.NewExplainer(b, m)
	if err != nil {
		return nil, nil, errors.Join(err, m.Close())
	}
	images, err := readFloats(t.Input)
	if err != nil {
		return nil, nil, err
	}
	var pictures []*transform.Tensor
	each := t.Shape[1] * t.Shape[2] * t.Shape[3]
	for i := range t.Shape[0] {
		pictures = append(pictures, &transform.Tensor{Shape: [3]int(t.Shape[1:]), Data: images[i*each : (i+1)*each]})
	}
	o := explain.Options{Settings: explain.Settings{Steps: t.Steps}}
	x, err := explainer.Explain(t.Method, pictures, o)
	if err != nil {
		return nil, nil, err
	}
	var answer []float32
	for _, m := range x.Maps {
		answer = append(answer, m.Values...)
	}
	return answer, func() error { _, err := explainer.Explain(t.Method, pictures, o); return err }, nil
}
