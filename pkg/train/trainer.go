package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/weights"
)

// Where the variables of a trainer's store lie; a slot of the optimiser lies
// under its own name.
const (
	weightScope   = "model"
	averageScope  = "average"
	gradientScope = "gradient"
)

// Trainer trains a network. It isn't safe for concurrent use.
type Trainer struct {
	backend compute.Backend
	net     *Network
	opt     Options
	store   *model.Store
	params  []*parameter // in the order of the network's weights
	groups  []group

	updates int // so far
	batches int // so far, whose number draws stochastic depth
	pending int // batches whose gradients wait for an update
	began   int // updates of the trainers before this one; see Next

	draw    func(batch int) []float32 // draws the factors of stochastic depth
	nothing []float32                 // zeros, while variables are made

	step, accumulate, apply *model.Exec    // step, or the other two if gradients are accumulated
	logits                  [2]*model.Exec // with the weights, with their average
	broken                  error          // why the state on the device is lost
}

// parameter is one weight of the network and what is kept with it; of a frozen
// one, the weight alone.
type parameter struct {
	name              string
	shape             shapes.Shape
	frozen            bool
	group             int
	weight            *model.Variable
	average, gradient *model.Variable // nil where none is kept
	slots             []*model.Variable
}

// group is what the parameters have in common for which the same scalars count.
type group struct{ rateScale, decayScale float64 }

