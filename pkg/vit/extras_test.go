package vit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// zeroTensor is a tensor of zeros, given as "name 3 4".
func zeroTensor(t testing.TB, spec string) *weights.Tensor {
	t.Helper()
	fields := strings.Fields(spec)
	var shape []int
	for _, f := range fields[1:] {
		n := 0
		if _, err := fmt.Sscan(f, &n); err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		shape = append(shape, n)
	}
	return weights.NewTensor(fields[0], shape, make([]float32, product(shape)))
}

func zeroTensors(t testing.TB, specs string) []*weights.Tensor {
	t.Helper()
	var list []*weights.Tensor
	for _, s := range strings.Split(specs, ",") {
		list = append(list, zeroTensor(t, s))
	}
	return list
}

// counterTensor is a single whole number.
func counterTensor(name string) *weights.Tensor {
	one := weights.NewInt64s(name, []int64{3})
	one.Shape = []int{}
	return one
}

// What stands behind the blocks or beside the model is passed over and named; the
// model is the same with it as without.
func TestPassedOver(t *testing.T) {
	headless := squareConfig()
	headless.Classes = 0
	for _, c := range []struct{ prefix, extra, want string }{
		{"", "fc.weight 7 128, fc.bias 7", "fc (2 tensors)"},
		{"", "classifier.weight 7 128, classifier.bias 7", "classifier (2 tensors)"},
		{"", "species_head.weight 7 128, species_head.bias 7", "species_head"},
		{"", "head.mlp.0.weight 9 128, head.mlp.0.bias 9, head.mlp.2.weight 128 9, head.mlp.2.bias 128, head.last_layer.weight_g 4 1, head.last_layer.weight_v 4 128", "head (6 tensors)"},
		{"", "head.0.weight 64 128, head.1.weight 64, head.1.bias 64, head.1.running_mean 64, head.3.weight 128 64", "head (5 tensors)"},
		{"", "my_layer.weight 7 128, my_layer.bias 7", "my_layer (2 tensors)"},
		{"", "my_layer.0.weight 7 128, my_layer.0.bias 7, my_layer.2.weight 3 7, my_layer.2.bias 3", "my_layer (4 tensors)"},
		{"", "arcface.weight 7 128", "arcface.weight"},
		{"", "arc.W 7 128", "arc.W"},
		{"", "criterion.center 1 7", "criterion.center"},
		{"", "dino_loss.center 1 7", "dino_loss.center"},
		{"", "loss_fn.prototypes 7 128", "loss_fn.prototypes"},
		{"", "prototypes.weight 7 128", "prototypes.weight"},
		{"", "queue 128 7", "queue"},
		{"", "mask_token 1 1 128", "mask_token"},
		{"", "decoder_embed.weight 128 128, decoder_embed.bias 128, decoder_pos_embed 1 17 128, decoder_blocks.0.norm1.weight 128, decoder_norm.weight 128, decoder_pred.weight 48 128", "decoder_embed (2 tensors)"},
		{"", "masked_embed 1 128", "masked_embed"},
		{"blip.", "query_tokens 1 4 128, qformer.cls_token 1 1 128", "query_tokens, qformer.cls_token"},
		{"", "attn_pool.latent 1 1 128, attn_pool.q.weight 128 128", "attn_pool (2 tensors)"},
		{"", "logit_scale 1", "logit_scale"},
		{"", "projection_head.0.weight 128 128, projection_head.0.bias 128", "projection_head (2 tensors)"},
		{"", "predictor.weight 128 128", "predictor.weight"},
		{"backbone.", "head.mlp.0.weight 9 128, loss.weight 3", "head.mlp.0.weight, loss.weight"},
		{"backbone.", "neck.weight 128, neck.bias 128, whatever.weight 128 128", "neck (2 tensors), whatever.weight"},
		{"encoder.", "decoder.bert.embeddings.word_embeddings.weight 9 128, decoder.lm_head.bias 9", "decoder (2 tensors)"},
		{"image.visual.", "image.text.token_embedding.weight 9 128, image.logit_scale 1", "image.text.token_embedding.weight, image.logit_scale"},
		{"state_dict.model.", "state_dict.loss.weights 3, dino_loss.center 1 9", "state_dict.loss.weights, dino_loss.center"},
		{"0.", "1.weight 7 128, 1.bias 7", "1 (2 tensors)"},
	} {
		want := scrambled(t, headless, 3)
		list := append(named(t, want, c.prefix), zeroTensors(t, c.extra)...)
		m, err := loadTensors(t, list, LoadOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.extra, err)
			continue
		}
		sameValues(t, c.extra, m, want)
		all := strings.Join(m.Warnings, "\n")
		if !strings.Contains(all, "passed over, since they play no part before the head: ") || !strings.Contains(all, c.want) {
			t.Errorf("%s: the warnings %q don't name %s", c.extra, all, c.want)
		}
		if d := m.Describe(); len(d.PassedOver) != len(strings.Split(c.extra, ",")) {
			t.Errorf("%s: %q are described", c.extra, d.PassedOver)
		}
		if err := m.CheckHead(); err == nil || !strings.Contains(err.Error(), "no classification head") {
			t.Errorf("%s: as a classifier: %v", c.extra, err)
		}
	}
}

