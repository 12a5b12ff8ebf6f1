package vit

// hfEmbeddings is the embeddings, the same in all of transformers' families.
var hfEmbeddings = join(
	linear("embeddings.patch_embeddings.projection", "patch"),
	[]row{
		{file: "embeddings.cls_token", ours: "class_token"},
		{file: "embeddings.position_embeddings", ours: "positions"},
	},
	linear("layernorm", "norm"),
)

// hfAttention is a block's attention below the block's name: as files have it,
// and as transformers 5 names it in memory.
func hfAttention(block string) []row {
	return join(
		stacked("block_#/attn/qkv",
			block+".attention.attention.query", block+".attention.attention.key", block+".attention.attention.value"),
		linear(block+".attention.output.dense", "block_#/attn/out"),
		stacked("block_#/attn/qkv",
			block+".attention.q_proj", block+".attention.k_proj", block+".attention.v_proj"),
		linear(block+".attention.o_proj", "block_#/attn/out"),
	)
}

// hfViTBlock is a block of ViT and DeiT: file names, then in-memory ones.
func hfViTBlock(block string) []row {
	return join(hfAttention(block),
		linear(block+".layernorm_before", "block_#/norm1"),
		linear(block+".layernorm_after", "block_#/norm2"),
		linear(block+".intermediate.dense", "block_#/mlp/fc1"),
		linear(block+".output.dense", "block_#/mlp/fc2"),
		linear(block+".mlp.fc1", "block_#/mlp/fc1"),
		linear(block+".mlp.fc2", "block_#/mlp/fc2"),
	)
}

const hfAnchor = "embeddings.patch_embeddings.projection.weight"

// hfUnused is what transformers saves and no forward pass to logits reads.
var hfUnused = []string{"embeddings.mask_token", "pooler.dense.weight", "pooler.dense.bias", "embeddings.position_ids"}

// hfViTTable: ViTModel and ViTForImageClassification. Blocks are under
// encoder.layer in files and under layers in memory.
var hfViTTable = table{
	layout:   HFViT,
	anchor:   hfAnchor,
	rows:     join(hfEmbeddings, hfViTBlock("encoder.layer.#"), hfViTBlock("layers.#"), linear("classifier", "head")),
	ignore:   hfUnused,
	heads:    []string{"classifier"},
	block:    dottedBlock,
	defaults: hfDefaults(1e-12),
}

// hfDeiTTable: DeiTModel, DeiTForImageClassification (one head, on the class
// token) and DeiTForImageClassificationWithTeacher (two heads, averaged).
var hfDeiTTable = table{
	layout: HFDeiT,
	anchor: hfAnchor,
	rows: join(hfViTTable.rows,
		[]row{{file: "embeddings.distillation_token", ours: "dist_token"}},
		linear("cls_classifier", "head"),
		linear("distillation_classifier", "head_dist")),
	ignore:   hfUnused,
	heads:    []string{"classifier"},
	block:    dottedBlock,
	defaults: hfDefaults(1e-12),
}

// hfDinov2Table: Dinov2Model, Dinov2ForImageClassification and their
// counterparts with registers. The giant's gated MLP is one packed layer in
// files and two layers in memory.
var hfDinov2Table = table{
	layout: HFDinov2,
	anchor: hfAnchor,
	rows: join(hfEmbeddings, hfAttention("encoder.layer.#"),
		hfDinov2Block("encoder.layer.#"),
		[]row{{file: "embeddings.register_tokens", ours: "registers"}},
		linear("classifier", "head")),
	ignore:   hfUnused,
	heads:    []string{"classifier"},
	block:    dottedBlock,
	defaults: hfDefaults(1e-6),
}

func hfDinov2Block(block string) []row {
	return join(
		linear(block+".norm1", "block_#/norm1"),
		linear(block+".norm2", "block_#/norm2"),
		linear(block+".mlp.fc1", "block_#/mlp/fc1"),
		linear(block+".mlp.fc2", "block_#/mlp/fc2"),
		linear(block+".mlp.weights_in", "block_#/mlp/fc1"),
		linear(block+".mlp.weights_out", "block_#/mlp/fc2"),
		stacked("block_#/mlp/fc1", block+".mlp.gate_proj", block+".mlp.up_proj"),
		linear(block+".mlp.down_proj", "block_#/mlp/fc2"),
		[]row{
			{file: block + ".layer_scale1.lambda1", ours: "block_#/scale1"},
			{file: block + ".layer_scale2.lambda1", ours: "block_#/scale2"},
		},
	)
}

// hfDefaults: transformers resizes positions without antialiasing, but with it
// in the models that have registers.
func hfDefaults(eps float64) func(*Config) PosResize {
	return func(c *Config) PosResize {
		c.NormEps = eps
		if c.Registers > 0 {
			return TimmBicubic
		}
		return HFBicubic
	}
}

// hfCLIPTable: the vision towers of transformers' CLIP and SigLIP models
// (CLIPVisionModel, SiglipVisionModel and the models that hold them). Their heads,
// projections and attention pooling aren't computed.
var hfCLIPTable = table{
	layout: HFCLIP,
	anchor: "embeddings.patch_embedding.weight",
	rows: join(
		linear("embeddings.patch_embedding", "patch"),
		[]row{
			{file: "embeddings.class_embedding", ours: "class_token", fix: toTokens},
			{file: "embeddings.position_embedding.weight", ours: "positions", fix: toTokens},
		},
		linear("pre_layrnorm", "pre_norm"), // so it is spelled
		linear("encoder.layers.#.layer_norm1", "block_#/norm1"),
		stacked("block_#/attn/qkv",
			"encoder.layers.#.self_attn.q_proj", "encoder.layers.#.self_attn.k_proj", "encoder.layers.#.self_attn.v_proj"),
		linear("encoder.layers.#.self_attn.out_proj", "block_#/attn/out"),
		linear("encoder.layers.#.layer_norm2", "block_#/norm2"),
		linear("encoder.layers.#.mlp.fc1", "block_#/mlp/fc1"),
		linear("encoder.layers.#.mlp.fc2", "block_#/mlp/fc2"),
		linear("post_layernorm", "norm"),
	),
	ignore:   []string{"embeddings.position_ids"},
	block:    dottedBlock,
	section:  "vision_config",
	headless: "transformers' classifiers on CLIP and SigLIP read means of tokens that aren't computed",
	defaults: func(c *Config) PosResize {
		c.NormEps = 1e-5
		return HFBicubic
	},
}
