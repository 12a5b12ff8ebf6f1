package train

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/weights"
)

// counters is the name of the tensor that holds the number of updates, of batches, of
// batches whose gradients wait and, unless it is 0, of updates by earlier trainers.
const counters = "counters"

// kept is a variable that is part of the state. All devices have the same values, except
// for gradients that wait for an update, of which each has its own.
type kept struct {
	name     string
	shape    shapes.Shape
	variable *model.Variable
	device   int
}

// kept lists the variables of the state. Gradients are part of it only while they wait
// for an update.
func (t *Trainer) kept(gradients bool) []kept {
	var list []kept
	for _, p := range t.params {
		add := func(scope string, v *model.Variable, device int) {
			if v != nil {
				list = append(list, kept{scope + "/" + p.name, p.shape, v, device})
			}
		}
		add(weightScope, p.weight, 0)
		add(averageScope, p.average, 0)
		for i, slot := range t.opt.Optimizer.slots() {
			if !p.frozen {
				add(slot, p.slots[i], 0)
			}
		}
		if gradients {
			add(gradientScope, p.gradient, 0)
			for d := 1; d < t.devices(); d++ {
				add(fmt.Sprintf("%s@%d", gradientScope, d), p.gradient, d)
			}
		}
	}
	return list
}

// State copies everything that training needs to continue: weights ("model/NAME"), their
// average ("average/NAME"), the optimiser's state under torch's names (such as
// "exp_avg/NAME"), gradients that wait for an update ("gradient/NAME", of further devices
// "gradient@1/NAME") and "counters".
func (t *Trainer) State() ([]*weights.Tensor, error) {
	if t.broken != nil {
		return nil, t.broken
	}
	if t.processes() > 1 && t.pending > 0 {
		return nil, errors.New("train: in the middle of an update, part of the state is with other processes: save it between updates")
	}
	numbers := []int64{int64(t.updates), int64(t.batches), int64(t.pending)}
	if t.began > 0 {
		numbers = append(numbers, int64(t.began))
	}
	list := []*weights.Tensor{weights.NewInt64s(counters, numbers)}
	for _, k := range t.kept(t.pending > 0) {
		tensor, err := t.download(k.name, k.variable, k.device)
		if err != nil {
			return nil, err
		}
		list = append(list, tensor)
	}
	return list, nil
}

// Weights copies the network's weights or their average.
func (t *Trainer) Weights(averaged bool) ([]*weights.Tensor, error) {
	if t.broken != nil {
		return nil, t.broken
	}
	if averaged && t.opt.Average == nil {
		return nil, errNoAverage
	}
	var list []*weights.Tensor
	for _, p := range t.params {
		from := p.weight
		if averaged && p.average != nil {
			from = p.average
		}
		tensor, err := t.download(p.name, from, 0)
		if err != nil {
			return nil, err
		}
		list = append(list, tensor)
	}
	return list, nil
}

// download copies a variable's value from a device.
func (t *Trainer) download(name string, v *model.Variable, device int) (*weights.Tensor, error) {
	value, err := t.valueOn(v, device)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	data, err := tensors.CopyFlatData[float32](value)
	if err != nil {
		return nil, fmt.Errorf("train: copying %s: %w", name, err)
	}
	return weights.NewTensor(name, value.Shape().Dimensions, data), nil
}

// Restore takes back the state of a trainer with the same network and options; training
// then continues to the same bits. It refuses the state of another network or of other
// options, and changes nothing.
func (t *Trainer) Restore(state []*weights.Tensor) error {
	if t.broken != nil {
		return t.broken
	}
	byName := make(map[string]*weights.Tensor, len(state))
	for _, s := range state {
		byName[s.Name] = s
	}
	numbers, err := t.readCounters(byName[counters])
	if err != nil {
		return fmt.Errorf("train: the state doesn't fit: %w", err)
	}
	list := t.kept(numbers[2] > 0)
	if len(byName) != len(list)+1 || len(state) != len(byName) {
		hint := ""
		if numbers[2] > 0 {
			hint = "; gradients wait in it, so the number of devices must be the same"
		}
		return fmt.Errorf("train: the state doesn't fit: it has %d tensors, these options make %d%s", len(state), len(list)+1, hint)
	}
	values := make(map[*model.Variable][]*tensors.Tensor, len(list)) // on each device
	for _, k := range list {
		if err := t.uploadState(values, byName[k.name], k); err != nil {
			for _, v := range values {
				free(v)
			}
			return fmt.Errorf("train: the state doesn't fit: %w", err)
		}
	}
	return t.install(values, numbers)
}

// readCounters checks the counters of a state.
func (t *Trainer) readCounters(tensor *weights.Tensor) ([]int64, error) {
	if tensor == nil {
		return nil, errors.New("it has no counters")
	}
	numbers, err := tensor.Int64s()
	if err != nil {
		return nil, err
	}
	all := numbers
	if len(numbers) == 3 {
		all = append(slices.Clone(numbers), 0)
	}
	if len(all) != 4 || slices.Min(all) < 0 || all[2] > 0 && all[2] >= int64(t.opt.Accumulate) || all[3] > all[0] {
		return nil, fmt.Errorf("its counters are %v", numbers)
	}
	return all, nil
}

// uploadState copies a tensor of a state to the devices that it belongs to: gradients to
// their own, everything else to all.
func (t *Trainer) uploadState(to map[*model.Variable][]*tensors.Tensor, tensor *weights.Tensor, k kept) error {
	if tensor == nil {
		return fmt.Errorf("it has no %s", k.name)
	}
	if tensor.DType != weights.Float32 || !slices.Equal(tensor.Shape, k.shape.Dimensions) {
		return fmt.Errorf("its %s is %s %v, not %s %v", k.name, tensor.DType, tensor.Shape, weights.Float32, k.shape.Dimensions)
	}
	values, err := tensor.Float32s()
	if err != nil {
		return err
	}
	first, last := k.device, k.device
	if !strings.HasPrefix(k.name, gradientScope) {
		last = t.devices() - 1
	}
	for d := first; d <= last; d++ {
		value, err := t.own(k.shape, values, d)
		if err != nil {
			return err
		}
		to[k.variable] = append(to[k.variable], value)
	}
	return nil
}

// install replaces the state with one that has been checked.
func (t *Trainer) install(values map[*model.Variable][]*tensors.Tensor, numbers []int64) error {
	for v, list := range values {
		if err := t.setValue(v, list); err != nil {
			t.broken = fmt.Errorf("train: restoring %s: %w", v.Path(), err)
			return t.broken
		}
	}
	if t.opt.Average != nil { // a frozen weight is its own average
		for _, p := range t.params {
			if p.frozen {
				v := t.store.GetVariable("/" + averageScope + "/" + p.name)
				if err := v.SetValuePreservingOld(p.weight.MustValue()); err != nil {
					t.broken = err
					return err
				}
				t.sameOnOthers(v, p.weight)
			}
		}
	}
	t.updates, t.batches, t.pending, t.began = int(numbers[0]), int(numbers[1]), int(numbers[2]), int(numbers[3])
	return nil
}
