package caption

import (
	"errors"
	"fmt"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"

	"gaze/pkg/transform"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// ViTOf is a Vision Transformer as a backbone, without its head: the patch tokens of its
// last layer, after the final norm, are the features of the cells. Pictures are normalised
// as its own pipeline does; a pipeline that scales them to another range than 0 to 1 is an
// error.
func ViTOf(m *vit.Model) (Backbone, error) {
	cfg := m.WithoutHead().Config
	b := Backbone{Kind: ViT, ViT: &cfg}
	p, err := m.Preprocessing()
	if err != nil {
		return b, fmt.Errorf("caption: the Vision Transformer: %w", err)
	}
	b.Mean, b.Std = []float32{0}, []float32{1}
	for _, op := range p {
		switch op := op.(type) {
		case transform.Normalize:
			b.Mean, b.Std = op.Mean, op.Std
		case transform.ToTensor:
			if op.Scale != 0 {
				return b, fmt.Errorf("caption: the Vision Transformer's pictures are made by %s: only totensor can be carried out here", op)
			}
		}
	}
	return b, b.validateViT()
}

// WithViT is the model with the weights of a Vision Transformer in its backbone, from which
// a captioner can be trained.
func (m *Model) WithViT(v *vit.Model) (*Model, error) {
	want, err := ViTOf(v)
	if err != nil {
		return nil, err
	}
	if have := m.Config.Backbone; have.Kind != ViT || *have.ViT != *want.ViT {
		return nil, errors.New("caption: the captioner has another backbone than this Vision Transformer: make its configuration with ViTOf")
	}
	var list []*weights.Tensor
	for _, p := range m.Config.Parameters() {
		name, ok := strings.CutPrefix(p.Name, "backbone/")
		if !ok {
			continue
		}
		values, shape, err := v.Parameter(name)
		if err != nil {
			return nil, fmt.Errorf("caption: %w", err)
		}
		list = append(list, weights.NewTensor(p.Name, shape, values))
	}
	return m.WithParameters(list)
}

func (b Backbone) validateViT() error {
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
	case len(b.Mean) != len(b.Std) || len(b.Mean) != 0 && len(b.Mean) != 1 && len(b.Mean) != 3:
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
	cfg := *m.cfg.Backbone.ViT
	if d := images.Shape().Dimensions; d[2] != cfg.ImageSize[0] || d[3] != cfg.ImageSize[1] {
		exceptions.Panicf("caption.Encode: pictures of %d×%d pixels, the backbone takes %d×%d", d[2], d[3], cfg.ImageSize[0], cfg.ImageSize[1])
	}
	x := vit.Forward(m.Scope(), cfg, images).Norm
	grid := cfg.Grid()
	x = Slice(x, AxisRange(), AxisRange(cfg.Prefix(), cfg.Tokens()))
	return Reshape(x, x.Shape().Dim(0), grid[0], grid[1], cfg.Dim)
}

// preprocessViT resizes a picture to the size that the Vision Transformer takes.
func (c Config) preprocessViT(im *transform.Image) (*transform.Tensor, error) {
	b := c.Backbone
	mean, std := b.Mean, b.Std
	if len(mean) == 0 {
		mean, std = []float32{0.5}, []float32{0.5}
	}
	return transform.Pipeline{
		transform.ResizeTo{Height: b.ViT.ImageSize[0], Width: b.ViT.ImageSize[1], Filter: transform.Bicubic},
		transform.ToTensor{}, transform.Normalize{Mean: mean, Std: std},
	}.Tensor(im)
}
