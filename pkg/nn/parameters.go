package nn

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"gaze/internal/parallel"
	"gaze/pkg/weights"
)

// Param is one learned array of a model, under Gaze's name for it: the path of the
// variable that the graph reads, such as "block_3/attn/qkv/weight".
type Param struct {
	Name  string
	Shape []int // linear layers [out, in], convolutions [out, in, rows, columns], as torch has them
}

// Len is the number of the parameter's values.
func (p Param) Len() int { return size(p.Shape) }

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// ParamList lists the parameters of an architecture, in the order in which its graph
// reads them.
type ParamList []Param

// Add appends a parameter.
func (l *ParamList) Add(name string, shape ...int) { *l = append(*l, Param{name, shape}) }

// Norm appends the parameters of a norm over dim values.
func (l *ParamList) Norm(name string, dim int) {
	l.Add(name+"/weight", dim)
	l.Add(name+"/bias", dim)
}

// Linear appends the parameters of a linear layer.
func (l *ParamList) Linear(name string, out, in int, bias bool) {
	l.Add(name+"/weight", out, in)
	if bias {
		l.Add(name+"/bias", out)
	}
}

// Parameters is where the values of a model's parameters are stored, by Gaze's names.
type Parameters map[string]*Stored

// get is a parameter; the error says that the model has none of that name.
func (ps Parameters) get(name string) (*Stored, error) {
	if s, ok := ps[name]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("the model has no parameter %q (is it closed?)", name)
}

// Values is the values of one parameter, row-major, and its shape. The values may be the
// file's own memory: they must not be written to, nor used once the file is closed.
func (ps Parameters) Values(name string) (values []float32, shape []int, err error) {
	s, err := ps.get(name)
	if err != nil {
		return nil, nil, err
	}
	if shape, err = s.Shape(); err != nil {
		return nil, nil, err
	}
	values, err = s.Float32s()
	return values, shape, err
}

// Tensor is [Parameters.Values] as a tensor.
func (ps Parameters) Tensor(name string) (*weights.Tensor, error) {
	s, err := ps.get(name)
	if err != nil {
		return nil, err
	}
	return s.Tensor(name)
}

// Tensors is the tensors of a list of parameters, as training takes them.
func (ps Parameters) Tensors(list []Param) ([]*weights.Tensor, error) {
	var out []*weights.Tensor
	for _, p := range list {
		t, err := ps.Tensor(p.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// CheckFinite reads a list of parameters and returns an error that names the first tensor
// with a NaN or an infinity.
func (ps Parameters) CheckFinite(list []Param) error {
	return ps.each(list, func(_ Param, s *Stored) error { return s.CheckFinite() })
}

// each calls work for every parameter of a list, on all processors. The error is that of
// the first parameter, in order, for which it failed.
func (ps Parameters) each(list []Param, work func(p Param, s *Stored) error) error {
	errs := make([]error, len(list))
	_ = parallel.Each(context.Background(), len(list), min(runtime.GOMAXPROCS(0), 8), func(i int) error {
		s, err := ps.get(list[i].Name)
		if err == nil {
			err = work(list[i], s)
		}
		errs[i] = err
		return nil // the loop below finds the first error in order
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Owned makes parameters of tensors under Gaze's names.
func Owned(tensors []*weights.Tensor) (Parameters, error) {
	ps := make(Parameters, len(tensors))
	for _, t := range tensors {
		if ps[t.Name] != nil {
			return nil, fmt.Errorf("parameter %s is given twice", t.Name)
		}
		ps[t.Name] = Own(t)
	}
	return ps, nil
}

// Check returns an error unless there are exactly the parameters of a list.
func (ps Parameters) Check(list []Param) error {
	for _, p := range list {
		s := ps[p.Name]
		if s == nil {
			return fmt.Errorf("parameter %s is missing", p.Name)
		}
		if have, err := s.Shape(); err != nil {
			return err
		} else if !slices.Equal(have, p.Shape) {
			return fmt.Errorf("parameter %s has shape %v, not %v", p.Name, have, p.Shape)
		}
	}
	if len(ps) == len(list) {
		return nil
	}
	wanted := make(map[string]bool, len(list))
	for _, p := range list {
		wanted[p.Name] = true
	}
	var others []string
	for name := range ps {
		if !wanted[name] {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return fmt.Errorf("%d parameters are given, the model has %d: it has no %s", len(ps), len(list), FirstNames(others, 6))
}
