package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
)

// Step trains on a batch. images is [batch, channels, height, width], row-major,
// preprocessed; labels are the pictures' classes. The weights change with every
// step or, with Options.Accumulate, with every so many; at the end of an epoch
// call [Trainer.Flush].
//
// A loss or gradient that isn't finite is a [NotFiniteError].
func (t *Trainer) Step(images []float32, labels []int) (Metrics, error) {
	if t.net.Objective != nil {
		return Metrics{}, errObjective
	}
	targets, err := oneHot(labels, t.net.Classes)
	if err != nil {
		return Metrics{}, fmt.Errorf("train: %w", err)
	}
	return t.StepTargets(images, targets)
}

// stepBatch trains on a source's batch.
func (t *Trainer) stepBatch(b Batch) (Metrics, error) {
	if t.net.Objective != nil {
		return t.StepInputs(b.Images, b.Inputs...)
	}
	if b.Targets != nil {
		return t.StepTargets(b.Images, b.Targets)
	}
	return t.Step(b.Images, b.Labels)
}

// StepTargets is [Trainer.Step] for targets that are probabilities, [batch,
// classes], as mixing pictures makes them.
func (t *Trainer) StepTargets(images, targets []float32) (Metrics, error) {
	batch, err := t.batchSize(images)
	if err == nil && t.net.Objective != nil {
		err = errObjective
	}
	if err == nil && len(targets) != batch*t.net.Classes {
		err = fmt.Errorf("train: %d target values for %d pictures of %d classes", len(targets), batch, t.net.Classes)
	}
	if err != nil {
		return Metrics{}, err
	}
	inputs, err := t.inputs(images, targets, batch)
	if err != nil {
		return Metrics{}, err
	}
	return t.stepOn(batch, inputs)
}

// stepOn trains on a batch that the backend has.
func (t *Trainer) stepOn(batch int, inputs []*tensors.Tensor) (Metrics, error) {
	m := Metrics{Batch: batch, Update: t.updates}
	if t.opt.Accumulate > 1 {
		return t.accumulateStep(m, inputs)
	}
	scalars, rate, err := t.scalars()
	if err != nil {
		return m, err
	}
	out, err := t.call(t.step, true, append(inputs, scalars)...)
	if err != nil {
		return m, err
	}
	t.batches++
	t.updates++
	m.Loss, m.Correct, m.Answers, m.GradNorm = float64(out[0]), int(out[1]), int(out[2]), float64(out[3])
	m.Updated, m.Update, m.Rate = true, t.updates, rate
	return m, m.check()
}

// accumulateStep adds a batch's gradients and updates when they are enough.
func (t *Trainer) accumulateStep(m Metrics, inputs []*tensors.Tensor) (Metrics, error) {
	waits, err := t.upload(shapes.Make(dtypes.Float32, 1), []float32{float32(min(t.pending, 1))})
	if err != nil {
		return m, fmt.Errorf("train: %w", err)
	}
	out, err := t.call(t.accumulate, true, append(inputs, waits)...)
	if err != nil {
		return m, err
	}
	t.batches++
	t.pending++
	m.Loss, m.Correct, m.Answers = float64(out[0]), int(out[1]), int(out[2])
	if err := m.check(); err != nil || t.pending < t.opt.Accumulate {
		return m, err
	}
	applied, err := t.Flush()
	m.Updated, m.Update, m.GradNorm, m.Rate = applied.Updated, applied.Update, applied.GradNorm, applied.Rate
	return m, err
}

// Flush updates with the gradients that have been accumulated, fewer than
// Options.Accumulate, and tells of that update; if there are none it does
// nothing.
func (t *Trainer) Flush() (Metrics, error) {
	m := Metrics{Update: t.updates}
	if t.broken != nil {
		return m, t.broken
	}
	if t.pending == 0 {
		return m, nil
	}
	scalars, rate, err := t.scalars()
	if err != nil {
		return m, err
	}
	out, err := t.call(t.apply, true, scalars)
	if err != nil {
		return m, err
	}
	t.pending = 0
	t.updates++
	m.Updated, m.Update, m.GradNorm, m.Rate = true, t.updates, float64(out[0]), rate
	return m, m.check()
}

