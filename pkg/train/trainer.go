package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/nn"
	"gaze/pkg/weights"
)

// Network is what a [Trainer] trains: weights to start from, and the loss that they
// have on a batch.
type Network struct {
	Weights []*weights.Tensor // float32, under the names by which Loss reads them
	Input   [3]int            // channels, height and width of a picture
	Loss    Loss
	// Drop is stochastic depth: for each residual branch, the probability that a
	// picture skips it in training. Empty means none.
	Drop []float64
	// Frozen says which weights no rule can have trained, such as the statistics of batch
	// norms; nil: none.
	Frozen func(name string) bool
}

func (n *Network) validate() error {
	switch {
	case n == nil || n.Loss.graph == nil || len(n.Weights) == 0:
		return errors.New("there is no network to train: it needs weights and a loss")
	case n.Loss.fixed && len(n.Drop) > 0:
		return errors.New("the network's loss has no stochastic depth: leave Drop empty")
	case n.Input[0] < 1 || n.Input[1] < 1 || n.Input[2] < 1:
		return fmt.Errorf("the network takes pictures of shape %v: channels, height and width must be at least 1", n.Input)
	}
	for _, rate := range n.Drop {
		if !(rate >= 0 && rate < 1) {
			return fmt.Errorf("a branch is dropped with probability %g: it must be at least 0 and less than 1", rate)
		}
	}
	seen := map[string]bool{}
	for _, w := range n.Weights {
		if seen[w.Name] {
			return fmt.Errorf("two weights are called %s", w.Name)
		}
		seen[w.Name] = true
		values, err := w.Float32s()
		if err != nil {
			return err
		}
		for i, v := range values {
			if v-v != 0 {
				return fmt.Errorf("weight %s holds %v at index %d: start from weights that are all finite", w.Name, v, i)
			}
		}
	}
	return nil
}

// Trainer trains a network. It isn't safe for concurrent use.
type Trainer struct {
	backend compute.Backend
	net     *Network
	opt     Options
	store   *model.Store
	params  []*parameter // in the order of the network's weights
	groups  []group

	updates int // updates so far
	batches int // batches so far; the number of a batch seeds its DropPath mask
	pending int // batches whose gradients are accumulated but not applied yet
	began   int // updates made by the trainers before this one; see Next

	dropPath func(batch int) []float32 // draws the DropPath mask of a batch
	zeroes   []float32                 // shared by the variables that start at zero

	step              *program    // one batch, one update; nil if gradients are accumulated
	accumulate, apply *program    // in place of step if gradients are accumulated
	outputs           [2]*program // of the weights, and of their average if there is one
	broken            error       // why the state on the device is lost, if it is

	others map[*model.Variable][]*tensors.Tensor // values on the devices after the first
	host   []float32                             // all gradients, to add up those of several processes
}

