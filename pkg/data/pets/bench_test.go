package pets

import "testing"

func BenchmarkDraw96(b *testing.B) { benchmarkDraw(b, 96) }

func BenchmarkDraw256(b *testing.B) { benchmarkDraw(b, 256) }

func benchmarkDraw(b *testing.B, size int) {
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := Draw(1, i%Classes, i/Classes, size, Natural); err != nil {
			b.Fatal(err)
		}
	}
}
