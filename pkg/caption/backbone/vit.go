package backbone

import (
	"errors"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/vit"
)

// ViTOf is a Vision Transformer as a backbone, without its head: the patch tokens of its
// last layer, after the final norm, are the features of the cells. Pictures are normalised
// as its own pipeline does; a pipeline that scales them to another range than 0 to 1 is an
// error.
func ViTOf(m *vit.Model) (Config, error) {
	cfg := m.WithoutHead().Config
	b := Config{Kind: ViT, ViT: &cfg}
	p, err := m.Preprocessing()
	if err != nil {
		return b, fmt.Errorf("backbone: the Vision Transformer: %w", err)
	}
	tensor, normalize := p.Scaling()
	if tensor.Scale != 0 {
		return b, fmt.Errorf("backbone: the Vision Transformer's pictures are made by %s: only totensor can be carried out here", tensor)
	}
	b.Mean, b.Std = normalize.Mean, normalize.Std
	return b, b.validateViT()
}

func (b Config) validateViT() error {
	switch v := b.ViT; {
	case v == nil:
		return errors.New("a Vision Transformer without a configuration")
	case v.Dim < 1 || v.Depth < 1 || v.Heads < 1 || v.Dim%v.Heads != 0 || v.MLPDim < 1 || v.Channels != 3:
		return fmt.Errorf("a Vision Transformer %d wide, of %d blocks and %d heads, for %d channels", v.Dim, v.Depth, v.Heads, v.Channels)
	case v.Depth > maxLayers || v.Registers < 0 || v.Registers > maxLayers || max(v.Dim, v.MLPDim) > maxWidth:
		return fmt.Errorf("a Vision Transformer of a size beyond any model's (layers up to %d, widths up to %d)", maxLayers, maxWidth)
	case v.PatchSize[0] < 1 || v.PatchSize[0] != v.PatchSize[1]:
		return fmt.Errorf("a Vision Transformer with patches of %d×%d pixels: cells are square", v.PatchSize[0], v.PatchSize[1])
	case v.ImageSize[0] < v.PatchSize[0] || v.ImageSize[1] < v.PatchSize[0] || v.ImageSize[0]%v.PatchSize[0] != 0 || v.ImageSize[1]%v.PatchSize[0] != 0 ||
		max(v.ImageSize[0], v.ImageSize[1]) > maxSide:
		return fmt.Errorf("a Vision Transformer for pictures of %d×%d pixels in patches of %d", v.ImageSize[0], v.ImageSize[1], v.PatchSize[0])
	case v.Classes != 0:
		return errors.New("a Vision Transformer with a head: a backbone has none")
	}
	return b.validateScaling()
}

// validateScaling checks the mean and the standard deviation of channels.
func (b Config) validateScaling() error {
	if len(b.Mean) != len(b.Std) || len(b.Mean) != 0 && len(b.Mean) != 1 && len(b.Mean) != 3 {
		return fmt.Errorf("pictures normalised by %d means and %d deviations", len(b.Mean), len(b.Std))
	}
	for _, s := range b.Std {
		if !(s > 0) {
			return fmt.Errorf("pictures normalised by a deviation of %g", s)
		}
	}
	return nil
}

// visionTransformer computes features [batch, rows, columns, channels] of pictures
// [batch, 3, height, width], which have its own size.
func (m module) visionTransformer(images *Node) *Node {
	cfg := *m.cfg.ViT
	if d := images.Shape().Dimensions; d[2] != cfg.ImageSize[0] || d[3] != cfg.ImageSize[1] {
		exceptions.Panicf("backbone: pictures of %d×%d pixels, the Vision Transformer takes %d×%d", d[2], d[3], cfg.ImageSize[0], cfg.ImageSize[1])
	}
	x := vit.Forward(m.Scope(), cfg, images).Norm
	grid := cfg.Grid()
	x = Slice(x, AxisRange(), AxisRange(cfg.Prefix(), cfg.Tokens()))
	return Reshape(x, x.Shape().Dim(0), grid[0], grid[1], cfg.Dim)
}
