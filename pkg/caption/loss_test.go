package caption

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// TestLoss computes the losses of captions with padding, two of each picture,
// again in float64 from the logits and maps.
func TestLoss(t *testing.T) {
	cfg := readConfig(t, "patch")
	const rows, length = 2, 5
	tokens := []int32{1, 7, 9, 2, 0, 1, 5, 8, 8, 2}
	for _, b := range testBackends(t) {
		m := drawnModel(t, cfg)
		n, err := newNetwork(b, m, false)
		if err != nil {
			t.Fatal(err)
		}
		grid := cfg.Grid(24, 20)
		cells := grid[0] * grid[1]
		maps := make([]float32, rows*(length-1)*cells)
		at := func(row, step int) []float32 { return maps[(row*(length-1)+step)*cells:][:cells] }
		at(0, 1)[0], at(0, 1)[3] = 0.25, 0.75
		at(1, 0)[2] = 1
		inputs := []any{
			must(input(n, stream("picture", 3*24*20), 1, 3, 24, 20)), must(input(n, tokens, rows, length)),
			must(input(n, maps, rows, length-1, cells)),
		}
		out, err := run(n, "losses", func(scope *model.Scope, in []*Node) []*Node {
			images, tokens, maps := in[0], in[1], in[2]
			pass := Decode(scope, cfg, Encode(scope, cfg, images, nil), tokens, nil)
			l := Loss(cfg, pass, tokens, &TargetMaps{maps, 0.5})
			plain := Loss(cfg, pass, tokens, nil)
			return []*Node{
				Stack([]*Node{l.Total, l.CrossEntropy, l.Divergence, l.Correct, l.Tokens, plain.Total}, 0),
				pass.Logits, pass.Layers[len(pass.Layers)-1].Cross,
			}
		}, inputs...)
		if err != nil {
			t.Fatal(err)
		}
		got, logits, cross := flat(t, out[0]), flat(t, out[1]), flat(t, out[2])
		n.close()

		var entropy, kl, correct, pieces float64
		for row := range rows {
			for step := range length - 1 {
				next := tokens[row*length+step+1]
				for c := range cells {
					want := float64(at(row, step)[c])
					if want == 0 {
						continue
					}
					seen := 0.0
					for h := range cfg.Heads {
						seen += float64(cross[((row*cfg.Heads+h)*length+step)*cells+c]) / float64(cfg.Heads)
					}
					kl += want * math.Log(want/seen) / 2 // two maps are taught
				}
				if next == 0 {
					continue
				}
				line := logits[(row*length+step)*cfg.Vocab:][:cfg.Vocab]
				sum, best := 0.0, 0
				for i, v := range line {
					sum += math.Exp(float64(v))
					if v > line[best] {
						best = i
					}
				}
				entropy += math.Log(sum) - float64(line[next])
				pieces++
				if best == int(next) {
					correct++
				}
			}
		}
		entropy /= pieces
		for i, want := range []float64{entropy + kl/2, entropy, kl, correct, pieces, entropy} {
			if math.Abs(float64(got[i])-want) > 2e-5*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: loss %d is %g, want %g", b.Name(), i, got[i], want)
			}
		}
	}
}
