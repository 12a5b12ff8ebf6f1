package plots

import (
	"testing"

	"gaze/internal/goldenpicture"
)

func TestGoldenPictures(t *testing.T) {
	for name, f := range figures() {
		t.Run(name, func(t *testing.T) {
			img, err := f.Image(1)
			if err != nil {
				t.Fatal(err)
			}
			goldenpicture.Compare(t, name, img)
		})
	}
}
