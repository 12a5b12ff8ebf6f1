package train

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/backend"
)

// Data parallelism. Every device has all variables and runs the same program on its part of
// a batch; the programs add up their gradients (all-reduce) before an update, and then each
// device makes the same update.
//
// The program is a replicated one, in which every operation is a device's own and the sum is
// the only one that they have in common. GoMLX's AutoSharding divides one program instead,
// but the partitioner doesn't know Gaze's kernels: it would gather the whole batch on every
// device for them.

// devices is the number of devices that share a batch.
func (t *Trainer) devices() int { return max(t.opt.Devices, 1) }

// checkDevices makes sure that the network can be trained on the devices, and that there are
// as many.
func checkDevices(b compute.Backend, net *Network, opt Options) error {
	switch {
	case opt.Devices < 0:
		return fmt.Errorf("%d devices can't train: give at least 1", opt.Devices)
	case opt.Devices < 2 && opt.processes() < 2:
		return nil
	case !net.Loss.divisible:
		return errors.New("the network's loss isn't a mean over pictures, so its batches can't be divided among devices: train it on one")
	}
	return backend.CheckDevices(b, max(opt.Devices, 1))
}

// program is a graph over the trainer's variables, compiled for one device or for several.
type program struct {
	one  *model.Exec
	many *replicated
}

func (t *Trainer) newProgram(name string, build func(*model.Scope, []*Node) []*Node) (*program, error) {
	if n := t.devices(); n > 1 {
		mesh, err := distributed.NewDeviceMesh([]int{n}, []string{"devices"})
		return &program{many: &replicated{trainer: t, name: name, build: build, mesh: mesh, graphs: map[string]*replicatedGraph{}}}, err
	}
	e, err := model.NewExec(t.backend, t.store, build)
	return &program{one: e}, err
}

func (p *program) finalize() {
	switch {
	case p == nil:
	case p.one != nil:
		p.one.Finalize()
	case p.many != nil:
		for _, g := range p.many.graphs {
			g.graph.Finalize()
		}
	}
}

// replicated runs a graph on all devices at the same time.
type replicated struct {
	trainer *Trainer
	name    string
	build   func(*model.Scope, []*Node) []*Node
	mesh    *distributed.DeviceMesh
	graphs  map[string]*replicatedGraph // by the shapes of a device's inputs
}

// replicatedGraph is the graph for inputs of some shapes.
type replicatedGraph struct {
	graph     *Graph
	variables []*model.Variable // by parameter; nil: an input
	changed   []*model.Variable // the first outputs are their new values
}

// compile builds and compiles the graph for inputs. It does what model.Exec does: that can't
// have variables in a replicated program, since it gives each a sharding over a mesh that
// such programs don't have.
func (r *replicated) compile(inputs []Values) (*replicatedGraph, error) {
	g := NewGraph(r.trainer.backend, r.name)
	if err := g.SetSPMD(r.mesh); err != nil {
		return nil, err
	}
	compiled := &replicatedGraph{graph: g}
	err := exceptions.TryCatch[error](func() {
		nodes := make([]*Node, len(inputs))
		for i, v := range inputs {
			// Names of variables begin with a slash, by which package donation knows them.
			nodes[i] = Parameter(g, fmt.Sprintf("arg%d", i), v.shape())
		}
		model.SetStore(g, r.trainer.store)
		results := r.build(r.trainer.store.RootScope(), nodes)
		var outputs []*Node
		for v := range r.trainer.store.IterVariables() {
			if v.ChangedInGraph(g) {
				compiled.changed = append(compiled.changed, v)
				outputs = append(outputs, v.NodeValue(g))
			}
		}
		if err := g.Compile(append(outputs, results...)...); err != nil {
			panic(err)
		}
	})
	if err != nil {
		g.Finalize()
		return nil, err
	}
	for i := range g.NumParameters() {
		name := g.GetParameterByHandle(ParameterHandle(i)).GetParameterName()
		compiled.variables = append(compiled.variables, r.trainer.store.GetVariable(name))
	}
	return compiled, nil
}

// run runs the graph, each device on its part of the inputs, sets the variables that it
// changes, and returns the first result of each device, one after the other.
func (r *replicated) run(inputs []Values) ([]float32, error) {
	n := r.trainer.devices()
	parts := make([][]Values, n)
	for d := range parts {
		for _, v := range inputs {
			parts[d] = append(parts[d], v.part(d, n))
		}
	}
	key := shapesOf(parts[0])
	g := r.graphs[key]
	if g == nil {
		var err error
		if g, err = r.compile(parts[0]); err != nil {
			return nil, err
		}
		r.graphs[key] = g
	}
	for range n { // the devices of a CPU share its cores
		defer backend.Share()()
	}
	return r.execute(g, parts)
}

