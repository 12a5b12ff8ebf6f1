package main

import (
	"fmt"

	"gaze/pkg/data/scenes"
	"gaze/pkg/explain"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

type figure struct{ plots.Table }

func main() {
	p, err := transform.Parse("resize(8,8) | totensor")
	fmt.Println(p, err)
	c := vit.Config{Depth: 3}
	fmt.Println(c.Depth, explain.MeanHeads == explain.OneHead(0), explain.MeanHeads)
	t := figure{plots.Table{Columns: []plots.Column{{Name: "a"}}, Rows: [][]any{{1}}}}
	fmt.Println(len(t.HTML()) > 20)
	fmt.Println(scenes.HeldOut)
	im := transform.NewImage(4, 4, 3)
	fmt.Println(im.Bounds(), im.Opaque())
}

// Output:
// resize(8,8,bilinear) | totensor <nil>
// 3 false mean of heads
// true
// heldout
// (0,0)-(4,4) true