// Counters, optimisers and what a program notes are passed over, too.
func TestCountersAndBookkeeping(t *testing.T) {
	want := timmModel(t, 3)
	list := append(named(t, want, "state_dict."), counterTensor("state_dict.n_averaged"), counterTensor("state_dict.ema_updates"))
	for _, s := range []string{"optimizer.state.0.exp_avg 128 128", "optimizer_states.0.state.1.exp_avg 3", "scaler.scale 1", "rng_state.torch 9", "lr_schedulers.0.x 1", "amp.loss 1"} {
		list = append(list, zeroTensor(t, s))
	}
	m, err := loadTensors(t, list, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sameValues(t, "beside counters", m, want)
	if all := strings.Join(m.Warnings, "\n"); !strings.Contains(all, "state_dict.n_averaged, state_dict.ema_updates") || strings.Contains(all, "exp_avg") {
		t.Errorf("warnings %q", all)
	}
}

// What may change the tokens or the attention is an error that names it.
func TestExtrasThatMatter(t *testing.T) {
	for _, c := range []struct{ prefix, extra, want string }{
		{"", "blocks.0.attn.relative_position_bias_table 9 2", "relative position biases"},
		{"", "rel_pos_bias.relative_position_bias_table 9 2", "relative position biases"},
		{"", "blocks.1.attn.rel_pos_h 9 64", "relative position"},
		{"", "blocks.0.attn.q_norm.weight 64, blocks.0.attn.k_norm.weight 64", "norms of queries and keys"},
		{"", "blocks.0.attn.qkv.lora_A.weight 4 128", "LoRA"},
		{"", "blocks.0.adapter.down.weight 4 128, blocks.0.adapter.down.bias 4", "adapters"},
		{"", "blocks.0.gamma_3 128", "blocks.0.gamma_3"},
		{"", "blocks.0.attn.proj_l.weight 2 2", "talking heads"},
		{"", "blocks.1.attns.0.norm.weight 128", "parallel blocks"},
		{"", "blocks.0.attn.logit_scale 2", "blocks.0.attn.logit_scale"},
		{"", "blocks.0.mlp.norm.weight 20", "norms inside the MLP"},
		{"", "blocks.0.head.weight 5 128, blocks.0.head.bias 5", "blocks.0.head.weight"},
		{"", "rope.periods 16", "rotary"},
		{"", "rope_embed.freqs 16", "rotary"},
		{"", "patch_embed.norm.weight 128, patch_embed.norm.bias 128", "patch embedding of more than one layer"},
		{"", "patch_embed.backbone.0.conv.weight 4 3 7 7", "patch embedding of more than one layer"},
		{"", "norm_before.weight 128, norm_before.bias 128", "norm_before.bias"},
		{"", "ln_pre.weight 128", "ln_pre.weight"},
		{"", "prompt_embeddings 1 4 128", "prompt tokens"},
		{"", "prompt.weight 7 128, prompt.bias 7", "prompt tokens"},
		{"", "time_embed 1 4 128", "time_embed"},
		{"", "extra_tokens 1 4 128", "extra_tokens"},
		{"", "token_type.weight 2 128", "token_type.weight"},
		{"", "camera.weight 2 128", "camera.weight"},
		{"", "squeeze.weight 8 128, squeeze.bias 8, squeeze.up.weight 128 8, squeeze.up.bias 128", "squeeze.bias"},
		{"", "mixer.weight 128 128, mixer.bias 128", "mixer.bias"},
		{"", "stem.0.weight 4 3 3 3", "stem.0.weight"},
		{"backbone.", "prompt_learner.ctx 4 128, backbone.x 3", "backbone.x"},
		{"backbone.", "prompts.deep 2 4 128", "prompt tokens"},
		{"model.", "model.adapter.weight 128 128", "adapters"},
		{"", "aux_tokens 1 4 128", "aux_tokens"},
		{"", "output_pos_embed 1 4 128", "output_pos_embed"},
		{"backbone.", "cls_token 1 1 128", "left over: cls_token"},
		{"model.backbone.", "model.register_tokens 1 4 128", "model.register_tokens"},
	} {
		m, err := loadTensors(t, append(named(t, timmModel(t, 3), c.prefix), zeroTensors(t, c.extra)...), LoadOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "left over: ") {
			t.Errorf("%s: %v, want an error with %q", c.extra, err, c.want)
		}
		if m != nil {
			m.Close()
		}
	}
}

// Every layout tells what is behind its blocks from what is in them.
func TestExtrasOfEveryLayout(t *testing.T) {
	for _, c := range layoutCases() {
		m := c.model(t)
		list := append(writeAs(t, m, c.table, c.last, c.prefix), zeroTensor(t, c.prefix+"dino_loss.center 1 7"), zeroTensor(t, c.prefix+"arcface.weight 7 128"))
		got, err := loadTensors(t, list, LoadOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		sameValues(t, c.name, got, m)
		inside := slices.IndexFunc(list, func(w *weights.Tensor) bool {
			return strings.Contains(w.Name, "fc1") || strings.Contains(w.Name, "Dense_0") || strings.Contains(w.Name, "mlp") || strings.Contains(w.Name, "intermediate")
		})
		name := list[inside].Name
		odd := name[:strings.LastIndexAny(name, "./")+1] + "unheard_of"
		if _, err := loadTensors(t, append(list, zeroTensor(t, odd+" 3")), LoadOptions{}); err == nil || !strings.Contains(err.Error(), "left over: "+odd) {
			t.Errorf("%s: with %s: %v", c.name, odd, err)
		}
	}
}

// A head of another name is chosen by name, and what can't be one is refused.
func TestHeadNames(t *testing.T) {
	headless := squareConfig()
	headless.Classes = 0
	for _, c := range []struct {
		prefix, extra string
		choices       map[string]string // what is asked for: the module that is taken
		names         string            // in the error without a choice
	}{
		{"", "fc.weight 7 128, fc.bias 7", map[string]string{"fc": "fc", "fc.weight": "fc"}, "fc (7 classes)"},
		{"vit.", "fc.weight 7 128, fc.bias 7", map[string]string{"fc": "fc"}, "fc (7 classes)"},
		{"module.vit.", "module.classifier.1.weight 7 128, module.classifier.1.bias 7",
			map[string]string{"classifier": "module.classifier.1", "classifier.1": "module.classifier.1", "module.classifier.1": "module.classifier.1"}, "module.classifier.1 (7 classes)"},
		{"", "heads.species.weight 7 128, heads.species.bias 7, heads.age.weight 3 128, heads.age.bias 3",
			map[string]string{"species": "heads.species", "heads.age": "heads.age"}, "heads.species (7 classes), heads.age (3 classes)"},
		{"", "heads.species.1.weight 7 128, heads.species.1.bias 7, heads.age.1.weight 3 128, heads.age.1.bias 3",
			map[string]string{"species": "heads.species.1", "heads.age.1": "heads.age.1"}, "heads.species.1 (7 classes)"},
		{"backbone.", "other.weight 4 256, other.bias 4", map[string]string{"other": "other"}, "other (4 classes)"},
	} {
		extra := zeroTensors(t, c.extra)
		for i, w := range extra {
			values, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			for j := range values {
				values[j] = float32(i + 1)
			}
		}
		list := append(named(t, scrambled(t, headless, 3), c.prefix), extra...)
		m, err := loadTensors(t, list, LoadOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.extra, err)
			continue
		}
		if err := m.CheckHead(); m.Config.Classes != 0 || err == nil || !strings.Contains(err.Error(), c.names) || !strings.Contains(err.Error(), "--head-name") {
			t.Errorf("%s: %d classes, %v, want %q", c.extra, m.Config.Classes, err, c.names)
		}
		for asked, module := range c.choices {
			m, err := loadTensors(t, list, LoadOptions{Head: asked})
			if err != nil {
				t.Errorf("%s asked for: %v", asked, err)
				continue
			}
			at := slices.IndexFunc(extra, func(w *weights.Tensor) bool { return w.Name == module+".weight" })
			got, shape, err := m.Parameter("head/weight")
			if err != nil || !slices.Equal(shape, extra[at].Shape) || got[0] != float32(at+1) || m.CheckHead() != nil {
				t.Errorf("%s asked for: %v of %v (%v)", asked, shape, got[0], err)
			}
			if wide := extra[at].Shape[1] == 256; wide != (m.Config.Pool == PoolClassMean) {
				t.Errorf("%s: pooling %s", asked, m.Config.Pool)
			}
		}
		if _, err := loadTensors(t, list, LoadOptions{Head: "nothing"}); err == nil || !strings.Contains(err.Error(), "these would do: "+strings.Split(c.names, ",")[0]) {
			t.Errorf("%s: nothing asked for: %v", c.extra, err)
		}
	}
}

// Heads that can't be computed are told from those that can.
func TestHeadsThatWontDo(t *testing.T) {
	headless := squareConfig()
	headless.Classes = 0
	for _, c := range []struct{ extra, asked, want string }{
		{"fc.0.weight 8 128, fc.0.bias 8, fc.2.weight 3 8, fc.2.bias 3", "fc", "stands in fc with other layers, such as fc.2."},
		{"fc.0.weight 128, fc.0.bias 128, fc.1.weight 3 128, fc.1.bias 3", "fc.1", "stands in fc with other layers, such as fc.0."},
		{"classifier.fc1.weight 8 128, classifier.fc1.bias 8, classifier.fc2.weight 3 8, classifier.fc2.bias 3", "classifier", "with other layers, such as classifier.fc2."},
		{"head.0.running_mean 128, head.0.running_var 128, head.1.weight 3 128, head.1.bias 3", "head.1", "such as head.0.running_"},
		{"head.weight 3 64, head.bias 3", "", "head.weight reads 64 values of a picture, the model gives 128"},
		{"decoder_embed.weight 9 128, decoder_embed.bias 9", "decoder_embed", "leads into a decoder"},
		{"projection_head.weight 9 128", "projection_head", "no head called"},
		{"head.weight 3 128, head.bias 4", "", "isn't a linear layer"},
		{"head.weight 3 128 1 1, head.bias 3", "", "isn't a linear layer"},
		{"head.weight 3 128, head.bias 3, attn_pool.latent 1 1 128", "", "attn_pool.latent, which isn't computed, stands between"},
		{"head.weight 3 128, head.bias 3, bottleneck.weight 128", "", "bottleneck.weight, which isn't computed, stands between"},
		{"arcface.weight 3 128", "arcface", "no head called \"arcface\""},
	} {
		list := append(named(t, scrambled(t, headless, 3), ""), zeroTensors(t, c.extra)...)
		m, err := loadTensors(t, list, LoadOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.extra, err)
			continue
		}
		if m.Config.Classes != 0 {
			t.Errorf("%s: %d classes", c.extra, m.Config.Classes)
		}
		err = m.CheckHead()
		if c.asked != "" {
			_, err = loadTensors(t, list, LoadOptions{Head: c.asked})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.extra, err, c.want)
		}
		if headed, err := m.WithHead(2, nil, 1); err != nil || headed.CheckHead() != nil { // it can be trained all the same
			t.Errorf("%s: with a new head: %v", c.extra, err)
		}
	}
	// The layout's own head can be asked for, too, and another in its place.
	list := append(named(t, timmModel(t, 3), "vit."), zeroTensors(t, "other.weight 7 128, other.bias 7")...)
	for asked, classes := range map[string]int{"": 5, "head": 5, "vit.head": 5, "other": 7} {
		m, err := loadTensors(t, list, LoadOptions{Head: asked})
		if err != nil || m.Config.Classes != classes {
			t.Errorf("%q: %v, %v", asked, m, err)
		}
	}
}

