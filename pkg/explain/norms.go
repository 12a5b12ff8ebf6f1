package explain

import (
	"fmt"
	"math"

	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Norms are the lengths of a picture's tokens after every layer. A few patches with far
// longer tokens than the others are where models without registers keep what isn't about
// the patch ("Vision Transformers Need Registers", Darcet et al., arXiv:2309.16588).
type Norms struct {
	Picture, Model string
	Seen           *transform.Image // the part of the picture that the model saw
	Prefix         []string         // names of the tokens before the patches, in order
	Layers         []TokenNorms     // after each layer, from the first
}

// TokenNorms are the lengths of the tokens after one layer.
type TokenNorms struct {
	Patches     Map       // of each patch
	Prefix      []float64 // of the tokens before the patches
	Median, MAD float64   // of the patches: the median, and that of the distances from it
	Threshold   float64   // median + 6·MAD
	Outliers    []int     // patches above the threshold, in reading order
}

// outlierMADs is how many median absolute deviations above the median an outlier lies.
const outlierMADs = 6

// NormsOf runs a model on one decoded picture and measures its tokens after every block,
// before the last norm. It also returns the model's warnings. The pipeline is as in
// [Attend].
func NormsOf(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (*Norms, []string, error) {
	cfg := r.Config()
	o, seen, err := look(r, p, im, vit.Want{Tokens: cfg.AllLayers()})
	if err != nil {
		return nil, nil, err
	}
	n := &Norms{Picture: name, Model: cfg.Architecture(), Seen: seen, Prefix: cfg.PrefixTokens()}
	for l, tokens := range o.Tokens {
		t, err := normsOf(tokens.Values, cfg.Dim, cfg.Prefix(), o.Grid)
		if err != nil {
			return nil, nil, fmt.Errorf("explain: %s: layer %d: %w", name, l, err)
		}
		n.Layers = append(n.Layers, t)
	}
	return n, o.Warnings, nil
}

// normsOf measures tokens, [prefix+patches, dim].
func normsOf(tokens []float32, dim, prefix int, grid [2]int) (TokenNorms, error) {
	t := TokenNorms{Patches: Map{Rows: grid[0], Cols: grid[1]}}
	if grid[0]*grid[1] == 1 {
		return t, fmt.Errorf("a grid of 1×1 patch has no others to compare with: use larger pictures, or a model with smaller patches")
	}
	var patches []float64
	for i := range len(tokens) / dim {
		var sum float64
		for _, v := range tokens[i*dim : (i+1)*dim] {
			sum += float64(v) * float64(v)
		}
		norm := math.Sqrt(sum)
		switch {
		case math.IsNaN(norm) || math.IsInf(norm, 0):
			return t, fmt.Errorf("the output isn't finite (%g): look for weights or pixels that are far too large", norm)
		case i < prefix:
			t.Prefix = append(t.Prefix, norm)
		default:
			patches = append(patches, norm)
			t.Patches.Values = append(t.Patches.Values, float32(norm))
		}
	}
	t.Median = Median(patches)
	away := make([]float64, len(patches))
	for i, v := range patches {
		away[i] = math.Abs(v - t.Median)
	}
	t.MAD = Median(away)
	t.Threshold = t.Median + outlierMADs*t.MAD
	for i, v := range patches {
		if v > t.Threshold+1e-6*t.Median { // more than rounding, where most norms are equal
			t.Outliers = append(t.Outliers, i)
		}
	}
	return t, nil
}

// Layer returns the lengths after one layer. Layers count from 0; -1 is the last.
func (n *Norms) Layer(layer int) (TokenNorms, error) {
	l, err := Index(layer, len(n.Layers), "layer")
	if err != nil {
		return TokenNorms{}, err
	}
	return n.Layers[l], nil
}
