package pets

import (
	"testing"

	"gaze/pkg/data/internal/draw"
)

// The animal is what looks the same on black and on white: an account of what
// was painted that doesn't use the masks' own.
func TestMasksAreWhatWasPainted(t *testing.T) {
	const n = 192
	page := draw.Frame{XX: n, YY: n}
	for i := range 74 {
		var shots [2]*draw.Canvas
		for j, ground := range []draw.RGB{0x000000, 0xffffff} {
			c := draw.NewCanvas(n)
			c.Fill(page, draw.Ink{Colour: ground}, draw.Rect(0, 0, 1, 1))
			drawPet(&stage{Canvas: c}, page, Breed(i), Breed(i), draw.NewStream(1, uint64(i)), draw.NewStream(2, uint64(i)), draw.NewStream(3, uint64(i)), Natural)
			shots[j] = c
		}
		for k, p := range shots[0].Shows {
			same := shots[0].Pixels[k] == shots[1].Pixels[k]
			if animal := animalParts.Has(p); same != animal {
				t.Fatalf("breed %d: sample (%d, %d) is painted: %v; in the mask: %v", i, k%n, k/n, same, animal)
			}
		}
		_, animal, face := develop(shots[0], 2, newLight(draw.NewStream(1), 0))
		for _, m := range []struct {
			name  string
			pix   []uint8
			parts draw.Labels
		}{{"animal", animal.Pix, animalParts}, {"head", face.Pix, headParts}} {
			samples := 0
			for _, v := range m.pix {
				samples += (int(v)*4 + 127) / 255
			}
			if want := shots[0].Area(m.parts); samples != want || want == 0 {
				t.Errorf("breed %d: the mask of the %s holds %d samples, %d were painted", i, m.name, samples, want)
			}
		}
	}
}

func TestHeadIsPartOfTheAnimal(t *testing.T) {
	for i := range 111 {
		s := sample(t, 9, i%Classes, i, 64, Natural)
		for k, v := range s.Head.Pix {
			if v > s.Foreground.Pix[k] {
				t.Fatalf("picture %d: pixel %d shows %d of the head, but %d of the animal", i, k, v, s.Foreground.Pix[k])
			}
		}
	}
}

// What stands in front takes from the masks, but not too much, and leaves the
// rest of the picture as it was.
func TestOcclusionIsModerate(t *testing.T) {
	const size = 96
	hit := 0
	for i := range 111 {
		free := sample(t, 9, i%Classes, i, size, Options{Life: 1, View: 1})
		full := sample(t, 9, i%Classes, i, size, Options{Life: 1, View: 1, Occlusion: 1})
		changed := 0
		for k, v := range free.Foreground.Pix {
			if full.Foreground.Pix[k] > v {
				t.Fatalf("picture %d: something in front shows more of the animal", i)
			}
			if free.Image.Pix[3*k] != full.Image.Pix[3*k] {
				changed++
			}
		}
		if changed > 0 {
			hit++
		}
		if share := mean(full.Foreground.Pix) / mean(free.Foreground.Pix); share < 1-mostCovered-0.01 {
			t.Errorf("picture %d: %.0f %% of the animal is left", i, 100*share)
		}
		if share := mean(full.Head.Pix) / mean(free.Head.Pix); share < 1-mostHidden-0.01 {
			t.Errorf("picture %d: %.0f %% of the head is left", i, 100*share)
		}
		if changed > size*size/2 {
			t.Errorf("picture %d: %d of %d pixels changed", i, changed, size*size)
		}
	}
	if hit < 80 {
		t.Errorf("something stands in front of %d of 111 animals", hit)
	}
}
