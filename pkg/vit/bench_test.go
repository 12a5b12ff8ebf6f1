package vit

import (
	"testing"
)

// benchConfig is ViT-B/16 at 224.
func benchConfig() Config {
	return Config{
		ImageSize: [2]int{224, 224}, PatchSize: [2]int{16, 16}, Channels: 3,
		Dim: 768, Depth: 12, Heads: 12, MLPDim: 3072, Classes: 1000,
		ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
	}
}

// BenchmarkForward runs ViT-B/16 on one picture of 224×224.
func BenchmarkForward(b *testing.B) {
	m, err := New(benchConfig(), 1)
	if err != nil {
		b.Fatal(err)
	}
	for _, backend := range testBackends(b) {
		b.Run(backend.Name(), func(b *testing.B) {
			r, err := NewRunner(backend, m)
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			image := make([]float32, 3*224*224)
			for i := range image {
				image[i] = float32(i%255)/127 - 1
			}
			for b.Loop() {
				if _, err := r.Run(image, [4]int{1, 3, 224, 224}, Want{Logits: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCheckFinite scans the 86 million weights of ViT-B/16.
func BenchmarkCheckFinite(b *testing.B) {
	m, err := New(benchConfig(), 1)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(4 * int64(m.Config.ParameterCount()))
	for b.Loop() {
		if err := m.CheckFinite(); err != nil {
			b.Fatal(err)
		}
	}
}
