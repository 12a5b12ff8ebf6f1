package caption

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// net is a model's weights on a backend, and the programs compiled for them.
type net struct {
	backend  compute.Backend
	store    *model.Store
	values   []*tensors.Tensor
	programs map[string]*model.Exec
	order    []string // keys of programs, the most recently used last
}

// maxPrograms bounds the programs that are kept: pictures that all differ in
// shape would fill the memory.
const maxPrograms = 24

// newNet gives the weights to the backend, checking that they are finite, and
// with rearrange puts the kernels of convolutions in the order that is fastest.
func newNet(backend compute.Backend, m *Model, rearrange bool) (*net, error) {
	if backend == nil {
		return nil, errors.New("there is no backend")
	}
	n := &net{backend: backend, store: model.NewStore(), programs: map[string]*model.Exec{}}
	for _, p := range m.Config.Parameters() {
		name := p.Name // before it is rearranged
		values, _, err := m.Parameter(name)
		if err != nil {
			return nil, errors.Join(err, n.close())
		}
		if err := checkFinite(name, values); err != nil {
			return nil, errors.Join(err, n.close())
		}
		if rearrange && m.Config.Backbone.Kind != ViT && len(p.Shape) == 4 && p.Shape[3] > 1 {
			p, values = kernelOf(p, values)
		}
		t, err := tensors.FromRaw(backend, 0, shapes.Make(dtypes.Float32, p.Shape...), dtypes.UnsafeByteSliceFromAny(values))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("tensor %s: %w", p.Name, err), n.close())
		}
		m.params[name].Forget() // or the weights would be in memory twice
		n.values = append(n.values, t)
		n.store.VariableWithValue("/"+p.Name, t)
	}
	return n, nil
}

// checkFinite names a tensor's first NaN or infinity.
func checkFinite(name string, values []float32) error {
	for i, v := range values {
		if v-v != 0 {
			return fmt.Errorf("tensor %s holds %v at index %d", name, v, i)
		}
	}
	return nil
}

// kernelOf rearranges weights [out, in, rows, columns] to [rows, columns, in, out].
func kernelOf(p Param, values []float32) (Param, []float32) {
	out, in, size := p.Shape[0], p.Shape[1], p.Shape[2]*p.Shape[3]
	moved := make([]float32, len(values))
	for o := range out {
		for i := range in {
			for s, v := range values[(o*in+i)*size:][:size] {
				moved[(s*in+i)*out+o] = v
			}
		}
	}
	name := strings.TrimSuffix(p.Name, "weight") + kernelName
	return Param{name, []int{p.Shape[2], p.Shape[3], in, out}}, moved
}

func (n *net) close() error {
	var errs []error
	for _, p := range n.programs {
		p.Finalize()
	}
	for _, t := range n.values {
		errs = append(errs, t.FinalizeAll())
	}
	n.programs, n.values = nil, nil
	return errors.Join(errs...)
}

// run runs the program of this key, which build makes on first use, on inputs.
func run[F model.ExecGraphFn](n *net, key string, build F, inputs ...any) ([]*tensors.Tensor, error) {
	exec, ok := n.programs[key]
	if !ok {
		var err error
		if exec, err = model.NewExec(n.backend, n.store, build); err != nil {
			return nil, err
		}
		n.programs[key] = exec
	}
	n.touch(key)
	var results []*tensors.Tensor
	var err error
	if caught := exceptions.TryCatch[error](func() { results, err = exec.Call(inputs...) }); caught != nil {
		err = caught
	}
	return results, err
}

// touch marks a program as used and frees the one that wasn't for longest.
func (n *net) touch(key string) {
	for i, k := range n.order {
		if k == key {
			n.order = append(n.order[:i], n.order[i+1:]...)
			break
		}
	}
	n.order = append(n.order, key)
	if len(n.order) > maxPrograms {
		n.programs[n.order[0]].Finalize()
		delete(n.programs, n.order[0])
		n.order = n.order[1:]
	}
}

// input copies values to the backend.
func input[T float32 | int32 | bool](n *net, values []T, dims ...int) (*tensors.Tensor, error) {
	shape := shapes.Make(dtypes.FromGenericsType[T](), dims...)
	return tensors.FromRaw(n.backend, 0, shape, dtypes.UnsafeByteSliceFromAny(values))
}

// free frees tensors that are of no more use; one that can't be is no reason to
// lose a result.
func free(list ...*tensors.Tensor) {
	for _, t := range list {
		if t != nil {
			t.FinalizeAll()
		}
	}
}
