package vit

import (
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/realdata"
)

// Real weights in half precision, made from a DINOv2 small: the last layer's
// attention, stored from float32 weights, within what the rounding to 16 bits
// explains (transformers itself, given these weights, is off by 0.000886).
func TestRealDINOv2(t *testing.T) {
	dir := realdata.Path(t, "weights", "dinov2s_imgfocus")
	input := readNPY(t, filepath.Join(dir, "chelsea_input_1x3x224x224.npy"))
	want := readNPY(t, filepath.Join(dir, "chelsea_last_layer_attn_1x6x257x257.npy"))
	m, err := Load(filepath.Join(dir, "dinov2_small_imgfocus_fp16.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	d := m.Describe()
	if d.Layout != HFDinov2 || d.Architecture != "ViT-S/14" || d.Parameters != 22056192 || d.Grid != [2]int{37, 37} || d.Heads != 6 {
		t.Errorf("taken for %+v", d)
	}
	for _, b := range testBackends(t) {
		r, err := NewRunner(b, m)
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Run(input.Values, [4]int(input.Shape), Want{Attention: []int{-1}, ClassAttention: []int{-1}})
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(t, out.Attention[0], want); d > 1e-3 {
			t.Errorf("%s: attention off by %g", b.Name(), d)
		}
		if len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], "37×37 to 16×16") {
			t.Errorf("%s: warnings %q don't name both grids", b.Name(), out.Warnings)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
