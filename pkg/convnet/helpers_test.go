package convnet

import (
	"math"
	"sync"
	"testing"

	"github.com/gomlx/compute"

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

// waves is n values with something in them, the same each time.
func waves(n int, step float64) []float32 {
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(math.Sin(float64(i)*step) * 1.5)
	}
	return data
}

// goBackend is the name of GoMLX's own backend.
const goBackend = "Go Backend"
