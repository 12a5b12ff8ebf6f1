package vit

// jeonsworldTable: ViT-pytorch (jeonsworld), which many fine-tune, and what was
// made from it. It is Google's model in PyTorch, but with the exact GELU.
var jeonsworldTable = table{
	layout: Jeonsworld,
	anchor: "transformer.embeddings.patch_embeddings.weight",
	rows: join(
		linear("transformer.embeddings.patch_embeddings", "patch"),
		[]row{
			{file: "transformer.embeddings.cls_token", ours: "class_token"},
			{file: "transformer.embeddings.position_embeddings", ours: "positions"},
		},
		linear(jeonsworldBlock+"attention_norm", "block_#/norm1"),
		stacked("block_#/attn/qkv", jeonsworldBlock+"attn.query", jeonsworldBlock+"attn.key", jeonsworldBlock+"attn.value"),
		linear(jeonsworldBlock+"attn.out", "block_#/attn/out"),
		linear(jeonsworldBlock+"ffn_norm", "block_#/norm2"),
		linear(jeonsworldBlock+"ffn.fc1", "block_#/mlp/fc1"),
		linear(jeonsworldBlock+"ffn.fc2", "block_#/mlp/fc2"),
		linear("transformer.encoder.encoder_norm", "norm"),
		linear("head", "head"),
	),
	heads: []string{"head"},
	block: dottedBlock,
	defaults: func(c *Config) PosResize {
		c.NormEps = 1e-6
		return ZoomLinear
	},
}

const jeonsworldBlock = "transformer.encoder.layer.#."
