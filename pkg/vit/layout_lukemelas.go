package vit

// lukemelasTable: PyTorch-Pretrained-ViT (lukemelas), whose B_16_imagenet1k is
// the model of many courses. The projection after attention isn't under .attn;
// pre-logits, where a file has them, act on every token before the last norm.
var lukemelasTable = table{
	layout: Lukemelas,
	anchor: "patch_embedding.weight",
	rows: join(
		linear("patch_embedding", "patch"),
		[]row{
			{file: "class_token", ours: "class_token"},
			{file: "positional_embedding.pos_embedding", ours: "positions"},
		},
		linear("transformer.blocks.#.norm1", "block_#/norm1"),
		stacked("block_#/attn/qkv",
			"transformer.blocks.#.attn.proj_q", "transformer.blocks.#.attn.proj_k", "transformer.blocks.#.attn.proj_v"),
		linear("transformer.blocks.#.proj", "block_#/attn/out"),
		linear("transformer.blocks.#.norm2", "block_#/norm2"),
		linear("transformer.blocks.#.pwff.fc1", "block_#/mlp/fc1"),
		linear("transformer.blocks.#.pwff.fc2", "block_#/mlp/fc2"),
		linear("pre_logits", "pre_logits"),
		linear("norm", "norm"),
		linear("fc", "head"),
	),
	heads: []string{"fc"},
	block: dottedBlock,
	defaults: func(c *Config) PosResize {
		c.NormEps = 1e-6
		if c.Representation > 0 {
			c.PreLogits = PreLogitsAll
		}
		return ZoomLinear
	},
}