// execute runs a compiled graph.
func (r *replicated) execute(g *replicatedGraph, parts [][]Values) ([]float32, error) {
	var buffers []compute.Buffer
	var donate []bool
	var args []*tensors.Tensor
	defer func() {
		for _, a := range args {
			a.FinalizeAll()
		}
	}()
	changed := make(map[*model.Variable]bool, len(g.changed))
	for _, v := range g.changed {
		changed[v] = true
	}
	for d, inputs := range parts {
		device, next := compute.DeviceNum(d), 0
		for _, v := range g.variables {
			var value *tensors.Tensor
			var err error
			if v == nil {
				if value, err = inputs[next].upload(r.trainer.backend, device); err == nil {
					args = append(args, value)
				}
				next++
			} else {
				value, err = r.trainer.valueOn(v, d)
			}
			if err != nil {
				return nil, err
			}
			var b compute.Buffer
			if changed[v] {
				b, err = value.DonateBuffer(r.trainer.backend, device)
			} else {
				b, err = value.Buffer(r.trainer.backend, device)
			}
			if err != nil {
				return nil, err
			}
			buffers, donate = append(buffers, b), append(donate, changed[v])
		}
	}
	var outputs []*tensors.Tensor
	if err := exceptions.TryCatch[error](func() { outputs = g.graph.RunWithBuffers(buffers, donate, 0) }); err != nil {
		return nil, err
	}
	return r.take(g, outputs)
}

// take sets the changed variables, and copies the results.
func (r *replicated) take(g *replicatedGraph, outputs []*tensors.Tensor) ([]float32, error) {
	n := r.trainer.devices()
	each := len(outputs) / n
	for i, v := range g.changed {
		values := make([]*tensors.Tensor, n)
		for d := range values {
			values[d] = outputs[d*each+i]
		}
		if err := r.trainer.setValue(v, values); err != nil {
			return nil, err
		}
	}
	var results []float32
	for d := range n {
		result := outputs[d*each+len(g.changed)]
		values, err := tensors.CopyFlatData[float32](result)
		result.FinalizeAll()
		if err != nil {
			return nil, err
		}
		results = append(results, values...)
	}
	return results, nil
}

// valueOn is a variable's value on a device. The first device's is the variable's own.
func (t *Trainer) valueOn(v *model.Variable, device int) (*tensors.Tensor, error) {
	if device == 0 {
		return v.Value()
	}
	if others := t.others[v]; device <= len(others) && others[device-1] != nil {
		return others[device-1], nil
	}
	return nil, fmt.Errorf("variable %s isn't on device %d", v.Path(), device)
}

// setValue sets a variable's value on each device, and frees the old ones.
func (t *Trainer) setValue(v *model.Variable, values []*tensors.Tensor) error {
	for _, old := range t.others[v] {
		old.FinalizeAll()
	}
	if len(values) > 1 {
		t.others[v] = values[1:]
	}
	return v.SetValue(values[0])
}

// sumOver adds up gradients over the devices.
func (t *Trainer) sumOver(gradients []*Node) []*Node {
	if t.devices() == 1 || t.processes() > 1 { // the host adds those of several processes
		return gradients
	}
	return gradients[0].Graph().Distributed().AllReduce(gradients, compute.ReduceOpSum)
}

// shareOf is how much a device's mean counts in that of a batch of n pictures: the devices'
// parts are equally large, and filled up with pictures that count nothing.
func (t *Trainer) shareOf(n int) Values {
	return everywhere(float32(float64(partOf(partOf(n, t.processes()), t.devices())) / float64(n)))
}

// partOf is the number of places for pictures in a device's part of n pictures.
func partOf(n, devices int) int { return (n + devices - 1) / devices }

// everywhere is values that every device gets.
func everywhere(values ...float32) Values {
	return Values{Shape: []int{len(values)}, Floats: values, whole: true}
}

func (v Values) shape() shapes.Shape {
	return shapes.Make(v.dtype(), v.Shape...)
}

// part is what a device gets of values that are divided among n devices along their axis of
// pictures. It is filled up with v.fill.
func (v Values) part(device, n int) Values {
	if v.whole || n == 1 {
		return v
	}
	all := v.Shape[v.axis]
	size := partOf(all, n)
	from, to := min(device*size, all), min((device+1)*size, all)
	rows, inner := 1, 1
	for i, d := range v.Shape {
		if i < v.axis {
			rows *= d
		} else if i > v.axis {
			inner *= d
		}
	}
	out := v
	out.Shape = append([]int{}, v.Shape...)
	out.Shape[v.axis] = size
	if rows == 1 && to-from == size {
		out.Floats = v.Floats[from*inner : to*inner]
		return out
	}
	out.Floats = make([]float32, 0, rows*size*inner)
	for r := range rows {
		row := v.Floats[r*all*inner : (r+1)*all*inner]
		out.Floats = append(out.Floats, row[from*inner:to*inner]...)
		for range (size - (to - from)) * inner {
			out.Floats = append(out.Floats, v.fill)
		}
	}
	return out
}

// shapesOf is the shapes of values, as a key.
func shapesOf(list []Values) string {
	var b strings.Builder
	for _, v := range list {
		fmt.Fprintln(&b, v.Shape)
	}
	return b.String()
}
