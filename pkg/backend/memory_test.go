//go:build cgo && linux && !noxla && (amd64 || arm64)

package backend

import (
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"gaze/internal/xla/memory"
)

// A program's intermediates take the same memory in each run.
func TestMemoryOfARunIsUsedAgain(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.Name(), "xla") {
		t.Skip("XLA isn't there: ", b.Name())
	}
	program, err := graph.NewExec(b, func(x *graph.Node) *graph.Node {
		x = graph.MatMul(x, x) // 36 MiB that only the second product reads
		return graph.Reshape(graph.Slice(graph.MatMul(x, x), graph.AxisElem(7), graph.AxisElem(7)))
	})
	if err != nil {
		t.Fatal(err)
	}
	x := make([][]float32, 3072)
	for i := range x {
		x[i] = make([]float32, 3072)
		x[i][i] = 2
	}
	var made int
	for run := range 4 {
		out, err := program.Call(x)
		if err != nil {
			t.Fatal(err)
		}
		if corner := out[0].Value().(float32); corner != 16 {
			t.Fatalf("run %d: %v, want %v", run, corner, 16.0)
		}
		_, _, now := memory.Usage()
		if run == 0 && now == 0 {
			t.Fatal("no large block was asked for: the plugin allocates in another way")
		}
		if run > 1 && now > made {
			t.Errorf("run %d took %d new blocks", run, now-made)
		}
		made = now
	}
}
