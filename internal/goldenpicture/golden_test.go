package goldenpicture

import (
	"image"
	"image/color"
	"testing"
)

// A picture that differs is noticed.
func TestDifferenceIsSeen(t *testing.T) {
	a, b := image.NewRGBA(image.Rect(0, 0, 100, 60)), image.NewRGBA(image.Rect(0, 0, 100, 60))
	if _, share := difference(a, b); share != 0 {
		t.Error("a picture differs from one like it")
	}
	for y := range 6 {
		for x := range 6 {
			b.SetRGBA(20+x, 10+y, color.RGBA{200, 0, 0, 255})
		}
	}
	if _, share := difference(a, b); share <= mayDiffer {
		t.Errorf("a mark is no difference: %v", share)
	}
}
