package convnet

import (
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gaze/pkg/backend"
)

// testBackends is the Go backend and, where the machine has a plugin, XLA.
func testBackends(t testing.TB) []compute.Backend {
	t.Helper()
	list, err := openBackends()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 1 {
		t.Log("no XLA plugin found: only the Go backend is tested")
	}
	return list
}

var openBackends = sync.OnceValues(func() ([]compute.Backend, error) {
	pure, err := backend.Open("go:ops_sequential")
	if err != nil {
		return nil, err
	}
	usual, err := backend.Default()
	if err != nil {
		return nil, err
	}
	if usual.Name() == pure.Name() {
		return []compute.Backend{pure}, nil
	}
	return []compute.Backend{pure, usual}, nil
})

// compiled is a graph as a function of tensors.
func compiled[F graph.ExecGraphFn](t testing.TB, b compute.Backend, build F) func(inputs ...any) []*tensors.Tensor {
	t.Helper()
	e, err := graph.NewExec(b, build)
	if err != nil {
		t.Fatal(err)
	}
	return func(inputs ...any) []*tensors.Tensor {
		t.Helper()
		out, err := e.Call(inputs...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}
