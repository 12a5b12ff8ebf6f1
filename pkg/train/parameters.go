package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/weights"
)

// The scopes of a trainer's variables. A slot of the optimiser is a scope of its own.
const (
	weightScope   = "model"
	averageScope  = "average"
	gradientScope = "gradient"
)

// parameter is one weight of the network and what is kept for it. A frozen parameter
// has only its weight.
type parameter struct {
	name              string
	shape             shapes.Shape
	frozen            bool
	group             int
	weight            *model.Variable
	average, gradient *model.Variable // nil if none is kept
	slots             []*model.Variable
}

// group is the parameters that share the optimiser's scalars.
type group struct{ rateScale, decayScale float64 }

// newParameters creates the variables of all weights.
func (t *Trainer) newParameters() error {
	for _, w := range t.net.Weights {
		p, err := t.newParameter(w)
		if err != nil {
			return fmt.Errorf("train: weight %s: %w", w.Name, err)
		}
		t.params = append(t.params, p)
	}
	t.zeroes = nil
	if len(t.trained()) == 0 {
		return errors.New("train: every weight is frozen: there is nothing to train")
	}
	return nil
}

// newParameter creates the variables of one weight.
func (t *Trainer) newParameter(w *weights.Tensor) (*parameter, error) {
	defer w.Forget() // or the weights would be in memory twice
	treat := Treatment{RateScale: 1, DecayScale: 1}
	for _, rule := range t.opt.Rules {
		rule(w.Name, w.Shape, &treat)
	}
	if t.net.Frozen != nil {
		treat.Frozen = treat.Frozen || t.net.Frozen(w.Name)
	}
	if !(treat.RateScale >= 0) || !(treat.DecayScale >= 0) || math.IsInf(treat.RateScale+treat.DecayScale, 0) {
		return nil, fmt.Errorf("the rules scale its learning rate by %g and its decay by %g: both must be finite and not negative", treat.RateScale, treat.DecayScale)
	}
	values, err := w.Float32s()
	if err != nil {
		return nil, err
	}
	p := &parameter{name: w.Name, shape: shapes.Make(dtypes.Float32, w.Shape...), frozen: treat.Frozen}
	if p.weight, err = t.variable(weightScope, p, values); err != nil {
		return nil, err
	}
	if p.frozen {
		if t.opt.Average != nil { // a frozen weight is its own average
			v := t.store.VariableWithValue("/"+averageScope+"/"+p.name, p.weight.MustValue())
			t.sameOnOthers(v, p.weight)
		}
		return p, nil
	}
	p.group = t.group(group{treat.RateScale, treat.DecayScale})
	zeros := t.zeros(len(values))
	for _, slot := range t.opt.Optimizer.slots() {
		v, err := t.variable(slot, p, zeros)
		if err != nil {
			return nil, err
		}
		p.slots = append(p.slots, v)
	}
	if t.accumulates() {
		if p.gradient, err = t.variable(gradientScope, p, zeros); err != nil {
			return nil, err
		}
	}
	if t.opt.Average != nil {
		p.average, err = t.variable(averageScope, p, values)
	}
	return p, err
}

// trained is the parameters that aren't frozen.
func (t *Trainer) trained() []*parameter {
	var list []*parameter
	for _, p := range t.params {
		if !p.frozen {
			list = append(list, p)
		}
	}
	return list
}

// group returns the number of a group, which it adds if it is new.
func (t *Trainer) group(g group) int {
	for i, have := range t.groups {
		if have == g {
			return i
		}
	}
	t.groups = append(t.groups, g)
	return len(t.groups) - 1
}

// zeros returns n zeros. All calls share one slice, which must not be written to.
func (t *Trainer) zeros(n int) []float32 {
	if n > len(t.zeroes) {
		t.zeroes = make([]float32, n)
	}
	return t.zeroes[:n]
}

func (t *Trainer) variable(scope string, p *parameter, values []float32) (*model.Variable, error) {
	value, err := t.own(p.shape, values, 0)
	if err != nil {
		return nil, err
	}
	v := t.store.VariableWithValue("/"+scope+"/"+p.name, value)
	for d := 1; d < t.devices(); d++ {
		if value, err = t.own(p.shape, values, d); err != nil {
			return nil, err
		}
		t.others[v] = append(t.others[v], value)
	}
	return v, nil
}

// own copies values into memory of a device that belongs to the backend. Memory that
// GoMLX shares with the backend, as it does for inputs, can't be donated to a step, which
// would then need every variable that it changes twice.
func (t *Trainer) own(shape shapes.Shape, values []float32, device int) (*tensors.Tensor, error) {
	buffer, err := t.backend.BufferFromFlatData(compute.DeviceNum(device), values, shape)
	if err != nil {
		return nil, err
	}
	return tensors.FromBuffer(buffer)
}

func free(list []*tensors.Tensor) {
	for _, value := range list {
		value.FinalizeAll()
	}
}

// sameOnOthers lets a variable have the values of another on the devices after the first.
func (t *Trainer) sameOnOthers(v, as *model.Variable) {
	if others := t.others[as]; len(others) > 0 {
		t.others[v] = others
	}
}
