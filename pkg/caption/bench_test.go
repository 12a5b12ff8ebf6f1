package caption

import (
	"fmt"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/nn"
	"gaze/pkg/transform"
)

// benchPieces is the length of the captions that are timed: 20 pieces, about as
// long as COCO's longer ones. Drawn weights hardly ever say [SEP].
const benchPieces = 20

// BenchmarkCaption times CATR at full size, from preprocessed pictures to pieces
// with every layer's attention.
func BenchmarkCaption(b *testing.B) {
	c := fullCaptioner(b)
	for _, k := range []struct{ batch, beam int }{{1, 1}, {8, 1}, {1, 5}} {
		b.Run(fmt.Sprintf("batch%d/beam%d", k.batch, k.beam), func(b *testing.B) {
			var inputs []*transform.Tensor
			for i := range k.batch {
				inputs = append(inputs, testInput(fmt.Sprint("bench ", i), 224, 299))
			}
			said := 0
			once := func() {
				results, err := c.CaptionTensors(inputs, Options{MaxTokens: benchPieces, Beam: k.beam, LengthPenalty: 1})
				if err != nil {
					b.Fatal(err)
				}
				for _, r := range results {
					said += len(r.Tokens)
				}
			}
			once() // compiles
			said = 0
			b.Log("backend:", c.net.backend.Name())
			for b.Loop() {
				once()
			}
			b.ReportMetric(float64(said)/b.Elapsed().Seconds(), "pieces/s")
		})
	}
}

// BenchmarkRecompute times the same caption as CATR's predict.py makes it: the
// picture and all 128 slots of the decoder anew for every piece.
func BenchmarkRecompute(b *testing.B) {
	c := fullCaptioner(b)
	n, cfg := c.net, c.config
	picture := testInput("bench 0", 224, 299)
	once := func() {
		tokens, pads := make([]int32, cfg.MaxPositions), make([]bool, cfg.MaxPositions)
		for i := range pads {
			pads[i] = i > 0
		}
		tokens[0] = int32(cfg.StartID)
		for i := range benchPieces {
			images, ids := must(input(n, picture.Data, 1, 3, 224, 299)), must(input(n, tokens, 1, len(tokens)))
			padding, at := must(input(n, pads, 1, len(pads))), must(input(n, []int32{int32(i)}, 1))
			results, err := run(n, "recompute", func(scope *model.Scope, images, tokens, pads, at *Node) *Node {
				logits := Decode(scope, cfg, Encode(scope, cfg, images, nil), tokens, pads).Logits
				return ArgMax(Gather(Reshape(logits, cfg.MaxPositions, cfg.Vocab), Reshape(at, 1, 1)), -1)
			}, images, ids, padding, at)
			if err != nil {
				b.Fatal(err)
			}
			next := results[0].Value().([]int32)[0]
			tokens[i+1], pads[i+1] = next, false
			nn.Free(images, ids, padding, at, results[0])
		}
	}
	once()
	for b.Loop() {
		once()
	}
	b.ReportMetric(float64(benchPieces*b.N)/b.Elapsed().Seconds(), "pieces/s")
}
