package scenes

import "testing"

func BenchmarkDraw128(b *testing.B) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := Draw(1, i, 128, Train); err != nil {
			b.Fatal(err)
		}
	}
}