// NewTrainer copies the network's weights to the backend and creates the state that
// the options need.
func NewTrainer(backend compute.Backend, net *Network, opt Options) (*Trainer, error) {
	if backend == nil {
		return nil, errors.New("train: no backend")
	}
	if err := net.validate(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if err := errors.Join(opt.validate(), opt.Precision.check(backend), checkDevices(backend, net, opt)); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if net.Loss.fixed && (opt.Precision != Float32 || opt.Checkpointing) {
		return nil, errors.New("train: the network's loss is computed in float32 and keeps every block: leave out bfloat16 and checkpointing")
	}
	t := &Trainer{backend: backend, store: model.NewStore(), others: map[*model.Variable][]*tensors.Tensor{}}
	t.start(net, opt)
	if err := t.newParameters(); err != nil {
		t.Close()
		return nil, err
	}
	if err := t.newExecs(); err != nil {
		t.Close()
		return nil, fmt.Errorf("train: %w", err)
	}
	return t, nil
}

// start takes the network and the options that the next steps use.
func (t *Trainer) start(net *Network, opt Options) {
	t.net, t.opt = net, opt
	t.dropPath = func(batch int) []float32 {
		return dropPathMask(net.Drop, batch, opt.Seed, uint64(t.batches))
	}
}

func (t *Trainer) newExecs() error {
	var errs []error
	exec := func(name string, build func(*model.Scope, []*Node) []*Node) *program {
		p, err := t.newProgram(name, build)
		errs = append(errs, err)
		return p
	}
	if t.accumulates() {
		t.accumulate, t.apply = exec("accumulate", t.accumulateGraph), exec("apply", t.applyGraph)
	} else {
		t.step = exec("step", t.stepGraph)
	}
	t.outputs[0] = exec("outputs", t.outputsGraph(weightScope))
	if t.opt.Average != nil {
		t.outputs[1] = exec("outputs of the average", t.outputsGraph(averageScope))
	}
	return errors.Join(errs...)
}

// Next returns a trainer that continues from this one's weights with another network
// that has the same weights, or with other options; for example to train what was
// frozen so far. It counts updates and batches on, but the optimiser's state, the
// average and the schedule start afresh, as they would in a separate program.
// Accumulated gradients are an error: call [Trainer.Flush] first. This trainer isn't
// changed.
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

// Updates is the number of updates so far.
func (t *Trainer) Updates() int { return t.updates }

// Close frees what the trainer holds on the device. It can't be used afterwards.
func (t *Trainer) Close() error {
	for _, p := range []*program{t.step, t.accumulate, t.apply, t.outputs[0], t.outputs[1]} {
		p.finalize()
	}
	for _, others := range t.others {
		for _, value := range others {
			value.FinalizeAll()
		}
	}
	t.others = nil
	t.store.Finalize()
	t.broken = errors.New("train: the trainer is closed")
	return nil
}

// Step trains on a batch. Every step updates the weights or, with Options.Accumulate,
// every Accumulate-th; call [Trainer.Flush] at the end of an epoch.
//
// A loss or gradient that isn't finite is a [NotFiniteError].
func (t *Trainer) Step(b Batch) (Metrics, error) {
	n, err := t.pictures(b)
	if err != nil {
		return Metrics{}, err
	}
	inputs, err := t.net.Loss.inputs(b, n)
	if err != nil {
		return Metrics{}, fmt.Errorf("train: %w", err)
	}
	inputs = append([]Values{t.images(b, n)}, inputs...)
	if branches := len(t.net.Drop); branches > 0 {
		inputs = append(inputs, Values{Shape: []int{branches, n}, Floats: t.dropPath(n), axis: 1})
	}
	for i, v := range inputs {
		inputs[i] = v.part(t.rank(), t.processes())
	}
	if t.divides() {
		inputs = append(inputs, t.shareOf(n))
	}
	m := Metrics{Batch: n, Update: t.updates}
	if t.accumulates() {
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
	m.add(out, t.devices())
	m.GradNorm = float64(out[3])
	m.Updated, m.Update, m.Rate = true, t.updates, rate
	return m, m.check()
}

// accumulateStep adds a batch's gradients to those before, and updates once there are
// Options.Accumulate of them.
func (t *Trainer) accumulateStep(m Metrics, inputs []Values) (Metrics, error) {
	out, err := t.call(t.accumulate, true, append(inputs, everywhere(float32(min(t.pending, 1))))...)
	if err != nil {
		return m, err
	}
	t.batches++
	t.pending++
	m.add(out, t.devices())
	if err := t.sumMetrics(&m); err != nil {
		return m, err
	}
	if err := m.check(); err != nil || t.pending < t.opt.Accumulate {
		return m, err
	}
	applied, err := t.Flush()
	m.Updated, m.Update, m.GradNorm, m.Rate = applied.Updated, applied.Update, applied.GradNorm, applied.Rate
	return m, err
}

// Flush updates the weights with the gradients of an incomplete group, fewer batches
// than Options.Accumulate, and returns the metrics of that update. It does nothing if
// no gradients wait.
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
	if err := t.sumGradients(); err != nil {
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

// Outputs runs the network on a batch as it is evaluated, without dropping branches,
// with the weights or with their average. A classifier's outputs are the logits,
// [batch, classes]; it needs only the images of the batch.
func (t *Trainer) Outputs(b Batch, averaged bool) ([]float32, error) {
	n, err := t.pictures(b)
	if err != nil {
		return nil, err
	}
	if err := b.checkInputs(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	exec := t.outputs[0]
	if averaged {
		if exec = t.outputs[1]; exec == nil {
			return nil, errNoAverage
		}
	}
	out, err := t.call(exec, false, append([]Values{t.images(b, n)}, b.Inputs...)...)
	if devices := t.devices(); err == nil && devices > 1 {
		out = out[:len(out)/(devices*partOf(n, devices))*n]
	}
	return out, err
}

var errNoAverage = errors.New("train: no average of the weights is kept: set Options.Average")

// pictures is the number of pictures in a batch.
func (t *Trainer) pictures(b Batch) (int, error) {
	if t.broken != nil {
		return 0, t.broken
	}
	in := t.net.Input
	each := in[0] * in[1] * in[2]
	if len(b.Images) == 0 || len(b.Images)%each != 0 {
		return 0, fmt.Errorf("train: %d values aren't pictures of %d channels, %d×%d", len(b.Images), in[0], in[1], in[2])
	}
	return len(b.Images) / each, nil
}

func (t *Trainer) images(b Batch, pictures int) Values {
	return Values{Shape: append([]int{pictures}, t.net.Input[:]...), Floats: b.Images}
}

// The scalars of an update: these, followed by the optimiser's for each group.
const (
	scalarShare   = iota // multiplies the accumulated gradients
	scalarDecay          // of the average
	scalarEnters         // 1 minus that
	commonScalars        // how many there are
)

// scalars computes on the host what changes from update to update, so that no schedule
// compiles a program twice. It also returns the learning rate.
func (t *Trainer) scalars() (Values, float64, error) {
	own := t.updates - t.began // updates of this trainer
	rate := t.opt.Schedule(own)
	if math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
		return Values{}, 0, fmt.Errorf("train: the schedule gives a learning rate of %g for update %d: it must be finite and not negative", rate, t.updates)
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
	return everywhere(values...), rate, nil
}

// stepGraph is one batch and one update. Inputs: as backward, then the scalars.
// Output: loss, correct, answers, norm of the gradients.
func (t *Trainer) stepGraph(_ *model.Scope, inputs []*Node) []*Node {
	last := len(inputs) - 1
	s, gradients := t.backward(inputs[:last])
	norm := t.update(inputs[last], t.sumOver(gradients))
	return []*Node{Stack([]*Node{s.Loss, s.Correct, s.Answers, norm}, 0)}
}

// accumulateGraph adds a batch's gradients to those that wait. Inputs: as backward,
// then 0 if no gradients wait, in which case their variables are ignored, else 1.
// Output: loss, correct, answers.
func (t *Trainer) accumulateGraph(_ *model.Scope, inputs []*Node) []*Node {
	last := len(inputs) - 1
	s, gradients := t.backward(inputs[:last])
	waits := element(inputs[last], 0)
	for i, p := range t.trained() {
		waiting := p.gradient.NodeValue(s.Loss)
		waiting = Where(GreaterThan(waits, ScalarZero(waits.Graph(), waits.DType())), waiting, ZerosLike(waiting))
		p.gradient.SetNodeValue(Add(waiting, gradients[i]))
	}
	return []*Node{Stack([]*Node{s.Loss, s.Correct, s.Answers}, 0)}
}

// applyGraph updates with the gradients that wait. Input: the scalars. Output: the norm
// of the gradients.
func (t *Trainer) applyGraph(_ *model.Scope, inputs []*Node) []*Node {
	scalars := inputs[0]
	share := element(scalars, scalarShare)
	var gradients []*Node
	for _, p := range t.trained() {
		gradients = append(gradients, Mul(p.gradient.NodeValue(scalars), share))
	}
	return []*Node{Reshape(t.update(scalars, t.sumOver(gradients)), 1)}
}

// outputsGraph runs the network as it is evaluated, with the weights in a scope.
// Inputs: the images, then Batch.Inputs.
func (t *Trainer) outputsGraph(scope string) func(*model.Scope, []*Node) []*Node {
	return func(_ *model.Scope, inputs []*Node) []*Node {
		return []*Node{t.net.Loss.outputs(t.store.Scope("/"+scope), inputs[0], inputs[1:])}
	}
}

// backward computes the loss of a batch and its gradients by the trained weights. On
// several devices, it computes what a device's part adds to them. Inputs: the images, the
// loss's inputs, the DropPath mask if branches are dropped, and shareOf on several devices.
func (t *Trainer) backward(inputs []*Node) (s Score, gradients []*Node) {
	how := nn.Training{BFloat16: t.opt.Precision == BFloat16, Checkpoint: t.opt.Checkpointing}
	var share *Node
	if last := len(inputs) - 1; t.divides() {
		share, inputs = element(inputs[last], 0), inputs[:last]
	}
	if last := len(inputs) - 1; len(t.net.Drop) > 0 {
		how.DropPath, inputs = inputs[last], inputs[:last]
	}
	s = t.net.Loss.graph(t.store.Scope("/"+weightScope), inputs[0], inputs[1:], how)
	if share != nil {
		s.Loss = Mul(s.Loss, share)
	}
	var by []*Node
	for _, p := range t.trained() {
		by = append(by, p.weight.NodeValue(s.Loss))
	}
	return s, Gradient(s.Loss, by...)
}

// update clips the gradients, sets every trained weight, its slots and its average, and
// returns the norm of all gradients before clipping.
func (t *Trainer) update(scalars *Node, gradients []*Node) (norm *Node) {
	norm = globalNorm(gradients)
	if t.opt.ClipNorm > 0 {
		gradients = clip(gradients, norm, t.opt.ClipNorm)
	}
	for i, p := range t.trained() {
		var slots []*Node
		for _, v := range p.slots {
			slots = append(slots, v.NodeValue(scalars))
		}
		weight, slots := t.opt.Optimizer.update(t.groupScalars(scalars, p.group), slots, p.weight.NodeValue(scalars), gradients[i])
		p.weight.SetNodeValue(weight)
		for k, v := range p.slots {
			v.SetNodeValue(slots[k])
		}
		if p.average != nil {
			old := Mul(p.average.NodeValue(scalars), element(scalars, scalarDecay))
			p.average.SetNodeValue(Add(old, Mul(weight, element(scalars, scalarEnters))))
		}
	}
	return norm
}

// globalNorm is the Euclidean norm of all gradients together.
func globalNorm(gradients []*Node) *Node {
	var sum *Node
	for _, g := range gradients {
		s := ReduceAllSum(Square(g))
		if sum == nil {
			sum = s
		} else {
			sum = Add(sum, s)
		}
	}
	return Sqrt(sum)
}

// clip scales the gradients to a norm of at most bound, as
// torch.nn.utils.clip_grad_norm_ does: by bound/(norm+1e-6), never up.
func clip(gradients []*Node, norm *Node, bound float64) []*Node {
	factor := MinScalar(Div(Scalar(norm.Graph(), norm.DType(), bound), AddScalar(norm, 1e-6)), 1.0)
	clipped := make([]*Node, len(gradients))
	for i, g := range gradients {
		clipped[i] = Mul(g, factor)
	}
	return clipped
}

// groupScalars is the optimiser's scalars for a group.
func (t *Trainer) groupScalars(scalars *Node, group int) []*Node {
	n := (scalars.Shape().Dim(0) - commonScalars) / len(t.groups)
	list := make([]*Node, n)
	for i := range list {
		list[i] = element(scalars, commonScalars+group*n+i)
	}
	return list
}

// element is one value of a vector, as a scalar.
func element(vector *Node, i int) *Node {
	return Reshape(Slice(vector, AxisElem(i)))
}

// call runs a program. A program that changes variables takes over their old values, so
// if it fails there are none left, and the trainer can't go on.
//
// The result is the program's first, on several devices that of each, one after the other.
func (t *Trainer) call(p *program, changes bool, inputs ...Values) (out []float32, err error) {
	if p.many != nil {
		out, err = p.many.run(inputs)
	} else {
		out, err = t.callOne(p.one, inputs)
	}
	if err != nil {
		err = fmt.Errorf("train: after %d updates: %w", t.updates, err)
		if changes {
			t.broken = err
		}
		return nil, err
	}
	return out, nil
}

// callOne runs a program on one device.
func (t *Trainer) callOne(e *model.Exec, inputs []Values) ([]float32, error) {
	var args []any
	defer func() {
		for _, in := range args {
			in.(*tensors.Tensor).FinalizeAll()
		}
	}()
	for _, v := range inputs {
		in, err := v.upload(t.backend, 0)
		if err != nil {
			return nil, fmt.Errorf("copying a batch to the device: %w", err)
		}
		args = append(args, in)
	}
	var results []*tensors.Tensor
	var err error
	if caught := exceptions.TryCatch[error](func() { results, err = e.Call(args...) }); caught != nil {
		err = caught
	}
	if err != nil {
		return nil, err
	}
	defer results[0].FinalizeAll()
	return tensors.CopyFlatData[float32](results[0])
}

// upload copies the values to a device.
func (v Values) upload(backend compute.Backend, device compute.DeviceNum) (*tensors.Tensor, error) {
	raw := dtypes.UnsafeByteSliceFromAny(v.Floats)
	if v.Ints != nil {
		raw = dtypes.UnsafeByteSliceFromAny(v.Ints)
	}
	return tensors.FromRaw(backend, device, v.shape(), raw)
}

// dtype is that of the values on a device.
func (v Values) dtype() dtypes.DType {
	if v.Ints != nil {
		return dtypes.Int32
	}
	return dtypes.Float32
}
