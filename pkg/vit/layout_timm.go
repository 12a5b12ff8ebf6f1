package vit

import "strings"

// timmBlocks is the blocks as timm names them; original DINO and DINOv2 do too.
var timmBlocks = join(
	linear("blocks.#.norm1", "block_#/norm1"),
	linear("blocks.#.attn.qkv", "block_#/attn/qkv"),
	linear("blocks.#.attn.proj", "block_#/attn/out"),
	linear("blocks.#.norm2", "block_#/norm2"),
	linear("blocks.#.mlp.fc1", "block_#/mlp/fc1"),
	linear("blocks.#.mlp.fc2", "block_#/mlp/fc2"),
	[]row{
		{file: "blocks.#.ls1.gamma", ours: "block_#/scale1"},
		{file: "blocks.#.ls2.gamma", ours: "block_#/scale2"},
		{file: "blocks.#.gamma_1", ours: "block_#/scale1"}, // as DeiT III itself names them
		{file: "blocks.#.gamma_2", ours: "block_#/scale2"},
	},
	linear("patch_embed.proj", "patch"),
	linear("norm", "norm"),
	linear("head", "head"),
	[]row{
		{file: "cls_token", ours: "class_token"},
		{file: "pos_embed", ours: "positions"},
	},
)

// timmTable: timm's VisionTransformer and VisionTransformerDistilled.
var timmTable = table{
	layout: Timm,
	anchor: "patch_embed.proj.weight",
	rows: join(timmBlocks,
		linear("fc_norm", "pool_norm"),
		linear("norm_pre", "pre_norm"),
		linear("head_dist", "head_dist"),
		linear("pre_logits.fc", "pre_logits"), // files of timm before 0.8
		[]row{
			{file: "dist_token", ours: "dist_token"},
			{file: "reg_token", ours: "registers"},
		}),
	heads:  []string{"head"},
	stem:   timmStem,
	rename: dechunked,
	block:  dottedBlock,
	defaults: func(c *Config) PosResize {
		c.NormEps = 1e-6
		if c.PreNorm && !c.PatchBias { // the CLIP models
			c.NormEps = 1e-5
		}
		if c.Representation > 0 {
			c.PreLogits = PreLogitsToken
		}
		return TimmBicubic
	},
}

// dinov2Table: facebookresearch/dinov2.
var dinov2Table = table{
	layout: DINOv2,
	anchor: "patch_embed.proj.weight",
	rows: join(timmBlocks,
		linear("blocks.#.mlp.w12", "block_#/mlp/fc1"),
		linear("blocks.#.mlp.w3", "block_#/mlp/fc2"),
		[]row{{file: "register_tokens", ours: "registers"}}),
	ignore: []string{"mask_token"},
	needs:  "block_0/scale1", // MAE has a mask token, too
	rename: dechunked,
	block:  dottedBlock,
	defaults: func(c *Config) PosResize {
		c.NormEps = 1e-6
		if c.Registers > 0 { // those models were trained with the antialiased filter
			return TimmBicubic
		}
		return DINOv2Bicubic
	},
}

// dechunked drops the chunk from blocks.CHUNK.INDEX.…, as models made for sharded
// training name their blocks; the index counts through all chunks.
func dechunked(name string) string {
	parts := strings.SplitN(name, ".", 4)
	if len(parts) == 4 && parts[0] == "blocks" && isNumber(parts[1]) && isNumber(parts[2]) {
		return strings.Join([]string{"blocks", parts[2], parts[3]}, ".")
	}
	return name
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
