package explain_test

import (
	"fmt"
	"log"

	"gaze/pkg/backend"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

func ExampleExplainer_Explain() {
	cfg, err := vit.ParseConfig("vit:dim=24,depth=2,heads=2,patch=4,size=16")
	if err != nil {
		log.Fatal(err)
	}
	cfg.Classes = 3
	m, err := vit.New(cfg, 1) // or vit.Load
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	b, err := backend.Default()
	if err != nil {
		log.Fatal(err)
	}
	e, err := explain.NewExplainer(b, m)
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()

	picture := &transform.Tensor{Shape: [3]int{3, 16, 24}, Data: make([]float32, 3*16*24)}
	for i := range picture.Data {
		picture.Data[i] = float32(i%7) - 3
	}
	// What speaks for class 2 rather than for class 0?
	x, err := e.Explain("chefer", []*transform.Tensor{picture}, explain.Options{Classes: []int{2}, Against: []int{0}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Method.Title, x.Maps[0].Rows, "by", x.Maps[0].Cols)
	fmt.Println(len(x.Warnings), "warning: position embeddings were resized")
	// Output:
	// Chefer et al. 4 by 6
	// 1 warning: position embeddings were resized
}
