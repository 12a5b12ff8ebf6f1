package caption

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/transform"
)

// blockedCells are every third cell of a grid, and its first row.
func blockedCells(cfg Config, t *transform.Tensor) []bool {
	grid := cfg.Grid(t.Shape[1], t.Shape[2])
	out := make([]bool, grid[0]*grid[1])
	for i := range out {
		out[i] = i < grid[1] || i%3 == 0
	}
	return out
}

// same compares captions with all their numbers, bit by bit.
func same(a, b Result) bool {
	return slices.Equal(a.Tokens, b.Tokens) && fmt.Sprint(a.Attention) == fmt.Sprint(b.Attention)
}

// TestBlockedHidden takes a backbone whose cells see their own pixels only. What
// stands in blocked cells must then not change a bit of the caption: neither its
// probabilities nor where it looked.
func TestBlockedHidden(t *testing.T) {
	cfg := readConfig(t, "patch_padded")
	cfg.EncoderLayers = 2
	for _, b := range testBackends(t) {
		c := newTestCaptioner(t, b, cfg)
		one, other := testInput("one", 48, 64), testInput("one", 48, 64)
		cells := blockedCells(cfg, one)
		stride := cfg.Backbone.Stride()
		for i, v := range testInput("other", 48, 64).Data {
			if y, x := i/64%48, i%64; cells[y/stride*(64/stride)+x/stride] {
				other.Data[i] = v
			}
		}
		caption := func(in *transform.Tensor, cells []bool) Result {
			t.Helper()
			list, err := c.CaptionTensors([]*transform.Tensor{in}, Options{MaxTokens: 6, Masked: [][]bool{cells}})
			if err != nil {
				t.Fatal(err)
			}
			return list[0]
		}
		if x, y := caption(one, nil), caption(other, nil); same(x, y) {
			t.Fatal("with nothing blocked the pictures have the same caption")
		}
		x, y := caption(one, cells), caption(other, cells)
		if !same(x, y) {
			t.Errorf("%s: what is blocked shows: %v and %v", b.Name(), x.Tokens, y.Tokens)
		}
		for _, piece := range x.Attention {
			for _, m := range slices.Concat(piece...) {
				for i, weight := range m {
					if cells[i] != (weight == 0) {
						t.Fatalf("%s: cell %d has weight %g, blocked %v", b.Name(), i, weight, cells[i])
					}
				}
			}
		}
	}
}

// TestBlockedBeside checks that blocking cells of one picture leaves those beside
// it as they are, bit by bit, and that no blocked cell is as no list.
func TestBlockedBeside(t *testing.T) {
	cfg := readConfig(t, "patch")
	c := newTestCaptioner(t, testBackends(t)[0], cfg)
	inputs := []*transform.Tensor{testInput("one", 64, 40), nil, testInput("two", 64, 64), testInput("three", 64, 40)}
	free, err := c.CaptionTensors(inputs, Options{})
	if err != nil {
		t.Fatal(err)
	}
	none := make([]bool, len(blockedCells(cfg, inputs[0])))
	got, err := c.CaptionTensors(inputs, Options{Masked: [][]bool{none, nil, blockedCells(cfg, inputs[2]), nil}})
	if err != nil {
		t.Fatal(err)
	}
	if !same(got[0], free[0]) || !same(got[3], free[3]) {
		t.Error("blocking another picture's cells changes a caption")
	}
	if same(got[2], free[2]) {
		t.Error("blocking cells changes nothing")
	}
}

func TestBlockedErrors(t *testing.T) {
	cfg := readConfig(t, "patch")
	c := newTestCaptioner(t, testBackends(t)[0], cfg)
	in := testInput("one", 64, 40)
	cells := blockedCells(cfg, in)
	for want, blocked := range map[string][][]bool{
		"of 2 pictures for 1": {cells, cells},
		"it has 8×5":          {cells[1:]},
		"nothing is left":     {slices.Repeat([]bool{true}, len(cells))},
	} {
		if _, err := c.CaptionTensors([]*transform.Tensor{in}, Options{Masked: blocked}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

// TestBlockedGolden compares captions of pictures with blocked cells with
// PyTorch's: pieces, log-probabilities and where each layer and head looked.
func TestBlockedGolden(t *testing.T) {
	g := openGolden(t, "blocked/captions")
	for i, b := range testBackends(t) {
		for _, name := range []string{"patch", "resnet50_dilated"} {
			if i > 0 && name != "patch" {
				continue // compiling takes its time there
			}
			cfg := readConfig(t, name)
			cfg.EndID = 39 // the reference doesn't stop
			c := newTestCaptioner(t, b, cfg)
			flatSizes, _ := openGolden(t, name).ints("sizes")
			var inputs []*transform.Tensor
			var blocked [][]bool
			for i, s := range pairs(flatSizes) {
				inputs = append(inputs, testInput(fmt.Sprintf("%s picture %d", name, i), s[0], s[1]))
				blocked = append(blocked, blockedCells(cfg, inputs[i]))
			}
			results, err := c.CaptionTensors(inputs, Options{Masked: blocked})
			if err != nil {
				t.Fatal(err)
			}
			var said []int
			var logProbs, maps []float32
			for _, r := range results {
				said = append(said, ids(r)...)
				for i, p := range r.Tokens {
					logProbs = append(logProbs, float32(p.LogProb))
					maps = append(maps, slices.Concat(slices.Concat(r.Attention[i]...)...)...)
				}
			}
			if want, _ := g.ints(name + "_greedy"); !slices.Equal(said, want) {
				t.Errorf("%s on %s says %v, want %v", name, b.Name(), said, want)
				continue
			}
			for what, got := range map[string][]float32{"_logprobs": logProbs, "_attention": maps} {
				want, _ := g.floats(name + what)
				if d := relative(t, got, want); d > 1e-4 {
					t.Errorf("%s%s on %s is off by %.2g", name, what, b.Name(), d)
				}
			}
		}
	}
}
