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

// A picture drawn again without each of its parts, per picture.
func BenchmarkRedraw96(b *testing.B) {
	b.ReportAllocs()
	g, err := NewOriginal(1, 3, 0, 96, Natural)
	if err != nil {
		b.Fatal(err)
	}
	parts := Parts()
	for i := 0; b.Loop(); i++ {
		if _, err := g.Draw(Change{Without: parts[i%len(parts) : i%len(parts)+1]}); err != nil {
			b.Fatal(err)
		}
	}
}
