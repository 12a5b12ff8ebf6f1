package main

import (
	"math"
	"path/filepath"
	"testing"

	"gaze/internal/realdata"
)

// TestRealAttention runs real weights on a real photograph and compares the attention
// with that of transformers (eager, float32) on the same input:
// the photograph letterboxed to 224x224, the weights in half precision.
func TestRealAttention(t *testing.T) {
	model := realdata.Path(t, "weights", "dinov2s_imgfocus", "dinov2_small_imgfocus_fp16.safetensors")
	photo := realdata.Path(t, "images", "pd_cc0", "chelsea.png")
	stored := realdata.Path(t, "weights", "dinov2s_imgfocus", "chelsea_last_layer_attn_1x6x257x257.npy")
	out := t.TempDir()
	ok(t, "attend", "--model", model, "-o", out, "--npy", "--pipeline",
		"resize(149,224,bicubic) | centercrop(224) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])", photo)
	shape, got := array(t, filepath.Join(out, "chelsea.npy"))
	if len(shape) != 2 || shape[0] != 16 || shape[1] != 16 {
		t.Fatalf("shape %v, want [16 16]", shape)
	}
	_, all := array(t, stored) // [1, heads, tokens, tokens]
	const heads, tokens = 6, 257
	worst := 0.0
	for i, v := range got {
		mean := 0.0
		for h := range heads {
			mean += float64(all[h*tokens*tokens+1+i]) / heads
		}
		worst = max(worst, math.Abs(float64(v)-mean))
	}
	// A hundredth of the error that half-precision weights would explain: measured 1.4e-5.
	if worst > 1e-4 {
		t.Errorf("differs by %g", worst)
	}
}
