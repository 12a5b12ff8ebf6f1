package explain

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"gaze/pkg/caption"
	"gaze/pkg/nn"
	"gaze/pkg/transform"
)

// Hidden asks for a token's probability while no attention may reach some cells.
type Hidden struct {
	Token int
	Cells []bool // row by row, true for cells that nothing may attend to; nil: none
}

// Probabilities are those of a caption's tokens, given the tokens before, with cells hidden
// from all attention, in encoder and decoder ([caption.Options].Masked). They tell whether
// a word needs the cells that a map marks.
func (e *WordExplainer) Probabilities(picture *transform.Tensor, ids []int, asks []Hidden) ([]float64, error) {
	f, err := e.net.Features(picture)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	defer f.Free()
	if len(asks) == 0 {
		return nil, errors.New("explain: no probability is asked for")
	}
	var out []float64
	for at := 0; at < len(asks); at += mostWords {
		some, err := e.probabilities(f, ids, asks[at:min(at+mostWords, len(asks))])
		if err != nil {
			return nil, fmt.Errorf("explain: %w", err)
		}
		out = append(out, some...)
	}
	return out, nil
}

// probabilities answers at most mostWords asks. It repeats the last until there are as many.
func (e *WordExplainer) probabilities(f *caption.Features, ids []int, asks []Hidden) ([]float64, error) {
	cfg := e.Config()
	var r caption.Rows
	var targets []int32
	for i := range mostWords {
		a := asks[min(i, len(asks)-1)]
		if a.Token < 0 || a.Token >= len(ids) || ids[a.Token] < 0 || ids[a.Token] >= cfg.Vocab {
			return nil, fmt.Errorf("there is no token %d: the caption has %d, of a vocabulary of %d", a.Token, len(ids), cfg.Vocab)
		}
		if a.Cells == nil {
			a.Cells = make([]bool, f.Grid[0]*f.Grid[1])
		}
		r.Tokens = append(r.Tokens, append([]int{cfg.StartID}, ids[:len(ids)-1]...))
		r.Steps, r.Masked = append(r.Steps, a.Token), append(r.Masked, a.Cells)
		targets = append(targets, int32(ids[a.Token]))
	}
	wanted, err := nn.Input(e.backend, targets, mostWords)
	if err != nil {
		return nil, err
	}
	defer nn.Free(wanted)
	values, err := e.net.Program("probabilities", f, r, func(x *caption.Explained, more []*Node) []*Node {
		all := Iota(more[0].Graph(), shapes.Make(dtypes.Int32, 1, cfg.Vocab), 1)
		target := ConvertDType(Equal(ExpandAxes(more[0], -1), all), dtypes.Float32)
		return []*Node{ReduceSum(Mul(LogSoftmax(x.Logits, -1), target), -1)}
	}, wanted)
	if err != nil {
		return nil, err
	}
	var out []float64
	for i := range asks {
		p := math.Exp(float64(values[0][i]))
		if math.IsNaN(p) {
			return nil, fmt.Errorf("the probability of token %d is NaN: the weights or the picture are damaged", asks[i].Token)
		}
		out = append(out, p)
	}
	return out, nil
}
