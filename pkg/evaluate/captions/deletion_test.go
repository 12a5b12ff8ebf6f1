package captions

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
	"gaze/pkg/transform"
)

// seer says every noun of a known scene of which some cell may be looked at, and
// always what it is told to, be it there or not.
type seer struct {
	scenes []scenes.Scene
	always string
}

func (s seer) Config() caption.Config { return testConfig }

func (s seer) Caption(images []*transform.Image, o caption.Options) ([]caption.Result, error) {
	if !o.NoAttention {
		return nil, errors.New("attention is asked for without need")
	}
	var out []caption.Result
	for i, im := range images {
		at := slices.IndexFunc(s.scenes, func(x scenes.Scene) bool { return bytes.Equal(x.Image.Pix, im.Pix) })
		if at < 0 {
			return nil, errors.New("an unknown picture")
		}
		pieces := strings.Fields(s.always)
		input := [2]int{im.Height, im.Width}
		for _, n := range s.scenes[at].Nouns {
			free := o.Masked == nil
			for cell, v := range Coverage(n.Mask, input, 8) {
				free = free || v >= touched && !o.Masked[i][cell]
			}
			if free {
				pieces = append(pieces, n.Word, "and") // or something in green before a field would be a green field
			}
		}
		r := said(nil, append(pieces, "[SEP]")...)
		r.Grid, r.Input, r.Attention = [2]int{im.Height / 8, im.Width / 8}, input, nil
		out = append(out, r)
	}
	return out, nil
}

// TestBlockSeer: a captioner that names what it may look at loses every object
// whose cells are blocked, and none when others are; what it says anyhow stays.
func TestBlockSeer(t *testing.T) {
	set := Set{Seed: 2, Split: scenes.Test, Count: 40, Size: 64}
	s := seer{always: "bicycle"}
	bikes, named := 0, 0
	for i := range set.Count {
		scene, err := scenes.Draw(2, i, 64, scenes.Test)
		if err != nil {
			t.Fatal(err)
		}
		s.scenes = append(s.scenes, scene)
		for _, n := range scene.Nouns {
			if n.Word == "bike" || n.Word == "bikes" {
				bikes++
			}
			if n.Kind != scenes.Place {
				named++
			}
		}
	}
	last := 0
	r, err := Block(context.Background(), s, set, BlockOptions{Seed: 1, Options: Options{Progress: func(done, _ int) { last = done }}})
	if err != nil {
		t.Fatal(err)
	}
	colours := r.Kinds[len(r.Kinds)-1]
	if colours.Name != "colour" || colours.Named.Value != 0 || colours.Elsewhere.Value != 1 {
		t.Errorf("colours: %+v", colours)
	}
	if last != 40 || r.Pictures != 40 || r.Objects+colours.Objects+r.NoRoom != named || r.Objects < 40 || r.All.Objects != r.Objects {
		t.Errorf("%d of %d objects, no room for %d, progress %d", r.Objects, named, r.NoRoom, last)
	}
	if r.All.Elsewhere.Value != 1 {
		t.Errorf("blocking elsewhere leaves %v", r.All.Elsewhere)
	}
	sum, kept := 0, 0.0
	for _, w := range r.Words {
		want := 0.0
		if w.Name == "bike" || w.Name == "bikes" {
			want = 1
			bikes -= w.Objects
		}
		if w.Named.Value != want {
			t.Errorf("%s is still named in %v, want %v", w.Name, w.Named.Value, want)
		}
		sum += w.Objects
		kept += want * float64(w.Objects)
	}
	near(t, "still named", r.All.Named.Value, kept/float64(sum))
	if bikes < 0 || bikes > r.NoRoom || kept == 0 {
		t.Errorf("%d bikes are missing, %d of all had no room", bikes, r.NoRoom)
	}
	for i, k := range r.Kinds {
		if want := [...]scenes.Kind{scenes.Person, scenes.Animal, scenes.Thing, scenes.Colour}[i]; k.Name != want.String() {
			t.Errorf("kind %d is %s, want %s", i, k.Name, want)
		}
		if k.Name != "colour" {
			sum -= k.Objects
		}
	}
	if sum != 0 {
		t.Errorf("kinds and words differ by %d objects", sum)
	}
	again, err := Block(context.Background(), s, set, BlockOptions{Seed: 1, Options: Options{Workers: 1}})
	if err != nil || !reflect.DeepEqual(r, again) {
		t.Errorf("the second time it is %+v (%v)", again, err)
	}
}

func TestPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	grid := [2]int{2, 2}
	d := Deletion{Input: [2]int{16, 16}, Stride: 8}
	if !d.place(rectangle(0, 0, 8, 16), grid, 0, r) || !slices.Equal(d.Cells, []bool{true, false, true, false}) || !slices.Equal(d.Elsewhere, []bool{false, true, false, true}) {
		t.Errorf("the left half blocks %v and %v", d.Cells, d.Elsewhere)
	}
	var seen [4]int
	for range 300 { // the one cell goes to each of the others
		if !d.place(rectangle(8, 0, 9, 1), grid, 0, r) || !slices.Equal(d.Cells, []bool{false, true, false, false}) {
			t.Fatalf("one pixel blocks %v", d.Cells)
		}
		seen[slices.Index(d.Elsewhere, true)]++
	}
	if seen[1] != 0 || min(seen[0], seen[2], seen[3]) < 60 {
		t.Errorf("elsewhere is %v of 300 times in each cell", seen)
	}
	if d.place(rectangle(0, 0, 9, 9), grid, 0, r) || d.place(rectangle(0, 0, 0, 0), grid, 0, r) || d.place(rectangle(0, 0, 1, 1), grid, 1, r) {
		t.Error("there is room for all cells, or none to block")
	}
	wide := Deletion{Input: [2]int{16, 16}, Stride: 4}
	if !wide.place(rectangle(0, 4, 4, 8), [2]int{4, 4}, 1, r) || !slices.Equal(wide.Cells, []bool{
		true, true, false, false, true, true, false, false, true, true, false, false, false, false, false, false,
	}) {
		t.Errorf("dilated: %v", wide.Cells)
	}
}

func TestStillNamed(t *testing.T) {
	cases := []struct {
		text, name string
		kind       scenes.Kind
		want       bool
	}{
		{"a man on a red bicycle", "bike", scenes.Thing, true},
		{"two bikes", "bicycles", scenes.Thing, true},
		{"a person in the snow", "men", scenes.Person, true},
		{"a person in the snow", "dog", scenes.Animal, false},
		{"a woman in the snow", "man", scenes.Person, false},
		{"a dog", "dogs", scenes.Animal, true},
		{"a dog in a green field", "green", scenes.Colour, false},
		{"a green ball in a field", "green", scenes.Colour, true},
		{"", "dog", scenes.Animal, false},
	}
	for _, c := range cases {
		if got := stillNamed(wordsOf(said(nil, strings.Fields(c.text)...)), c.name, c.kind); got != c.want {
			t.Errorf("%q names %s: %v", c.text, c.name, got)
		}
	}
	for other, word := range usual {
		if !slices.Contains(scenes.Words(), other) || !slices.Contains(scenes.Words(), word) {
			t.Errorf("%s or %s isn't a word of the scenes", other, word)
		}
	}
}

func TestBlockErrors(t *testing.T) {
	set := Set{Count: 2, Size: 16}
	f := &fake{result: said(nil, "a")}
	if r, err := Block(context.Background(), f, set, BlockOptions{}); err != nil || r.Objects != 0 {
		t.Errorf("captions without objects: %+v, %v", r, err)
	}
	if _, err := Block(context.Background(), f, set, BlockOptions{Dilate: -1}); err == nil || !strings.Contains(err.Error(), "-1 cells") {
		t.Errorf("a negative number: %v", err)
	}
	if _, err := Block(context.Background(), f, Set{}, BlockOptions{}); err == nil {
		t.Error("an empty set is no error")
	}
	if _, _, err := Delete(seer{}, scenes.Scene{Image: rectangle(0, 0, 1, 1)}, BlockOptions{}); err == nil || !strings.Contains(err.Error(), "unknown picture") {
		t.Errorf("a captioner that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Block(ctx, f, set, BlockOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
