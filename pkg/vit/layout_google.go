package vit

import (
	"regexp"
	"strings"
)

var flaxBlock = regexp.MustCompile(`encoderblock_(\d+)/`)

// flaxLinear is the rows of a flax Dense layer.
func flaxLinear(file, ours string, kernel fix) []row {
	return []row{{file + "/kernel", ours + "/weight", 0, kernel}, {file + "/bias", ours + "/bias", 0, flatten}}
}

func flaxNorm(file, ours string) []row {
	return []row{{file: file + "/scale", ours: ours + "/weight"}, {file: file + "/bias", ours: ours + "/bias"}}
}

// flaxRows is a Vision Transformer in flax, whose modules are numbered in the
// order of their making: within a block that differs between the two code bases.
func flaxRows(norm1, attention, norm2, mlp string) []row {
	const block = "Transformer/encoderblock_#/"
	rows := join(
		[]row{
			{"embedding/kernel", "patch/weight", 0, fromHWIO},
			{"embedding/bias", "patch/bias", 0, flatten},
			{"cls", "class_token", 0, toTokens},
		},
		flaxNorm(block+norm1, "block_#/norm1"),
		flaxLinear(block+attention+"/out", "block_#/attn/out", outLast),
		flaxNorm(block+norm2, "block_#/norm2"),
		flaxLinear(block+mlp+"/Dense_0", "block_#/mlp/fc1", inFirst),
		flaxLinear(block+mlp+"/Dense_1", "block_#/mlp/fc2", inFirst),
		flaxNorm("Transformer/encoder_norm", "norm"),
		flaxLinear("pre_logits", "pre_logits", inFirst),
		flaxLinear("head", "head", inFirst),
	)
	for i, name := range []string{"/query", "/key", "/value"} {
		for _, r := range flaxLinear(block+attention+name, "block_#/attn/qkv", inFirst) {
			r.part = i
			rows = append(rows, r)
		}
	}
	return rows
}

// googleTable: the .npz files of google-research/vision_transformer.
var googleTable = table{
	layout: GoogleNPZ,
	anchor: "embedding/kernel",
	rows: join(
		flaxRows("LayerNorm_0", "MultiHeadDotProductAttention_1", "LayerNorm_2", "MlpBlock_3"),
		[]row{{"Transformer/posembed_input/pos_embedding", "positions", 0, toTokens}}),
	stem:     googleStem,
	block:    flaxBlock,
	defaults: flaxDefaults,
}

// bigVisionTable: the .npz files of google-research/big_vision, with a class
// token or with the mean of the patches.
var bigVisionTable = table{
	layout: BigVision,
	anchor: "embedding/kernel",
	rows: join(
		flaxRows("LayerNorm_0", "MultiHeadDotProductAttention_0", "LayerNorm_1", "MlpBlock_0"),
		[]row{{"pos_embedding", "positions", 0, toTokens}}),
	rename:   func(name string) string { return strings.TrimPrefix(name, "params/") },
	stem:     googleStem,
	block:    flaxBlock,
	defaults: flaxDefaults,
}

// flaxDefaults: flax's gelu is the tanh approximation, its LayerNorm's epsilon
// 1e-6; positions were resized with scipy's zoom of order 1.
func flaxDefaults(c *Config) PosResize {
	c.NormEps = 1e-6
	c.Activation = GELUTanh
	if c.Representation > 0 {
		c.PreLogits = PreLogitsToken
	}
	return ZoomLinear
}
