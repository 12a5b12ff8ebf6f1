package main

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/train"
)

func TestPlain(t *testing.T) {
	got := plain("A man's dog -- on the Beach, at 3 o'clock.")
	if want := strings.Fields("a man's dog on the beach at 3 o'clock"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestVocabulary(t *testing.T) {
	var sentences [][]string
	for range leastCount {
		sentences = append(sentences, strings.Fields("a man rides a skate"))
	}
	sentences = append(sentences, strings.Fields("a skateboarding zyx's man"))
	v, err := newVocabulary(sentences)
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string][]string{"man": {"man"}, "skateboarding": {"skate", "##boarding"}, "zyx": {"z", "##y", "##x"}} {
		var got []string
		for _, id := range v.Encode(word) {
			got = append(got, v.Token(id))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", word, got, want)
		}
	}
	if got := v.Decode(v.Encode("a man skateboarding")); got != "a man skateboarding" {
		t.Errorf("%q", got)
	}
	ids := encode(special, v, strings.Fields("a man"))
	if len(ids) != 4 || ids[0] != 1 || ids[3] != 2 {
		t.Errorf("tokens %v", ids)
	}
	if long := encode(special, v, slices.Repeat([]string{"a"}, 40)); len(long) != longest || long[longest-1] == 2 {
		t.Errorf("a long caption has %d tokens", len(long))
	}
}

// drawnGist is a gist of 30 pictures, of which the first half show cats.
func drawnGist(t *testing.T) *gist {
	t.Helper()
	pooled := drawn(30, 6, 9)
	var captions [][][]string
	for i := range pooled {
		thing := "dog"
		if i < 15 {
			thing = "cat"
			pooled[i][2] += 4
		}
		captions = append(captions, [][]string{{"a", thing}, {"the", thing, "sits"}})
	}
	g, err := newGist(pooled, captions)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGist(t *testing.T) {
	g := drawnGist(t)
	if !slices.Equal(g.concepts, []string{"sits", "cat", "dog"}) {
		t.Fatalf("concepts %q", g.concepts)
	}
	right := 0
	for i, values := range g.training {
		if (values[1] > values[2]) == (i < 15) {
			right++
		}
	}
	if right < 26 {
		t.Errorf("%d of 30 pictures are told apart by the fit without them", right)
	}
	r := random(1, 1, 0, 0)
	cats := 0
	for range 200 {
		if v := g.imagined([]string{"a", "cat"}, r); v[1] > v[2] {
			cats++
		}
	}
	if cats < 120 {
		t.Errorf("for %d of 200 captions of a cat, a cat is imagined", cats)
	}
}

// TestTextSource checks that an epoch repeats and resumes, has every sentence once, and that
// another epoch has another order.
func TestTextSource(t *testing.T) {
	g := drawnGist(t)
	s := &textSource{gist: g, seed: 3, batch: 4}
	for i := range 24 {
		ids := slices.Repeat([]int32{int32(i + 4)}, 3+i%9)
		s.all = append(s.all, sentence{[]string{"cat"}, ids, nil})
	}
	collect := func(epoch, from int) (list []train.Batch) {
		for b, err := range s.Batches(epoch, from) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, b)
		}
		return list
	}
	whole, resumed := collect(1, 0), collect(1, 4)
	if len(whole) != 6 || len(resumed) != 2 || !reflect.DeepEqual(whole[4:], resumed) {
		t.Errorf("%d batches, %d on resuming, or they differ", len(whole), len(resumed))
	}
	if reflect.DeepEqual(whole, collect(2, 0)) {
		t.Error("two epochs are the same")
	}
	seen := map[int32]int{}
	for _, b := range whole {
		tokens := b.Inputs[0]
		if tokens.Shape[1]%4 != 0 || len(b.Images) != 4*len(g.concepts) {
			t.Errorf("tokens %v, %d values of gists", tokens.Shape, len(b.Images))
		}
		for row := range 4 {
			seen[tokens.Ints[row*tokens.Shape[1]]]++
		}
	}
	if len(seen) != 24 {
		t.Errorf("%d sentences of 24 in an epoch", len(seen))
	}
}

func TestScale(t *testing.T) {
	s := scale{mean: []float32{1, 2}, deviation: []float32{2, 4}}
	x := []float32{3, 2, 1, 6}
	s.apply(x)
	if !slices.Equal(x, []float32{1, 0, 0, 1}) {
		t.Errorf("%v", x)
	}
	if math.IsNaN(float64(sqrt(2))) {
		t.Error("no root")
	}
}

func TestIsFree(t *testing.T) {
	for licence, want := range map[string]bool{
		"Attribution License": true, "Attribution-ShareAlike License": true, "No known copyright restrictions": true,
		"Attribution-NonCommercial License": false, "Attribution-NonCommercial-ShareAlike License": false, "": false,
	} {
		if isFree(licence) != want {
			t.Errorf("%q: %v", licence, !want)
		}
	}
}
