package captions

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
	"gaze/pkg/explain"
	"gaze/pkg/transform"
)

// catSayer says the same of every picture, and looks at the first cell for each word.
type catSayer struct{ cfg caption.Config }

func (c catSayer) Config() caption.Config { return c.cfg }

func (c catSayer) Caption(images []*transform.Image, _ caption.Options) ([]caption.Result, error) {
	var out []caption.Result
	for range images {
		r := caption.Result{Text: "a cat sits", Grid: [2]int{2, 2}, Input: [2]int{16, 16}}
		for i, text := range []string{"a", "kit", "##ten", "sits", "[SEP]"} {
			r.Tokens = append(r.Tokens, caption.Token{ID: 4 + i, Text: text})
			r.Attention = append(r.Attention, [][][]float32{{{0.25, 0.25, 0.25, 0.25}}, {{0.7, 0.1, 0.1, 0.1}}})
		}
		out = append(out, r)
	}
	return out, nil
}

// smallExplained is a captioner of random weights for catSayer's captions.
func smallExplained(t *testing.T) (catSayer, *explain.WordExplainer) {
	t.Helper()
	cfg := caption.Small(10)
	cfg.Dim, cfg.Hidden, cfg.Heads, cfg.EncoderLayers, cfg.DecoderLayers, cfg.LongestSide = 16, 16, 1, 1, 2, 16
	m, err := caption.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := explain.NewWordExplainer(b, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return catSayer{cfg}, e
}

// kittens are pictures whose cat lies on one cell after another.
func kittens(count int) Pictures {
	return PetPictures("kittens", count, func(i int) (Pet, error) {
		im := &transform.Image{Width: 16, Height: 16, Channels: 3, Pix: make([]uint8, 3*16*16)}
		for k := range im.Pix {
			im.Pix[k] = uint8(k * (i + 3))
		}
		x, y := i%2*8, i/2%2*8
		return Pet{Image: im, Mask: rectangle(x, y, x+8, y+8), Species: "cat"}, nil
	})
}

func TestEvaluateRelevance(t *testing.T) {
	c, e := smallExplained(t)
	r, err := EvaluateRelevance(context.Background(), c, e, kittens(8), RelevanceOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{LastLayer, MeanLayers, "rollout", "gradcam", "chefer", "chefer-decoder"}; !slices.Equal(r.Ways, want) {
		t.Errorf("ways %q, want %q", r.Ways, want)
	}
	if !slices.Equal(r.Words, []string{"kitten"}) || len(r.Said) != 8 || r.HitChance != 0.25 || r.ShareChance != 0.25 {
		t.Errorf("%d words, %q, chance %g and %g", len(r.Said), r.Words, r.HitChance, r.ShareChance)
	}
	last, _ := r.Score(Nouns, LastLayer)
	flow, _ := r.Score(Nouns, "rollout")
	if last.Hit.Value != 0.25 || math.Abs(last.Share.Value-0.25) > 0.008 || last.HitGain.Value != 0 || last.KeptGain.High != 0 {
		t.Errorf("the last layer: %+v", last)
	}
	if flow.Words != 8 || math.Abs(flow.HitGain.Value-(flow.Hit.Value-last.Hit.Value)) > 1e-9 || flow.HitGain.Low > flow.HitGain.Value || flow.HitGain.High < flow.HitGain.Value {
		t.Errorf("rollout: %+v", flow)
	}
	text, err := json.Marshal([]*Relevance{r})
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseRelevance(text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again[0], r) {
		t.Errorf("read again, the record is\n%+v, not\n%+v", again[0], r)
	}
	rows := r.Table(Nouns).Rows
	if len(rows) != 7 || rows[4][0] != "relevance (Chefer et al.)" || rows[6][1] != nil {
		t.Errorf("the table: %v", rows)
	}
}

// TestEvaluateRelevanceWithoutMasks judges the nouns of photographs by what is left of them.
func TestEvaluateRelevanceWithoutMasks(t *testing.T) {
	c, e := smallExplained(t)
	p := kittens(2)
	load := p.Load
	p.Load = func(i int) (scenes.Scene, error) {
		s, err := load(i)
		s.Nouns = nil
		return s, err
	}
	r, err := EvaluateRelevance(context.Background(), c, e, p, RelevanceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := r.Score(Nouns, AnyOrder)
	if !ok || s.Hit != nil || s.Words != 2 || !(s.Kept.Value > 0 && s.Kept.Value < 1) || !slices.Equal(r.Words, []string{"kitten"}) {
		t.Errorf("%+v of %q", s, r.Words)
	}
}

func TestEvaluateRelevanceErrors(t *testing.T) {
	c, e := smallExplained(t)
	for name, x := range map[string]struct {
		pictures Pictures
		options  RelevanceOptions
		want     string
	}{
		"none":         {Pictures{}, RelevanceOptions{}, "0 pictures"},
		"no attention": {kittens(1), RelevanceOptions{Options: Options{Caption: caption.Options{NoAttention: true}}}, "need attention"},
		"nothing named": {PetPictures("dogs", 1, func(i int) (Pet, error) {
			p := Pet{Image: &transform.Image{Width: 16, Height: 16, Channels: 3, Pix: make([]uint8, 3*16*16)}, Mask: rectangle(0, 0, 8, 8), Species: "dog"}
			return p, nil
		}), RelevanceOptions{}, "no caption has a word"},
	} {
		if _, err := EvaluateRelevance(context.Background(), c, e, x.pictures, x.options); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
	for _, text := range []string{`{}`, `[null]`, `[{"ways":["a"],"said":[0],"words":["x"],"kinds":["animal"],"per_picture":[2]}]`, `[{"kept":["?"]}]`} {
		if _, err := ParseRelevance([]byte(text)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestExpectedHit(t *testing.T) {
	cover := []float64{0, 1, 0.5, 0.001}
	for _, x := range []struct {
		m    []float32
		want float64
	}{
		{[]float32{0, 3, 1, 2}, 1}, {[]float32{3, 0, 0, 0}, 0}, {[]float32{0, 0, 0, 1}, 0}, {[]float32{0, 0, 0, 0}, 0.5}, {[]float32{2, 2, 0, 1}, 0.5},
	} {
		if got := expectedHit(x.m, cover); got != x.want {
			t.Errorf("%v hits %g, want %g", x.m, got, x.want)
		}
	}
}

func TestHiding(t *testing.T) {
	m := []float32{5, 1, 4, 2, 3, 0, 0, 0, 0, 0}
	asks := hiding(3, m, []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0})
	var counts []int
	for _, a := range asks {
		n := 0
		for _, on := range a.Cells {
			if on {
				n++
			}
		}
		counts = append(counts, n)
	}
	if want := []int{1, 3}; !slices.Equal(counts, want) || !asks[0].Cells[0] || !asks[1].Cells[2] || !asks[1].Cells[4] || asks[1].Cells[3] {
		t.Errorf("%v cells are hidden, want %v", counts, want)
	}
}
