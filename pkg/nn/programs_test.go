package nn

import (
	"fmt"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// TestPrograms checks which programs are kept, and that each is built once while it is.
func TestPrograms(t *testing.T) {
	b := goBackend(t)
	p := NewPrograms(b, 2)
	stores := []*model.Store{model.NewStore(), model.NewStore(), model.NewStore()}
	built := 0
	run := func(i int) float32 {
		t.Helper()
		x, err := Input(b, []float32{1})
		if err != nil {
			t.Fatal(err)
		}
		defer Free(x, nil)
		results, err := Run(p, stores[i], fmt.Sprint(i), func(_ *model.Scope, x *Node) *Node {
			built++
			return AddScalar(x, float64(i))
		}, x)
		if err != nil {
			t.Fatal(err)
		}
		defer Free(results...)
		return tensors.ToScalar[float32](results[0])
	}
	for _, step := range []struct{ run, built int }{{0, 1}, {1, 2}, {0, 2}, {2, 3}, {0, 3}, {1, 4}} {
		if got := run(step.run); got != float32(1+step.run) || built != step.built {
			t.Errorf("program %d gave %g, %d were built, want %d", step.run, got, built, step.built)
		}
	}
	if p.Len() != 2 || p.Use(stores[2]) || !p.Use(stores[0]) || !p.Use(stores[1]) {
		t.Errorf("%d programs are kept; of the stores in use: %v, %v, %v", p.Len(), p.Use(stores[0]), p.Use(stores[1]), p.Use(stores[2]))
	}
	if _, err := Run(p, stores[0], "broken", func(_ *model.Scope, x *Node) *Node {
		exceptions.Panicf("this graph can't be built")
		return x
	}, []float32{1}); err == nil {
		t.Error("a graph that can't be built: no error")
	}
	p.Close()
	if p.Len() != 0 || p.Use(stores[0]) {
		t.Error("programs are kept after Close")
	}
}
