package train

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/vit"
)

// TestFreezeExceptLast: exactly the last blocks, the norms after them and the heads learn.
func TestFreezeExceptLast(t *testing.T) {
	for _, c := range []struct {
		last    int
		learns  string
		further []string // frozen
	}{
		{1, "block_2/mlp/fc1/weight norm/bias pool_norm/weight pre_logits/weight head/weight head_dist/bias", []string{
			"block_1/norm1/weight", "block_0/attn/qkv/weight", "patch/weight", "positions", "class_token", "registers", "pre_norm/weight", "stem/conv/weight"}},
		{3, "block_0/attn/qkv/weight block_2/mlp/fc1/weight head/bias", []string{"patch/bias", "dist_token"}},
	} {
		rule := FreezeExceptLast(3, c.last)
		frozen := func(name string) bool {
			t := Treatment{RateScale: 1, DecayScale: 1}
			rule(name, nil, &t)
			return t.Frozen
		}
		for _, name := range strings.Fields(c.learns) {
			if frozen(name) {
				t.Errorf("last %d: %s is frozen", c.last, name)
			}
		}
		for _, name := range c.further {
			if !frozen(name) {
				t.Errorf("last %d: %s learns", c.last, name)
			}
		}
	}
}

// TestFreezeBlocks: a run with freeze=blocks:1 changes the last block and nothing before it.
func TestFreezeBlocks(t *testing.T) {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	f := fineTune(t, "lr=1e-2; epochs=1; batch=4; freeze=blocks:1")
	before, err := f.Model.ResizedTo(16, 16)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Run(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	after, err := vit.Load(filepath.Join(f.Dir, "best", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	for _, p := range after.Config.Parameters() {
		if strings.HasPrefix(p.Name, "head/") {
			continue // it is new
		}
		was, _, err := before.Parameter(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		is, _, err := after.Parameter(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		learns := strings.HasPrefix(p.Name, "block_1/") || strings.HasPrefix(p.Name, "norm/")
		if changed := !slices.Equal(was, is); changed != learns {
			t.Errorf("%s: changed %t", p.Name, changed)
		}
	}
}
