package pets

import "testing"

// Whatever the arguments, Draw returns an error or a whole picture.
func FuzzDraw(f *testing.F) {
	f.Add(uint64(1), 0, 0, 96, 1.0, 1.0, 0.25)
	f.Add(uint64(0), 36, -1, 8, 0.0, 0.0, 1.0)
	f.Add(^uint64(0), 1<<40, 1<<40, 33, 0.5, 1.0, 0.0)
	f.Add(uint64(9), -1, 3, 64, 1.0, -1.0, 2.0)
	f.Fuzz(func(t *testing.T, seed uint64, breed, index, size int, life, view, occlusion float64) {
		if size > 256 {
			size = 8 + size%249
		}
		s, err := Draw(seed, breed, index, size, Options{life, view, occlusion})
		if err != nil {
			return
		}
		if s.Image.Width != size || len(s.Image.Pix) != 3*size*size {
			t.Fatalf("a picture of %d x %d with %d values, want size %d", s.Image.Width, s.Image.Height, len(s.Image.Pix), size)
		}
		seen := 0
		for i, v := range s.Head.Pix {
			if v > s.Foreground.Pix[i] {
				t.Fatal("a head outside its animal")
			}
			seen += int(v)
		}
		if seen == 0 {
			t.Fatal("no head to be seen")
		}
	})
}
