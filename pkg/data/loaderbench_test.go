package data_test

import (
	"context"
	"fmt"
	"testing"

	"gaze/pkg/data"
)

// BenchmarkLoader loads 64 JPEG files of 500x375 pixels through a typical training
// pipeline, both decoded each time and from the cache.
func BenchmarkLoader(b *testing.B) {
	set := photos(b, 64, 500, 375)
	for _, kept := range []bool{false, true} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("kept=%v/workers=%d", kept, workers), func(b *testing.B) {
				var s data.Set = set
				if kept {
					s = data.NewCache(set, 1<<30)
				}
				l, err := data.NewLoader(s, data.LoaderOptions{
					Pipeline: pipeline(b, "randomresizedcrop(224) | randomhflip | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"),
					Batch:    16, Shuffle: true, Workers: workers,
				})
				if err != nil {
					b.Fatal(err)
				}
				pictures, epoch := 0, 0
				b.ReportAllocs()
				for b.Loop() {
					for batch, err := range l.Batches(context.Background(), epoch, 0) {
						if err != nil {
							b.Fatal(err)
						}
						pictures += len(batch.Labels)
					}
					epoch++
				}
				b.ReportMetric(float64(pictures)/b.Elapsed().Seconds(), "pictures/s")
			})
		}
	}
}
