package caption

import (
	"math"
	"testing"

	"gaze/pkg/transform"
)

// rectangle is a mask of 16×16 pixels.
func rectangle(x0, y0, x1, y1 int) *transform.Image {
	m := transform.NewImage(16, 16, 1)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			m.Pix[y*16+x] = 255
		}
	}
	return m
}

func TestCoverage(t *testing.T) {
	cases := []struct {
		name   string
		mask   *transform.Image
		input  [2]int
		stride int
		want   []float64
	}{
		{"whole cells", rectangle(0, 0, 8, 8), [2]int{16, 16}, 8, []float64{1, 0, 0, 0}},
		{"parts", rectangle(4, 4, 12, 10), [2]int{16, 16}, 8, []float64{0.25, 0.25, 0.125, 0.125}},
		{"another size", rectangle(4, 4, 12, 10), [2]int{32, 32}, 16, []float64{0.25, 0.25, 0.125, 0.125}},
		// cells of 10 and 2 of 12 pixels, 13 1/3 and 2 2/3 of 16
		{"a cell that ends with the picture", rectangle(0, 0, 16, 14), [2]int{12, 12}, 10, []float64{1, 1, (14 - 40.0/3) / (16 - 40.0/3), (14 - 40.0/3) / (16 - 40.0/3)}},
	}
	for _, c := range cases {
		got := Coverage(c.mask, c.input, c.stride)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d cells", c.name, len(got))
			continue
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-6 || math.IsNaN(got[i]) {
				t.Errorf("%s is %g, want %g", c.name, got[i], c.want[i])
			}
		}
	}
}