// Logits runs the network on pictures [batch, channels, height, width], as they
// are classified, with the weights or with their average: [batch, classes].
func (t *Trainer) Logits(images []float32, averaged bool) ([]float32, error) {
	batch, err := t.batchSize(images)
	if err != nil {
		return nil, err
	}
	exec := t.logits[0]
	if averaged {
		if exec = t.logits[1]; exec == nil {
			return nil, errNoAverage
		}
	}
	input, err := t.upload(t.imageShape(batch), images)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return t.call(exec, false, input)
}

var errNoAverage = errors.New("train: no average of the weights is kept: set Options.Average")

// check is the error of metrics that aren't finite.
func (m Metrics) check() error {
	if sum := m.Loss + m.GradNorm; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return &NotFiniteError{m}
	}
	return nil
}

// batchSize is how many pictures the values are.
func (t *Trainer) batchSize(images []float32) (int, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	in := t.net.Input
	each := in[0] * in[1] * in[2]
	if len(images) == 0 || len(images)%each != 0 {
		return 0, fmt.Errorf("train: %d values aren't pictures of %d channels, %d×%d", len(images), in[0], in[1], in[2])
	}
	return len(images) / each, nil
}

func (t *Trainer) imageShape(batch int) shapes.Shape {
	return shapes.Make(dtypes.Float32, batch, t.net.Input[0], t.net.Input[1], t.net.Input[2])
}

// inputs gives a batch to the backend: images, smoothed targets, classes, and
// factors if branches are dropped.
func (t *Trainer) inputs(images, targets []float32, batch int) ([]*tensors.Tensor, error) {
	list := []struct {
		shape  shapes.Shape
		values []float32
	}{
		{t.imageShape(batch), images},
		{shapes.Make(dtypes.Float32, batch, t.net.Classes), smooth(targets, t.net.Classes, t.opt.LabelSmoothing)},
		{shapes.Make(dtypes.Float32, batch), greatest(targets, t.net.Classes)},
	}
	if n := len(t.net.Drop); n > 0 {
		list = append(list, list[0])
		list[3].shape = shapes.Make(dtypes.Float32, n, batch)
		list[3].values = t.draw(batch)
	}
	var inputs []*tensors.Tensor
	for _, in := range list {
		tensor, err := t.upload(in.shape, in.values)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		inputs = append(inputs, tensor)
	}
	return inputs, nil
}

// scalars is what the next update needs of the host, and its learning rate.
func (t *Trainer) scalars() (*tensors.Tensor, float64, error) {
	own := t.updates - t.began // updates of this trainer
	rate := t.opt.Schedule(own)
	if math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
		return nil, 0, fmt.Errorf("train: the schedule gives a learning rate of %g for update %d", rate, t.updates)
	}
	batches := t.pending
	if t.opt.DivideByAccumulate {
		batches = t.opt.Accumulate
	}
	list := make([]float64, commonScalars)
	list[scalarShare] = 1 / float64(max(batches, 1))
	if a := t.opt.Average; a != nil {
		list[scalarDecay] = a.decay(own + 1)
		list[scalarEnters] = 1 - list[scalarDecay]
	}
	for _, g := range t.groups {
		list = append(list, t.opt.Optimizer.scalars(own+1, rate*g.rateScale, g.decayScale)...)
	}
	values := make([]float32, len(list))
	for i, v := range list {
		values[i] = float32(v)
	}
	tensor, err := t.upload(shapes.Make(dtypes.Float32, len(values)), values)
	if err != nil {
		return nil, 0, fmt.Errorf("train: %w", err)
	}
	return tensor, rate, nil
}
