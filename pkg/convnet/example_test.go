package convnet_test

import (
	"context"
	"fmt"

	"gaze/pkg/backend"
	"gaze/pkg/convnet"
)

// Features of a batch of pictures. With published weights, the model comes of Load.
func Example() {
	cfg := convnet.Config{Kind: convnet.EfficientNetLite, Lite: &convnet.Lite{
		Stem: 8, Head: 32, NormEps: 1e-3,
		Stages: []convnet.LiteStage{{Blocks: 1, Channels: 8, Kernel: 3, Stride: 1, Expand: 1}, {Blocks: 2, Channels: 16, Kernel: 3, Stride: 2, Expand: 4}},
	}}
	m, err := convnet.New(cfg, 0, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := backend.Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := convnet.NewRunner(b, m)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	out, err := r.Run(context.Background(), make([]float32, 3*3*20*30), [4]int{3, 3, 20, 30}, convnet.Want{Map: true, Pooled: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.Map.Shape, out.Pooled.Shape, out.Grid)
	// Output: [3 5 8 32] [3 32] [5 8]
}

func ExampleConfig_WithOutputStride() {
	c := convnet.EfficientNetLiteOf(0).WithoutHead().WithOutputStride(16)
	fmt.Println(c.Channels(), c.Grid(224, 224))
	// Output: 320 [14 14]
}
