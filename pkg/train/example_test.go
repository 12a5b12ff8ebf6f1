package train_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"gaze/pkg/backend"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

// Fine-tunes a small Vision Transformer to tell bright pictures from dark ones
// and saves it.
func Example() {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	m, err := vit.New(vit.Config{
		ImageSize: [2]int{8, 8}, PatchSize: [2]int{4, 4}, Channels: 3, Dim: 16, Depth: 2, Heads: 2, MLPDim: 32, Classes: 10,
		ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
	}, 1)
	if err != nil {
		log.Fatal(err)
	}
	if m, err = m.WithHead(2, []string{"dark", "bright"}, 1); err != nil {
		log.Fatal(err)
	}
	network, err := train.ViT(m, 0.1, 0)
	if err != nil {
		log.Fatal(err)
	}
	const updates = 30
	t, err := train.NewTrainer(b, network, train.Options{
		Optimizer: train.NewAdamW(),
		Schedule:  train.Warmup(5, 0.1, train.Cosine(3e-3, 1e-5, updates-5)),
		Rules:     []train.Rule{train.NoDecay(), train.LayerDecay(m.Config.Depth, 0.8)},
		ClipNorm:  1,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer t.Close()

	images, labels := make([]float32, 4*3*8*8), []int{0, 1, 0, 1}
	for i := range images {
		images[i] = float32(2*labels[i/(3*8*8)]-1) + float32(i%7)/10
	}
	for range updates {
		metrics, err := t.Step(train.Batch{Images: images, Labels: labels})
		if err != nil {
			log.Fatal(err)
		}
		if metrics.Update == updates {
			fmt.Printf("%d of %d right\n", metrics.Correct, metrics.Batch)
		}
	}

	list, err := t.Weights(false)
	if err != nil {
		log.Fatal(err)
	}
	if m, err = m.WithParameters(list); err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := m.Save(filepath.Join(dir, "model.safetensors")); err != nil {
		log.Fatal(err)
	}
	back, err := vit.Load(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		log.Fatal(err)
	}
	defer back.Close()
	fmt.Println(back.Labels)
	// Output:
	// 4 of 4 right
	// [dark bright]
}
