package captions

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/caption"
	"gaze/pkg/transform"
)

// petSayer sees a cat in pictures whose first pixel is 1, else a dog, as long as the cell of
// the top left corner isn't masked, and looks there when it says so.
type petSayer struct{}

func (petSayer) Config() caption.Config { return testConfig }

func (petSayer) Caption(images []*transform.Image, o caption.Options) ([]caption.Result, error) {
	var out []caption.Result
	for i, im := range images {
		text := "a dog sits"
		if im.Pix[0] == 1 {
			text = "a kitten sits"
		}
		if o.Masked != nil && o.Masked[i] != nil && o.Masked[i][0] {
			text = "a mat sits"
		}
		r := caption.Result{Text: text, Grid: [2]int{2, 2}, Input: [2]int{16, 16}}
		for k, w := range strings.Fields(text) {
			r.Tokens = append(r.Tokens, caption.Token{Text: w})
			m := []float32{0.25, 0.25, 0.25, 0.25}
			if k == 1 {
				m = []float32{0.7, 0.1, 0.1, 0.1}
			}
			r.Attention = append(r.Attention, [][][]float32{{m}})
		}
		out = append(out, r)
	}
	return out, nil
}

func TestEvaluatePets(t *testing.T) {
	load := func(i int) (Pet, error) {
		im := &transform.Image{Width: 16, Height: 16, Channels: 3, Pix: make([]uint8, 3*16*16)}
		im.Pix[0] = uint8(i % 2)
		species := "dog"
		if i%2 == 1 && i != 5 { // the fifth is a dog that is taken for a cat
			species = "cat"
		}
		return Pet{Image: im, Mask: rectangle(0, 0, 8, 8), Species: species}, nil
	}
	r, err := EvaluatePets(context.Background(), petSayer{}, 10, load, OcclusionOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Pictures != 10 || r.Named.Value != 0.9 || r.Wrong.Value != 0.1 {
		t.Errorf("named %v, wrong %v of %d", r.Named, r.Wrong, r.Pictures)
	}
	if len(r.Pointing) != 1 || r.Pointing[0].Words != 9 || r.Pointing[0].Hit.Value != 1 || r.Pointing[0].HitChance != 0.25 {
		t.Errorf("pointing %+v", r.Pointing)
	}
	near(t, "share", r.Pointing[0].Share.Value, 0.7)
	if o := r.Occlusion; o.Objects != 9 || o.Named.Value != 0 || o.Elsewhere.Value != 1 {
		t.Errorf("occlusion %+v", o)
	}
}

func TestEvaluatePetsRefuses(t *testing.T) {
	gone := errors.New("gone")
	for name, load := range map[string]func(int) (Pet, error){
		"gone":    func(int) (Pet, error) { return Pet{}, gone },
		"species": func(int) (Pet, error) { return Pet{Species: "horse"}, nil },
		"mask":    func(int) (Pet, error) { return Pet{Species: "cat"}, nil },
	} {
		if _, err := EvaluatePets(context.Background(), petSayer{}, 1, load, OcclusionOptions{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := EvaluatePets(context.Background(), petSayer{}, 0, nil, OcclusionOptions{}); err == nil {
		t.Error("no photographs")
	}
	if !slices.Contains(petNames["cat"], "kitten") {
		t.Error("a kitten is no cat")
	}
}
