package train

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

var errObjective = errors.New("train: the network has an objective of its own: give its inputs to Trainer.StepInputs")

// StepInputs is [Trainer.Step] for a network with an objective of its own, such as
// [Captioner]: images [batch, channels, height, width] and what the objective
// takes beside them.
func (t *Trainer) StepInputs(images []float32, inputs ...Values) (Metrics, error) {
	batch, list, err := t.objectiveInputs(images, inputs)
	if err != nil {
		return Metrics{}, err
	}
	return t.stepOn(batch, list)
}

// objectiveInputs gives a batch to the backend.
func (t *Trainer) objectiveInputs(images []float32, inputs []Values) (int, []*tensors.Tensor, error) {
	batch, err := t.batchSize(images)
	if err == nil && t.net.Objective == nil {
		err = errors.New("train: the network classifies: it has no objective of its own")
	}
	if err != nil {
		return 0, nil, err
	}
	first, err := t.upload(t.imageShape(batch), images)
	list := []*tensors.Tensor{first}
	for i, v := range inputs {
		if err != nil {
			break
		}
		var next *tensors.Tensor
		if next, err = v.tensor(t.backend); err != nil {
			err = fmt.Errorf("input %d: %w", i, err)
		}
		list = append(list, next)
	}
	if err != nil {
		for _, in := range list {
			if in != nil {
				in.FinalizeAll()
			}
		}
		return 0, nil, fmt.Errorf("train: %w", err)
	}
	return batch, list, nil
}

// tensor gives the values to the backend.
func (v Values) tensor(backend compute.Backend) (*tensors.Tensor, error) {
	size := 1
	for _, n := range v.Shape {
		if n < 1 {
			return nil, fmt.Errorf("values of shape %v", v.Shape)
		}
		size *= n
	}
	have, dtype, bytes := len(v.Floats), dtypes.Float32, dtypes.UnsafeByteSliceFromAny(v.Floats)
	if v.Ints != nil {
		have, dtype, bytes = len(v.Ints), dtypes.Int32, dtypes.UnsafeByteSliceFromAny(v.Ints)
	}
	if have != size || v.Floats != nil && v.Ints != nil {
		return nil, fmt.Errorf("%d floats and %d integers, where the shape is %v", len(v.Floats), len(v.Ints), v.Shape)
	}
	return tensors.FromRaw(backend, 0, shapes.Make(dtype, v.Shape...), bytes)
}

// evaluateObjective adds a batch to an evaluation.
func (t *Trainer) evaluateObjective(b Batch, averaged bool, e *Evaluation) error {
	exec := t.logits[0]
	if averaged {
		if exec = t.logits[1]; exec == nil {
			return errNoAverage
		}
	}
	_, inputs, err := t.objectiveInputs(b.Images, b.Inputs)
	if err != nil {
		return err
	}
	out, err := t.call(exec, false, inputs...)
	if err != nil {
		return err
	}
	e.Loss += float64(out[0]) * float64(out[2])
	e.Correct += int(out[1])
	e.Total += int(out[2])
	return nil
}
