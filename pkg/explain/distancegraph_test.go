package explain

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"gaze/pkg/backend"
	"gaze/pkg/nn"
	"gaze/pkg/vit"
)

// measuredOf runs [measured] on probabilities, [heads, tokens, tokens].
func measuredOf(probabilities []float32, cfg vit.Config) ([]float32, error) {
	b, err := backend.Default()
	if err != nil {
		return nil, err
	}
	input, err := nn.Input(b, probabilities, 1, cfg.Heads, cfg.Tokens(), cfg.Tokens())
	if err != nil {
		return nil, err
	}
	exec, err := NewExec(b, func(a, places *Node) *Node { return measured(a, 1, cfg.Prefix(), places) })
	if err != nil {
		return nil, err
	}
	out, err := exec.Call1(input, patchPlaces(cfg))
	if err != nil {
		return nil, err
	}
	return tensors.CopyFlatData[float32](out)
}
