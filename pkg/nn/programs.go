package nn

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Programs compiles programs on first use and keeps the most recently used: pictures that
// all differ in size would otherwise fill the memory. It isn't safe for concurrent use.
type Programs struct {
	backend compute.Backend
	limit   int
	list    []program // the most recently used last
}

// program is a compiled program and the variables that it reads.
type program struct {
	key   string
	store *model.Store
	exec  *model.Exec
}

// NewPrograms makes an empty list of programs for a backend, which keeps limit of them.
func NewPrograms(b compute.Backend, limit int) *Programs { return &Programs{backend: b, limit: limit} }

// Run runs the program of a key over the variables of a store. build makes its graph on
// first use; a key must stand for one graph.
func Run[F model.ExecGraphFn](p *Programs, store *model.Store, key string, build F, inputs ...any) ([]*tensors.Tensor, error) {
	exec, err := find(p, store, key, build)
	if err != nil {
		return nil, err
	}
	var results []*tensors.Tensor
	if caught := exceptions.TryCatch[error](func() { results, err = exec.Call(inputs...) }); caught != nil {
		err = caught
	}
	return results, err
}

// find returns the program of a key, made if need be, as the most recently used one, and
// frees the one that wasn't used for the longest time if there are too many.
func find[F model.ExecGraphFn](p *Programs, store *model.Store, key string, build F) (*model.Exec, error) {
	if i := slices.IndexFunc(p.list, func(c program) bool { return c.key == key }); i >= 0 {
		found := p.list[i]
		p.list = append(slices.Delete(p.list, i, i+1), found)
		return found.exec, nil
	}
	exec, err := model.NewExec(p.backend, store, build)
	if err != nil {
		return nil, err
	}
	p.list = append(p.list, program{key, store, exec})
	if len(p.list) > p.limit {
		p.list[0].exec.Finalize()
		p.list = slices.Delete(p.list, 0, 1)
	}
	return exec, nil
}

// Len is the number of programs that are kept.
func (p *Programs) Len() int { return len(p.list) }

// Use says whether a program that is kept reads the variables of a store.
func (p *Programs) Use(store *model.Store) bool {
	return slices.ContainsFunc(p.list, func(c program) bool { return c.store == store })
}

// Close frees the programs.
func (p *Programs) Close() {
	for _, c := range p.list {
		c.exec.Finalize()
	}
	p.list = nil
}

// Input copies values to a backend.
func Input[T float32 | int32 | bool](b compute.Backend, values []T, dims ...int) (*tensors.Tensor, error) {
	shape := shapes.Make(dtypes.FromGenericsType[T](), dims...)
	return tensors.FromRaw(b, 0, shape, dtypes.UnsafeByteSliceFromAny(values))
}

// Free frees tensors, of which some may be nil, and passes over errors: a tensor that
// can't be freed is no reason to lose a result.
func Free(list ...*tensors.Tensor) {
	for _, t := range list {
		if t != nil {
			_ = t.FinalizeAll()
		}
	}
}