// NewTrainer gives the network's weights to the backend and makes the state that
// the options call for.
func NewTrainer(backend compute.Backend, net *Network, opt Options) (*Trainer, error) {
	if backend == nil {
		return nil, errors.New("train: no backend")
	}
	if err := net.validate(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if err := errors.Join(opt.validate(), opt.Precision.check(backend)); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if net.Objective != nil && (opt.Precision != Float32 || opt.Checkpointing || opt.LabelSmoothing != 0) {
		return nil, errors.New("train: precision, checkpointing and label smoothing belong to networks that classify")
	}
	t := &Trainer{backend: backend, store: model.NewStore()}
	t.start(net, opt)
	trained := 0
	for _, w := range net.Weights {
		p, err := t.newParameter(w)
		if err != nil {
			t.Close()
			return nil, fmt.Errorf("train: weight %s: %w", w.Name, err)
		}
		if t.params = append(t.params, p); !p.frozen {
			trained++
		}
	}
	t.nothing = nil
	if trained == 0 {
		t.Close()
		return nil, errors.New("train: every weight is frozen: there is nothing to train")
	}
	if err := t.newExecs(); err != nil {
		t.Close()
		return nil, fmt.Errorf("train: %w", err)
	}
	return t, nil
}

// Next is a trainer that goes on from this one's weights with another network of
// the same weights or other options, such as without what was frozen. Updates and
// batches are counted on, but the optimiser's state, the average and the schedule
// begin anew, as in a program of its own. Gradients that wait are an error: call
// [Trainer.Flush] first. This trainer stays as it is.
func (t *Trainer) Next(net *Network, opt Options) (*Trainer, error) {
	if t.pending > 0 {
		return nil, fmt.Errorf("train: the gradients of %d batches wait for an update: flush them before the next trainer", t.pending)
	}
	list, err := t.Weights(false)
	if err != nil {
		return nil, err
	}
	on := *net
	on.Weights = list
	next, err := NewTrainer(t.backend, &on, opt)
	if err != nil {
		return nil, err
	}
	next.updates, next.batches, next.began = t.updates, t.batches, t.updates
	return next, nil
}

// start sets what a trainer goes by.
func (t *Trainer) start(net *Network, opt Options) {
	t.net, t.opt = net, opt
	t.draw = func(batch int) []float32 {
		return dropFactors(net.Drop, batch, opt.Seed, uint64(t.batches))
	}
}

// newParameter makes the variables of one weight.
func (t *Trainer) newParameter(w *weights.Tensor) (*parameter, error) {
	defer w.Forget() // or the weights would be in memory twice
	treat := Treatment{RateScale: 1, DecayScale: 1}
	for _, rule := range t.opt.Rules {
		rule(w.Name, w.Shape, &treat)
	}
	if !(treat.RateScale >= 0) || !(treat.DecayScale >= 0) || math.IsInf(treat.RateScale+treat.DecayScale, 0) {
		return nil, fmt.Errorf("the rules scale its learning rate by %g and its decay by %g", treat.RateScale, treat.DecayScale)
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
		if t.opt.Average != nil { // its average is itself
			t.store.VariableWithValue("/"+averageScope+"/"+p.name, p.weight.MustValue())
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
	if t.opt.Accumulate > 1 {
		if p.gradient, err = t.variable(gradientScope, p, zeros); err != nil {
			return nil, err
		}
	}
	if t.opt.Average != nil {
		p.average, err = t.variable(averageScope, p, values)
	}
	return p, err
}

// group is the number of a group, which is made if it is new.
func (t *Trainer) group(g group) int {
	for i, have := range t.groups {
		if have == g {
			return i
		}
	}
	t.groups = append(t.groups, g)
	return len(t.groups) - 1
}

// zeros is so many; what it gave before is overwritten by nobody.
func (t *Trainer) zeros(n int) []float32 {
	if n > len(t.nothing) {
		t.nothing = make([]float32, n)
	}
	return t.nothing[:n]
}

func (t *Trainer) variable(scope string, p *parameter, values []float32) (*model.Variable, error) {
	value, err := t.own(p.shape, values)
	if err != nil {
		return nil, err
	}
	return t.store.VariableWithValue("/"+scope+"/"+p.name, value), nil
}

// own copies values to memory that is the backend's own. That which GoMLX shares with it,
// as it does for inputs, can't be given away to a step, which would then need all that
// changes twice.
func (t *Trainer) own(shape shapes.Shape, values []float32) (*tensors.Tensor, error) {
	buffer, err := t.backend.BufferFromFlatData(0, values, shape)
	if err != nil {
		return nil, err
	}
	return tensors.FromBuffer(buffer)
}

// upload copies values to the backend.
func (t *Trainer) upload(shape shapes.Shape, values []float32) (*tensors.Tensor, error) {
	return tensors.FromRaw(t.backend, 0, shape, dtypes.UnsafeByteSliceFromAny(values))
}

func (t *Trainer) newExecs() error {
	var errs []error
	exec := func(build func(*model.Scope, []*graph.Node) []*graph.Node) *model.Exec {
		e, err := model.NewExec(t.backend, t.store, build)
		errs = append(errs, err)
		return e
	}
	if t.opt.Accumulate > 1 {
		t.accumulate, t.apply = exec(t.accumulateGraph), exec(t.applyGraph)
	} else {
		t.step = exec(t.stepGraph)
	}
	t.logits[0] = exec(t.logitsGraph(weightScope))
	if t.opt.Average != nil {
		t.logits[1] = exec(t.logitsGraph(averageScope))
	}
	return errors.Join(errs...)
}

// Updates is the number of updates so far.
func (t *Trainer) Updates() int { return t.updates }

// Close frees what the trainer holds on the device. It is of no use afterwards.
func (t *Trainer) Close() error {
	for _, e := range []*model.Exec{t.step, t.accumulate, t.apply, t.logits[0], t.logits[1]} {
		if e != nil {
			e.Finalize()
		}
	}
	t.store.Finalize()
	t.broken = errors.New("train: the trainer is closed")
	return nil
}

// call runs a program. If it changes variables their old values are given away,
// so a failure leaves none: the trainer then goes no further.
func (t *Trainer) call(e *model.Exec, changes bool, inputs ...*tensors.Tensor) (values []float32, err error) {
	args := make([]any, len(inputs))
	for i, in := range inputs {
		args[i] = in
		defer in.FinalizeAll()
	}
	var results []*tensors.Tensor
	if caught := exceptions.TryCatch[error](func() { results, err = e.Call(args...) }); caught != nil {
		err = caught
	}
	if err != nil {
		err = fmt.Errorf("train: after %d updates: %w", t.updates, err)
		if changes {
			t.broken = err
		}
		return nil, err
	}
	defer results[0].FinalizeAll()
	return tensors.CopyFlatData[float32](results[0])
}
