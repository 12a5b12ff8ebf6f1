package train_test

import (
	"fmt"
	"log"

	"gaze/pkg/backend"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

// Changes some settings and keeps the others, as resuming a run with --set does.
func ExampleSettings_With() {
	s, err := train.ParseSettings("lr=1e-3; epochs=5; optimizer=adamw; clip=1")
	if err != nil {
		log.Fatal(err)
	}
	s, named, err := s.With("epochs=10; lr=1e-4")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(named)
	fmt.Println(s)
	// Output:
	// [epochs lr]
	// lr=0.0001; epochs=10; batch=16; accumulate=1; seed=1; optimizer=adamw; clip=1
}

// Trains the head alone, then everything, with a new optimiser.
func ExampleTrainer_Next() {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	cfg, err := vit.ParseConfig("vit:dim=16,depth=1,heads=2,patch=8,size=8")
	if err != nil {
		log.Fatal(err)
	}
	cfg.Classes = 2
	m, err := vit.New(cfg, 1)
	if err != nil {
		log.Fatal(err)
	}
	network, err := train.ViT(m, 0, 0)
	if err != nil {
		log.Fatal(err)
	}
	head, err := train.NewTrainer(b, network, train.Options{
		Optimizer: train.NewAdamW(), Schedule: train.Constant(1e-2), Rules: []train.Rule{train.FreezeBackbone()},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer head.Close()
	images, labels := make([]float32, 2*3*8*8), []int{0, 1}
	for i := len(images) / 2; i < len(images); i++ {
		images[i] = 1
	}
	if _, err := head.Step(train.Batch{Images: images, Labels: labels}); err != nil {
		log.Fatal(err)
	}
	all, err := head.Next(network, train.Options{Optimizer: train.NewAdamW(), Schedule: train.Cosine(1e-3, 0, 10)})
	if err != nil {
		log.Fatal(err)
	}
	defer all.Close()
	metrics, err := all.Step(train.Batch{Images: images, Labels: labels})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(metrics.Update, metrics.Rate)
	// Output: 2 0.001
}
