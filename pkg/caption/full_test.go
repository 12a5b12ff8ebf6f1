package caption

import (
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/internal/realdata"
	"gaze/pkg/transform"
)

// fullCaptioner is CATR at full size with drawn weights, on the last of the
// backends.
func fullCaptioner(t testing.TB) *Captioner {
	t.Helper()
	if !realdata.Asked(t, "GAZE_FULL_SIZE") {
		t.Skip("the full-size captioner takes a minute and 1.5 GB: GAZE_FULL_SIZE=1 runs it")
	}
	list := testBackends(t)
	cfg := CATR()
	return newTestCaptioner(t, list[len(list)-1], cfg)
}

// pick takes n values evenly, as tools/golden/caption.py does.
func pick(values []float32, n int) []float32 {
	every := max(1, len(values)/n)
	var out []float32
	for i := 0; i < len(values) && len(out) < n; i += every {
		out = append(out, values[i])
	}
	return out
}

// TestFullSize compares CATR at full size with PyTorch: memory, logits and
// cross-attention of a picture of 224×299, and the words.
func TestFullSize(t *testing.T) {
	c := fullCaptioner(t)
	g, cfg, n := openGolden(t, "full"), c.config, c.net
	picture := testInput("full picture 0", 224, 299)
	want, _ := g.ints("greedy")
	results, err := c.CaptionTensors([]*transform.Tensor{picture}, Options{MaxTokens: len(want)})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(results[0]); !slices.Equal(got, want) {
		t.Errorf("greedy gives %v, want %v", got, want)
	}
	tokens := []int32{int32(cfg.StartID)}
	for _, id := range want[:len(want)-1] {
		tokens = append(tokens, int32(id))
	}
	got, err := run(n, "full", func(scope *model.Scope, images, tokens *Node) []*Node {
		m := Encode(scope, cfg, images, nil)
		d := Decode(scope, cfg, m, tokens, nil)
		nodes := []*Node{m.Tokens, d.Logits}
		for _, l := range d.Layers {
			nodes = append(nodes, l.Cross)
		}
		return nodes
	}, must(input(n, picture.Data, 1, 3, 224, 299)), must(input(n, tokens, 1, len(tokens))))
	if err != nil {
		t.Fatal(err)
	}
	memory, _ := g.floats("memory")
	logits, _ := g.floats("logits")
	cross, _ := g.floats("cross")
	check := func(what string, i int, want []float32) {
		if d := relative(t, pick(flat(t, got[i]), len(want)), want); d > parity {
			t.Errorf("%s: off by %.2g of its range", what, d)
		} else {
			t.Logf("%s: off by %.2g", what, d)
		}
	}
	check("memory", 0, memory)
	check("logits", 1, logits)
	for l := range cfg.DecoderLayers {
		check("cross-attention", 2+l, cross[l*40:(l+1)*40])
		for p := range want {
			whole := flat(t, got[2+l])
			for h := range cfg.Heads {
				cells := len(results[0].Attention[p][l][h])
				at := (h*len(want) + p) * cells
				if d := relative(t, results[0].Attention[p][l][h], whole[at:at+cells]); d > parity {
					t.Errorf("cached attention of piece %d, layer %d, head %d: off by %.2g", p, l, h, d)
				}
			}
		}
	}
}
