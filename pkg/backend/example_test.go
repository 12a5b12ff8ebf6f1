package backend_test

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/backend"
)

// The default backend runs any GoMLX graph.
func ExampleDefault() {
	b, err := backend.Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	sum, err := graph.CallOnce(b, func(x *graph.Node) *graph.Node {
		return graph.ReduceAllSum(x)
	}, []float32{1, 2, 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sum.Value())
	// Output: 6
}

// Exactly one of the backends found is used.
func ExampleDiscover() {
	used := 0
	for _, c := range backend.Discover() {
		if c.Used {
			used++
		}
	}
	fmt.Println(used)
	// Output: 1
}
