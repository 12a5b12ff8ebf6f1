package train

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/vit"
)

// BenchmarkCheckpointing trains ViT-S/16 at 224 on 16 pictures, without and with
// blocks that are computed again. The memory is the most that the process ever
// had, so run one of the two by name.
func BenchmarkCheckpointing(b *testing.B) {
	for _, checkpointing := range []bool{false, true} {
		b.Run(strconv.FormatBool(checkpointing), func(b *testing.B) { benchmarkSmall(b, checkpointing) })
	}
}

func benchmarkSmall(b *testing.B, checkpointing bool) {
	m, err := vit.New(vit.Config{
		ImageSize: [2]int{224, 224}, PatchSize: [2]int{16, 16}, Channels: 3, Dim: 384, Depth: 12, Heads: 6, MLPDim: 1536, Classes: 37,
		ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
	}, 1)
	if err != nil {
		b.Fatal(err)
	}
	net, err := ViT(m, 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	device, err := backend.Default()
	if err != nil {
		b.Fatal(err)
	}
	t, err := NewTrainer(device, net, Options{Optimizer: NewAdamW(), Schedule: Constant(1e-4), Checkpointing: checkpointing})
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	const batch = 16
	images, labels := make([]float32, batch*3*224*224), make([]int, batch)
	for i := range images {
		images[i] = float32(i%251)/125 - 1
	}
	before := peak(b)
	if _, err := t.Step(Batch{Images: images, Labels: labels}); err != nil { // compiles
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := t.Step(Batch{Images: images, Labels: labels}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(before, "MB-before")
	b.ReportMetric(peak(b), "MB-peak")
}

// peak is the most memory that the process has had, in MB; 0 where Linux's /proc
// isn't there to tell.
func peak(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		b.Fatal("/proc/self/status has no VmHWM")
	}
	kb, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1e3
}
