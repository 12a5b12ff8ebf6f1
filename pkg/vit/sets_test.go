package vit

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// named is a model's tensors under timm's names, each with a prefix.
func named(t testing.TB, m *Model, prefix string) []*weights.Tensor {
	t.Helper()
	return writeAs(t, m, &timmTable, false, prefix)
}

// loadTensors opens tensors as a safetensors file would have them.
func loadTensors(t testing.TB, list []*weights.Tensor, o LoadOptions) (*Model, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := weights.WriteSafetensors(path, list, nil); err != nil {
		t.Fatal(err)
	}
	m, err := Open(path, o)
	if m != nil {
		t.Cleanup(func() { m.Close() })
	}
	return m, err
}

// timmModel has a head of five classes and values of its own.
func timmModel(t testing.TB, seed uint64) *Model { return scrambled(t, squareConfig(), seed) }

// Of two sets of weights, that is taken which the owner's own loader takes, and a
// warning names both. Containers of PyTorch files are prefixes like any other.
func TestSetsOfWeights(t *testing.T) {
	for _, c := range []struct{ right, wrong, why string }{
		{"state_dict_ema.", "state_dict.", "timm"},
		{"model_ema.", "model.", "timm"},
		{"model_ema.", "state_dict.", "timm"},
		{"state_dict.", "model.", ""},
		{"state_dict.", "ema_state_dict.", ""},
		{"state_dict.model.", "callbacks.EMA.ema_state_dict.", ""},
		{"state_dict.", "current_model_state.", ""},
		{"teacher.backbone.", "student.module.backbone.", "teacher"},
		{"teacher.", "student.", "teacher"},
		{"model.teacher.backbone.", "model.student.backbone.", "teacher"},
		{"state_dict.teacher_backbone.", "state_dict.student_backbone.", "teacher"},
		{"state_dict.module.base_encoder.", "state_dict.module.momentum_encoder.", "MoCo"},
		{"module.encoder_q.", "module.encoder_k.", "MoCo"},
		{"state_dict.backbone.", "state_dict.momentum_backbone.", "momentum"},
		{"backbone.", "backbone_momentum.", "momentum"},
		{"visual_encoder.", "visual_encoder_m.", "momentum"},
		{"online_encoder.net.", "target_encoder.net.", "BYOL"},
		{"target_encoder.module.", "encoder.module.", "I-JEPA"},
		{"ema.", "model.", "average"},
		{"ema.module.", "net.", "average"},
		{"state_dict.ema_model.", "state_dict.model.", "average"},
		{"ema_model.module.", "online_model.", "average"},
		{"ema_state_dict.", "model_state_dict.", "average"},
		{"params_ema.", "params.", "average"},
		{"weights_ema.", "weights.", "average"},
		{"image_tower_ema.", "image_tower.", "average"},
		{"model_state_dict.", "best_state_dict.", "the model"},
		{"model.", "dual.", ""},
		{"", "ema.", ""},
		{"model.", "model.ema.", ""},
	} {
		right, wrong := timmModel(t, 3), timmModel(t, 4)
		for _, turned := range []bool{false, true} {
			list := slices.Concat(named(t, right, c.right), named(t, wrong, c.wrong))
			if turned {
				list = slices.Concat(named(t, wrong, c.wrong), named(t, right, c.right))
			}
			m, err := loadTensors(t, list, LoadOptions{})
			if err != nil {
				t.Errorf("%s beside %s: %v", c.right, c.wrong, err)
				continue
			}
			sameValues(t, c.right+" beside "+c.wrong, m, right)
			all := strings.Join(m.Warnings, "\n")
			for _, part := range []string{"2 sets of weights", "took " + setName(c.right) + " (", "not " + setName(c.wrong), c.why, "--weights"} {
				if !strings.Contains(all, part) {
					t.Errorf("%s beside %s: the warnings %q don't say %q", c.right, c.wrong, all, part)
				}
			}
			if d := m.Describe(); d.Weights != setName(c.right) || len(d.Sets) != 2 {
				t.Errorf("%s beside %s: described as %q of %q", c.right, c.wrong, d.Weights, d.Sets)
			}
			other, err := loadTensors(t, list, LoadOptions{Weights: setName(c.wrong)})
			if err != nil {
				t.Errorf("%s asked for: %v", c.wrong, err)
				continue
			}
			sameValues(t, c.wrong+" asked for", other, wrong)
		}
	}
}

func sameValues(t *testing.T, what string, got, want *Model) {
	t.Helper()
	if !got.Config.Equal(want.Config) {
		t.Errorf("%s: configuration\n%+v, want\n%+v", what, got.Config, want.Config)
		return
	}
	for _, p := range want.Config.Parameters() {
		a, _, err1 := got.Parameter(p.Name)
		b, _, err2 := want.Parameter(p.Name)
		if err1 != nil || err2 != nil || !slices.Equal(a, b) {
			t.Errorf("%s: %s is of another set (%v, %v)", what, p.Name, err1, err2)
			return
		}
	}
}

