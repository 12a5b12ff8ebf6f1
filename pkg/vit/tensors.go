package vit

import (
	"fmt"

	"gaze/pkg/transform"
)

// RunTensors runs a batch of preprocessed pictures, which must be of one size.
// See [Runner.Run].
func (r *Runner) RunTensors(pictures []*transform.Tensor, want Want) (*Outputs, error) {
	if len(pictures) == 0 {
		return nil, fmt.Errorf("vit: no pictures to run on")
	}
	first := pictures[0].Shape
	each := product(first[:])
	batch := make([]float32, 0, len(pictures)*each)
	for i, p := range pictures {
		if p.Shape != first || len(p.Data) != each {
			return nil, fmt.Errorf("vit: picture %d is %v (%d values), the first is %v: a batch takes one size", i, p.Shape, len(p.Data), first)
		}
		if len(pictures) == 1 {
			batch = p.Data // no copy needed
			break
		}
		batch = append(batch, p.Data...)
	}
	return r.Run(batch, [4]int{len(pictures), first[0], first[1], first[2]}, want)
}
