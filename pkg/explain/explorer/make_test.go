package explorer

import (
	"slices"
	"strings"
	"testing"

	"gaze/pkg/caption"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// TestOf checks what a comparison becomes.
func TestOf(t *testing.T) {
	chefer, err := explain.FindMethod("chefer")
	if err != nil {
		t.Fatal(err)
	}
	rollout, err := explain.FindMethod("rollout")
	if err != nil {
		t.Fatal(err)
	}
	m := explain.Map{Rows: 1, Cols: 2, Values: []float32{0, 1}}
	c := &explain.Comparison{Picture: "p", Model: "m", Seen: transform.NewImage(4, 2, 3), Labels: []string{"cat", "dog"}, Logits: []float32{0, 0},
		Notes:   map[string]string{"chefer": "rank 1 of 2"},
		Entries: []explain.Entry{{Method: rollout, Class: -1, Against: -1, Map: m}, {Method: chefer, Class: 1, Against: -1, Map: m}, {Method: chefer, Class: 0, Against: 1, Map: m}}}
	p, err := Of(c)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Group{{"dog", "50 %"}, {"cat rather than dog", ""}}; !slices.Equal(p.Groups, want) {
		t.Errorf("the groups are %v, not %v", p.Groups, want)
	}
	if p.Maps[0].Group != "" || p.Maps[1].Group != "dog" || p.Maps[1].Note != "rank 1 of 2" || p.Rows != 1 || p.Cols != 2 {
		t.Errorf("the picture is %+v", p)
	}
	if _, err := p.data(); err != nil {
		t.Error(err)
	}
	if _, err := Of(&explain.Comparison{Picture: "p"}); err == nil {
		t.Error("a comparison without maps makes a picture")
	}
}

// TestOfCaption checks words that come again, and cells beyond the picture.
func TestOfCaption(t *testing.T) {
	tokens := []caption.Token{{ID: 1, Text: "a"}, {ID: 2, Text: "cat"}, {ID: 1, Text: "a"}}
	r := caption.Result{Text: "a cat a", Tokens: tokens, Grid: [2]int{2, 2}, Input: [2]int{28, 32}}
	for range tokens {
		r.Attention = append(r.Attention, [][][]float32{{{0.1, 0.2, 0.3, 0.4}}, {{0.4, 0.3, 0.2, 0.1}}})
	}
	c := &explain.Captioned{Picture: "p", Image: transform.NewImage(32, 28, 3), Result: r, Stride: 16}
	for i, token := range tokens {
		c.Words = append(c.Words, explain.CaptionWord{Text: token.Text, Pieces: []int{i}})
	}
	p, err := OfCaption(c)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range p.Groups {
		names = append(names, g.Name)
	}
	if got := strings.Join(names, ","); got != "a,cat,a (2)" {
		t.Errorf("the words are %s", got)
	}
	if p.Covered != [2]float64{1.75, 2} || len(p.Maps) != 6 || p.Maps[0].Name != "Decoder layer 1" {
		t.Errorf("%g cells are covered, %d maps, first %s", p.Covered, len(p.Maps), p.Maps[0].Name)
	}
	if _, err := p.data(); err != nil {
		t.Error(err)
	}
}

// TestOnPatches checks which weights are kept of attention between all tokens.
func TestOnPatches(t *testing.T) {
	cfg := vit.Config{ImageSize: [2]int{2, 2}, PatchSize: [2]int{1, 2}, ClassToken: true, Registers: 1, Heads: 1}
	var all []float32
	for i := range 16 {
		all = append(all, float32(i))
	}
	if got := onPatches(all, cfg); !slices.Equal(got, []float32{2, 3, 6, 7, 10, 11, 14, 15}) {
		t.Errorf("kept %v", got)
	}
	if got := tokensOf(cfg); !slices.Equal(got, []string{"[class]", "[register 1]"}) {
		t.Errorf("the tokens are %q", got)
	}
}