// A linear head without a bias has one of zeros, and a warning says so.
func TestHeadWithoutBias(t *testing.T) {
	headless := squareConfig()
	headless.Classes = 0
	for name, asked := range map[string]string{"head": "", "head.1": "", "fc": "fc", "classifier": "classifier", "my_head.out": "my_head.out"} {
		list := append(named(t, scrambled(t, headless, 3), ""), zeroTensor(t, name+".weight 7 128"))
		m, err := loadTensors(t, list, LoadOptions{Head: asked})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		bias, shape, err := m.Parameter("head/bias")
		if err != nil || m.Config.Classes != 7 || !slices.Equal(shape, []int{7}) || slices.ContainsFunc(bias, func(v float32) bool { return v != 0 }) {
			t.Errorf("%s: %d classes, a bias %v of shape %v (%v)", name, m.Config.Classes, bias, shape, err)
		}
		if all := strings.Join(m.Warnings, "\n"); !strings.Contains(all, "the head "+name+" has no bias: took one of zeros") {
			t.Errorf("%s: warnings %q", name, all)
		}
	}
}

// A head in which fine-tuning has put a sequence is the layout's head; a warning
// says what is taken for granted.
func TestHeadInSequence(t *testing.T) {
	for module, warned := range map[string]bool{"head.0": false, "head.1": true} {
		m := timmModel(t, 3)
		list := named(t, m, "")
		for _, w := range list {
			w.Name = strings.Replace(w.Name, "head.", module+".", 1)
		}
		got, err := loadTensors(t, list, LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		sameValues(t, module, got, m)
		if said := strings.Contains(strings.Join(got.Warnings, "\n"), "took "+module+" for the head"); said != warned {
			t.Errorf("%s: warnings %q", module, got.Warnings)
		}
	}
}

// Files of other code bases are refused by that name.
func TestOtherCodeBases(t *testing.T) {
	for names, want := range map[string]string{
		"to_patch_embedding.1.weight 8, to_patch_embedding.2.weight 8 48, pos_embedding 1 5 8, transformer.layers.0.0.norm.weight 8": "lucidrains",
		"layers.0.blocks.0.attn.relative_position_bias_table 9 2, patch_embed.proj.weight 8 3 4 4":                                   "Swin Transformer",
		"stages.0.blocks.0.conv_dw.weight 8 1 7 7":                                                    "convolutional network of stages",
		"layer1.0.conv1.weight 4 4 3 3, conv1.weight 4 3 7 7":                                         "ResNet",
		"backbone.patch_embed.projection.weight 8 3 4 4, backbone.layers.0.ffn.layers.0.0.weight 8 8": "OpenMMLab",
		"blocks.0.mlp_tokens.fc1.weight 8 16, stem.proj.weight 8 3 4 4":                               "MLP-Mixer",
		"blocks.0.local_mp.conv1.weight 8 1 3 3, patch_embed.0.0.weight 8 3 3 3":                      "XCiT",
		"model.layer.0.attention.q_proj.weight 8 8, embeddings.patch_embeddings.weight 8 3 4 4":       "DINOv3",
		"mask_decoder.conv1.weight 8 8, vision_encoder.layers.0.attn.rel_pos_h 9 8":                   "Segment Anything",
		"base_model.model.blocks.0.attn.qkv.lora_A.weight 4 8":                                        "LoRA",
		"transformer.wte.weight 9 8, transformer.h.0.ln_1.weight 8":                                   "language model",
	} {
		if _, err := loadTensors(t, zeroTensors(t, names), LoadOptions{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "missing") {
			t.Errorf("%s: %v", names, err)
		}
	}
}

// A model without position embeddings has others than those that are added.
func TestNoPositions(t *testing.T) {
	list := slices.DeleteFunc(named(t, timmModel(t, 3), ""), func(w *weights.Tensor) bool { return w.Name == "pos_embed" })
	if _, err := loadTensors(t, list, LoadOptions{}); err == nil || !strings.Contains(err.Error(), "1 missing: pos_embed") || !strings.Contains(err.Error(), "rotary or relative") {
		t.Errorf("%v", err)
	}
}

// Of a file that isn't a plain Vision Transformer that is said, rather than what a
// configuration would have to say of it.
func TestExtrasBeforeConfig(t *testing.T) {
	cfg := squareConfig()
	cfg.Dim, cfg.Heads = 96, 2 // doesn't tell the heads
	m := scrambled(t, cfg, 3)
	if _, err := loadTensors(t, named(t, m, ""), LoadOptions{}); err == nil || !strings.Contains(err.Error(), "num_attention_heads") {
		t.Errorf("without a configuration: %v", err)
	}
	list := append(named(t, m, ""), zeroTensor(t, "blocks.0.attn.pool.weight 3"))
	if _, err := loadTensors(t, list, LoadOptions{}); err == nil || !strings.Contains(err.Error(), "left over: blocks.0.attn.pool.weight") {
		t.Errorf("with a tensor that matters: %v", err)
	}
}
