package vit

import (
	"fmt"
	"regexp"
)

// torchvisionTable: torchvision's VisionTransformer, the vit_b_16 family with the
// weights of torchvision and of SWAG. Files of torchvision before 0.13 call the
// MLP's layers linear_1 and linear_2.
var torchvisionTable = table{
	layout: Torchvision,
	anchor: "conv_proj.weight",
	rows: join(
		linear("conv_proj", "patch"),
		[]row{
			{file: "class_token", ours: "class_token"},
			{file: "encoder.pos_embedding", ours: "positions"},
		},
		linear(torchvisionBlock+"ln_1", "block_#/norm1"),
		[]row{
			{file: torchvisionBlock + "self_attention.in_proj_weight", ours: "block_#/attn/qkv/weight"},
			{file: torchvisionBlock + "self_attention.in_proj_bias", ours: "block_#/attn/qkv/bias"},
		},
		linear(torchvisionBlock+"self_attention.out_proj", "block_#/attn/out"),
		linear(torchvisionBlock+"ln_2", "block_#/norm2"),
		linear(torchvisionBlock+"mlp.0", "block_#/mlp/fc1"),
		linear(torchvisionBlock+"mlp.3", "block_#/mlp/fc2"),
		linear(torchvisionBlock+"mlp.linear_1", "block_#/mlp/fc1"),
		linear(torchvisionBlock+"mlp.linear_2", "block_#/mlp/fc2"),
		linear("encoder.ln", "norm"),
		linear("heads.pre_logits", "pre_logits"),
		linear("heads.head", "head"),
	),
	heads: []string{"heads.head", "heads"},
	block: regexp.MustCompile(`encoder_layer_(\d+)\.`),
	defaults: func(c *Config) PosResize {
		c.NormEps = 1e-6
		if c.Representation > 0 {
			c.PreLogits = PreLogitsToken
		}
		return TorchvisionBicubic
	},
}

const torchvisionBlock = "encoder.layers.encoder_layer_#."

// torchvisionPipeline is what torchvision's weights of these models ask for. What
// it can't tell apart: SWAG's linear heads on 224 pixels are for pictures whose
// short side is 224, bicubic.
func torchvisionPipeline(c Config) string {
	short, crop, filter := 256, c.ImageSize[0], "bilinear"
	switch {
	case crop >= 384: // SWAG, fine-tuned
		short, filter = crop, "bicubic"
	case c.Dim == 1024 && c.PatchSize[0] == 16: // vit_l_16
		short = 242
	case crop != 224:
		short = crop * 256 / 224
	}
	return fmt.Sprintf("resize(%d,%s) | centercrop(%d) | totensor | %s", short, filter, crop, normalizeImageNet)
}
