package explain

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"gaze/pkg/nn"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Geometry is how far and how widely the patches look in each head, averaged over the
// patches of one or more pictures.
type Geometry struct {
	Model     string
	Pictures  []string
	Grid      [2]int           // rows and columns of patches
	PatchSize [2]int           // height and width of a patch, in pixels of the model's input
	HasClass  bool             // the model has a class token
	Others    int              // the number of distillation and register tokens
	Layers    [][]HeadGeometry // [layers][heads]
}

// HeadGeometry is one head's part of a [Geometry]: means over the queries that are patches.
type HeadGeometry struct {
	// Distance is Σ_j A_ij·‖p_i-p_j‖ over the keys j that are patches, whose weights are
	// scaled to sum to 1: the mean attention distance of the ViT paper (figure 11 of
	// arXiv:2010.11929), in pixels between the patches' centres.
	Distance float64
	Entropy  float64 // of these weights, in bits
	Class    float64 // the share of the attention that is on the class token, 0 to 1
	Others   float64 // the share that is on distillation and register tokens, 0 to 1
}

// GeometryOf runs a model on one decoded picture and measures where its heads look. The
// attention itself, [heads, tokens, tokens] of every layer, is reduced where the model
// runs. It also returns the model's warnings. The pipeline is as in [Attend].
func GeometryOf(r *vit.Runner, p transform.Pipeline, name string, im *transform.Image) (*Geometry, []string, error) {
	t, err := p.Tensor(im)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := r.Config().WithImageSize(t.Shape[1], t.Shape[2])
	if err != nil {
		return nil, nil, fmt.Errorf("explain: %s: %w", name, err)
	}
	if cfg.Patches() == 1 {
		return nil, nil, fmt.Errorf("explain: %s is a grid of 1×1 patch, in which there are no distances: use larger pictures, or a model with smaller patches", name)
	}
	places := tensors.FromValue(patchPlaces(cfg))
	defer nn.Free(places)
	o, err := r.Program("geometry", t.Data, [4]int{1, t.Shape[0], t.Shape[1], t.Shape[2]}, geometryProgram, places)
	if err != nil {
		return nil, nil, err
	}
	g := &Geometry{Model: cfg.Architecture(), Pictures: []string{name}, Grid: cfg.Grid(), PatchSize: cfg.PatchSize, HasClass: cfg.ClassToken, Others: cfg.Prefix()}
	if cfg.ClassToken {
		g.Others--
	}
	values := o.Arrays[0].Values // [layers, 4, heads]
	for i, v := range values {
		if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, fmt.Errorf("explain: %s: the attention of layer %d isn't finite (%g): look for weights or pixels that are far too large", name, i/(4*cfg.Heads), v)
		}
	}
	for l := range cfg.Depth {
		of := values[l*4*cfg.Heads:]
		heads := make([]HeadGeometry, cfg.Heads)
		for h := range heads {
			at := func(i int) float64 { return float64(of[i*cfg.Heads+h]) }
			heads[h] = HeadGeometry{Distance: at(0), Entropy: at(1), Class: at(2), Others: at(3)}
		}
		g.Layers = append(g.Layers, heads)
	}
	return g, o.Warnings, nil
}

// patchPlaces are the centres of the patches in pixels: y and x of each.
func patchPlaces(cfg vit.Config) [][]float32 {
	grid, patch := cfg.Grid(), cfg.PatchSize
	var out [][]float32
	for r := range grid[0] {
		for c := range grid[1] {
			out = append(out, []float32{(float32(r) + 0.5) * float32(patch[0]), (float32(c) + 0.5) * float32(patch[1])})
		}
	}
	return out
}

// MeanGeometry averages over pictures of one grid.
func MeanGeometry(all ...*Geometry) (*Geometry, error) {
	if len(all) == 0 || len(all[0].Layers) == 0 {
		return nil, errors.New("explain: there is no attention to measure")
	}
	first := *all[0]
	first.Pictures, first.Layers = nil, nil
	for l, heads := range all[0].Layers {
		first.Layers = append(first.Layers, make([]HeadGeometry, len(heads)))
		for _, g := range all {
			if g.Grid != first.Grid || g.PatchSize != first.PatchSize || len(g.Layers) != len(all[0].Layers) || len(g.Layers[l]) != len(heads) {
				return nil, fmt.Errorf("explain: %s has %d×%d patches and %d layers, %s has %d×%d and %d: distances are averaged over pictures of one size and model, so end the pipeline with a crop or resize to one size",
					all[0].Pictures[0], first.Grid[0], first.Grid[1], len(all[0].Layers), g.Pictures[0], g.Grid[0], g.Grid[1], len(g.Layers))
			}
			share := 1 / float64(len(all))
			for h, x := range g.Layers[l] {
				to := &first.Layers[l][h]
				to.Distance, to.Entropy = to.Distance+share*x.Distance, to.Entropy+share*x.Entropy
				to.Class, to.Others = to.Class+share*x.Class, to.Others+share*x.Others
			}
		}
	}
	for _, g := range all {
		first.Pictures = append(first.Pictures, g.Pictures...)
	}
	return &first, nil
}

// UniformDistance is the distance of a head that looks at all patches equally, in pixels.
func (g *Geometry) UniformDistance() float64 {
	var sum float64
	for dr := -g.Grid[0] + 1; dr < g.Grid[0]; dr++ {
		for dc := -g.Grid[1] + 1; dc < g.Grid[1]; dc++ {
			pairs := float64(g.Grid[0]-abs(dr)) * float64(g.Grid[1]-abs(dc))
			sum += pairs * math.Hypot(float64(dr*g.PatchSize[0]), float64(dc*g.PatchSize[1]))
		}
	}
	n := float64(g.Grid[0] * g.Grid[1])
	return sum / n / n
}