// Checkpoints of DeiT's script are recognised by what lies beside the weights.
func TestDeiTKeys(t *testing.T) {
	deit := []string{"model", "optimizer", "lr_scheduler", "epoch", "model_ema", "scaler", "args"}
	for keys, want := range map[string]bool{
		strings.Join(deit, " "):                true,
		"model model_ema args scaler":          true,
		"model model_ema optimizer epoch":      false,
		"model model_ema opt sched ema_sched":  false, // k-diffusion
		"state_dict model_ema args scaler":     false,
		"model args scaler optimizer":          false,
		"model model_ema args epoch optimizer": false,
	} {
		if got := isDeiT(strings.Fields(keys)); got != want {
			t.Errorf("%s: %v", keys, got)
		}
	}
	a, b := &weightSet{prefix: "model."}, &weightSet{prefix: "model_ema."}
	for _, c := range []struct {
		keys []string
		want *weightSet
	}{{deit, a}, {[]string{"model", "model_ema"}, b}} {
		got, _, err := chooseSet([]*weightSet{a, b}, "", c.keys)
		if err != nil || got != c.want {
			t.Errorf("%v: %v, %v", c.keys, got, err)
		}
	}
	// torchvision's references/classification/train.py has the same keys.
	a.match, b.match = &match{table: &torchvisionTable}, &match{table: &torchvisionTable}
	if got, _, err := chooseSet([]*weightSet{a, b}, "", deit); err != nil || got != b {
		t.Errorf("torchvision's script: %v, %v", got, err)
	}
}

// What --weights may say, and what it answers to a name that isn't there.
func TestChooseSet(t *testing.T) {
	var sets []*weightSet
	for _, p := range []string{"teacher.backbone.", "student.module.backbone.", ""} {
		sets = append(sets, &weightSet{prefix: p})
	}
	for asked, want := range map[string]string{
		"teacher": "teacher.backbone.", "teacher.backbone": "teacher.backbone.", "teacher.backbone.": "teacher.backbone.",
		"student": "student.module.backbone.", "module.backbone": "student.module.backbone.", "module": "student.module.backbone.",
		"backbone": "teacher.backbone.", "top": "",
	} {
		got, _, err := chooseSet(sets, asked, nil)
		if err != nil || got.prefix != want {
			t.Errorf("%s: %+v, %v", asked, got, err)
		}
	}
	for _, asked := range []string{"ema", "teach", "backbone.teacher", "teacher.backbone.blocks"} {
		_, _, err := chooseSet(sets, asked, nil)
		if err == nil || !strings.Contains(err.Error(), "teacher.backbone, student.module.backbone, top") {
			t.Errorf("%s: %v", asked, err)
		}
	}
	two := []*weightSet{{prefix: "left."}, {prefix: "right."}}
	if _, _, err := chooseSet(two, "", nil); err == nil || !strings.Contains(err.Error(), "left, right; choose one with --weights") {
		t.Errorf("two of which nothing is known: %v", err)
	}
}

// Wrappers of torch.compile and of sharded training stand in the middle of names.
func TestWrappedNames(t *testing.T) {
	want := timmModel(t, 3)
	for _, put := range []string{"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "module._orig_mod.", "_forward_module.model."} {
		m, err := loadTensors(t, named(t, want, put), LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		sameValues(t, put, m, want)
	}
	list := named(t, want, "_fsdp_wrapped_module.")
	for _, w := range list {
		w.Name = strings.Replace(w.Name, "blocks.0.", "blocks.0._checkpoint_wrapped_module.", 1)
	}
	m, err := loadTensors(t, list, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sameValues(t, "checkpointed blocks", m, want)
}

// Any names give sets without a panic, and one of them or an error.
func FuzzSets(f *testing.F) {
	f.Add("a.patch_embed.proj.weight\na.blocks.0.mlp.fc2.weight\nb.patch_embed.proj.weight\nb.blocks.0.mlp.fc2.weight", "a")
	f.Add("patch_embed.proj.weight\nblocks.0.mlp.fc2.weight\nema.patch_embed.proj.weight\nema.blocks.0.mlp.fc2.weight", "")
	f.Add("opt/target/embedding/kernel\nopt/target/Transformer/encoderblock_0/MlpBlock_3/Dense_1/kernel", "opt")
	f.Fuzz(func(t *testing.T, text, asked string) {
		plain, inFile := plainNames(strings.Split(text, "\n"))
		if len(inFile) > len(plain) {
			t.Fatalf("%d names of %d", len(inFile), len(plain))
		}
		sets := findSets(plain)
		if len(sets) == 0 {
			if notAViT(plain) == nil {
				t.Fatal("no error without a set")
			}
			return
		}
		chosen, _, err := chooseSet(sets, asked, nil)
		if (chosen == nil) != (err != nil) {
			t.Fatalf("%v, %v", chosen, err)
		}
		if chosen == nil {
			return
		}
		none := func(string) *weights.Tensor { return nil }
		extra := chosen.sortExtras(sets, none)
		if len(extra.passed) > 0 && chosen.passedWarning(extra.passed) == "" {
			t.Fatal("nothing is said of what is passed over")
		}
		for _, l := range chosen.otherHeads(plain, 4, none) {
			t.Fatalf("a head without tensors: %v", l)
		}
		_ = fmt.Sprint(setsWarning(sets, chosen, ""))
	})
}
