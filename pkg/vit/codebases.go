package vit

import (
	"regexp"
	"slices"
)

// otherCode recognises code bases whose weights can't be read by their tensors' names.
var otherCode = []struct {
	name *regexp.Regexp
	what string
}{
	{regexp.MustCompile(`(^|\.)to_patch_embedding\.`), "lucidrains' vit-pytorch, whose blocks aren't those of the paper's code (a norm on the flattened patch, no bias of query, key, value): its files aren't read"},
	{regexp.MustCompile(`relative_position_bias_table|relative_position_index`), "a Swin Transformer or BEiT, with relative position biases: those aren't read"},
	{regexp.MustCompile(`(^|\.)transformer\.resblocks\.\d+\.`), "CLIP in the names of OpenAI or open_clip, which don't tell its activation: use the same model's files for transformers (CLIPVisionModel) or timm (vit_…_clip_…)"},
	{regexp.MustCompile(`(^|\.)stages\.\d+\.|\.dwconv\.`), "a convolutional network of stages (ConvNeXt or the like)"},
	{regexp.MustCompile(`(^|\.)layer[1-4]\.\d+\.conv[12]\.|(^|\.)conv1\.weight$`), "a convolutional network (ResNet or the like)"},
	{regexp.MustCompile(`(^|\.)(wte|word_embeddings|embed_tokens|tok_embeddings)\.`), "a language model"},
	{regexp.MustCompile(`(^|\.)patch_embed\.projection\.|\.ffn\.layers\.0\.0\.`), "OpenMMLab (mmpretrain): its files aren't read; convert them to timm's names"},
	{regexp.MustCompile(`lora_[AB]\.|(^|\.)base_model\.model\.`), "LoRA adapters without the model: merge them (peft's merge_and_unload) and save that"},
}

// codeBase says which code base a file's names come from; "" if it isn't recognised.
func codeBase(names []string) string {
	for _, c := range otherCode {
		if slices.ContainsFunc(names, c.name.MatchString) {
			return "this seems to be " + c.what
		}
	}
	return ""
}

// foreignParts recognises tensors of a Vision Transformer that the forward pass doesn't
// have.
var foreignParts = []struct {
	name *regexp.Regexp
	what string
}{
	{regexp.MustCompile(`relative_position|rel_pos`), "relative position biases (BEiT, SAM), which aren't computed"},
	{regexp.MustCompile(`rope|rotary|freqs`), "rotary position embeddings (EVA-02, DINOv3), which aren't computed"},
	{regexp.MustCompile(`\.(q_norm|k_norm|q_ln|k_ln)\.`), "norms of queries and keys, which aren't computed"},
	{regexp.MustCompile(`lora_`), "LoRA adapters: merge them first (peft's merge_and_unload)"},
	{regexp.MustCompile(`adapter`), "adapters, which aren't computed"},
	{regexp.MustCompile(`prompt`), "prompt tokens, which aren't computed"},
	{regexp.MustCompile(`patch_embed.*\.(norm|backbone|conv)`), "a patch embedding of more than one layer, which isn't computed"},
	{regexp.MustCompile(`(q_bias|v_bias)$`), "the attention of BEiT or EVA, which isn't computed"},
	{regexp.MustCompile(`inner_attn_ln|ffn_ln|mlp\.norm`), "norms inside the MLP or the attention (EVA-02), which aren't computed"},
}

// foreignPart says what some left-over tensors are; "" if they aren't recognised.
func foreignPart(names []string) string {
	for _, f := range foreignParts {
		if slices.ContainsFunc(names, f.name.MatchString) {
			return f.what
		}
	}
	return ""
}
