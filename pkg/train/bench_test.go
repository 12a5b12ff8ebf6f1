package train

import (
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/vit"
)

// BenchmarkStep trains ViT-Ti/16 at 224 on 16 pictures with AdamW, clipping and
// an average.
func BenchmarkStep(b *testing.B) {
	m, err := vit.New(vit.Config{
		ImageSize: [2]int{224, 224}, PatchSize: [2]int{16, 16}, Channels: 3, Dim: 192, Depth: 12, Heads: 3, MLPDim: 768, Classes: 37,
		ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
	}, 1)
	if err != nil {
		b.Fatal(err)
	}
	net, err := ViT(m, 0.1, 0)
	if err != nil {
		b.Fatal(err)
	}
	device, err := backend.Default()
	if err != nil {
		b.Fatal(err)
	}
	t, err := NewTrainer(device, net, Options{
		Optimizer: NewAdamW(), Schedule: Constant(1e-4), Rules: []Rule{NoDecay()}, ClipNorm: 1, Average: &Average{Decay: 0.999},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	const batch = 16
	images, labels := make([]float32, batch*3*224*224), make([]int, batch)
	for i := range images {
		images[i] = float32(i%251)/125 - 1
	}
	for i := range labels {
		labels[i] = i % 37
	}
	if _, err := t.Step(Batch{Images: images, Labels: labels}); err != nil { // compiles
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := t.Step(Batch{Images: images, Labels: labels}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(batch*float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
}
