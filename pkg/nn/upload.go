package nn

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/backend"
)

// Arrangement is the order in which a backend gets a weight. A weight that isn't in
// torch's order has another name there, by which [Variables] knows it: ".../packed" or
// ".../kernel" instead of ".../weight".
type Arrangement uint8

const (
	TorchOrder   Arrangement = iota
	PackedWeight             // a linear layer's, [out, in...], packed for the kernels: [backend.PackWeights]
	ChannelsLast             // a convolution's, [rows, columns, in, out]
	PackedKernel             // a convolution's, packed for [Convolution]; [PacksKernel] says whether it can be
)

const (
	packedName = "packed"
	kernelName = "kernel"
)

// Uploaded is a model's parameters on a backend, by the names of their variables.
type Uploaded map[string]*tensors.Tensor

// Upload copies a list of parameters to a backend, on all processors, and checks that
// they are finite. The file's pages are given back to the system, so that the weights
// aren't in memory twice. arrange chooses the order of each; nil: torch's for all.
func (ps Parameters) Upload(b compute.Backend, list []Param, arrange func(p Param) Arrangement) (Uploaded, error) {
	if b == nil {
		return nil, errors.New("there is no backend")
	}
	var mu sync.Mutex
	out := Uploaded{}
	err := ps.each(list, func(p Param, s *Stored) error {
		how := TorchOrder
		if arrange != nil {
			how = arrange(p)
		}
		name, t, err := s.upload(b, p, how)
		if err != nil {
			return err
		}
		s.forget()
		mu.Lock()
		defer mu.Unlock()
		out[name] = t
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, out.Free())
	}
	return out, nil
}

// Free frees the tensors.
func (u Uploaded) Free() error {
	var errs []error
	for _, t := range u {
		errs = append(errs, t.FinalizeAll())
	}
	clear(u)
	return errors.Join(errs...)
}

// AddTo makes variables of the tensors.
func (u Uploaded) AddTo(store *model.Store) {
	for _, name := range slices.Sorted(maps.Keys(u)) {
		store.VariableWithValue("/"+name, u[name])
	}
}

// upload makes a tensor on the backend, and returns the name of its variable.
func (s *Stored) upload(b compute.Backend, p Param, how Arrangement) (string, *tensors.Tensor, error) {
	if how == TorchOrder {
		t, err := s.uploadAsIs(b, p.Shape)
		return p.Name, t, err
	}
	values, err := s.Float32s()
	if err != nil {
		return "", nil, err
	}
	if firstNonFinite(values) >= 0 {
		return "", nil, s.CheckFinite()
	}
	dims, name, arrange := []int{backend.PackedRows(p.Shape[0]), size(p.Shape[1:])}, packedName, packWeights
	switch how {
	case ChannelsLast:
		dims, name, arrange = kernelShape(p.Shape), kernelName, toChannelsLast
	case PackedKernel:
		dims, arrange = kernelShape(p.Shape), packKernel
	}
	t, err := tensors.FromShapeForBackend(b, 0, shapes.Make(dtypes.Float32, dims...))
	if err != nil {
		return "", nil, fmt.Errorf("tensor %s: %w", p.Name, err)
	}
	err = tensors.MutableFlatData(t, func(flat []float32) { arrange(flat, values, p.Shape) })
	return strings.TrimSuffix(p.Name, "weight") + name, t, err
}

// uploadAsIs uploads a parameter in torch's order. Where the order in the file differs,
// it writes straight into the backend's memory.
func (s *Stored) uploadAsIs(b compute.Backend, dims []int) (*tensors.Tensor, error) {
	shape := shapes.Make(dtypes.Float32, dims...)
	data, ready, err := s.raw()
	if err != nil {
		return nil, err
	}
	if ready {
		if firstNonFinite(data) >= 0 {
			return nil, s.CheckFinite()
		}
		return tensors.FromRaw(b, 0, shape, dtypes.UnsafeByteSliceFromAny(data))
	}
	t, err := tensors.FromShapeForBackend(b, 0, shape)
	if err != nil {
		return nil, err
	}
	finite := true
	access := tensors.MutableFlatData(t, func(flat []float32) {
		if err = s.writeTo(flat); err == nil {
			finite = firstNonFinite(flat) < 0
		}
	})
	if err := errors.Join(access, err); err != nil {
		return nil, err
	}
	if !finite {
		return nil, s.CheckFinite()
	}
	return t, nil
}

func packWeights(dst, values []float32, shape []int) {
	backend.PackWeights(dst, values, shape[0], size(shape[1:]))
}

// PacksKernel says whether a convolution's weights [out, in, rows, columns] can be a [PackedKernel].
func PacksKernel(b compute.Backend, shape []int) bool {
	return len(shape) == 4 && backend.PackedRows(shape[0]) == shape[0] && backend.PacksWeights(b, shape[0], size(shape[1:]))
}

// kernelShape is [rows, columns, in, out] of [out, in, rows, columns].
func kernelShape(s []int) []int { return []int{s[2], s[3], s[1], s[0]} }

// packKernel packs weights [out, in, rows, columns] in the order [out, rows, columns, in], that
// of the pixels under them.
func packKernel(dst, values []float32, shape []int) {
	out, in, area := shape[0], shape[1], shape[2]*shape[3]
	if area > 1 {
		ordered := make([]float32, len(values))
		for o := range out {
			transpose(ordered[o*in*area:][:in*area], values[o*in*area:][:in*area], in, area)
		}
		values = ordered
	}
	backend.PackWeights(dst, values, out, in*area)
}

// toChannelsLast rearranges weights [out, in, rows, columns] to [rows, columns, in, out].
func toChannelsLast(dst, values []float32, shape []int) {
	out, in, area := shape[0], shape[1], shape[2]*shape[3]
	for o := range out {
		for i := range in {
			for a, v := range values[(o*in+i)*area:][:area] {
				dst[(a*in+i)*out+o] = v
			}
		}
	}
}
