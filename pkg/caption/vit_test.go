package caption

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// onViT is a captioner on a Vision Transformer with weights of its own: 2×3 patches
// of 8 pixels behind a class token and two registers.
func onViT(t *testing.T) (*Model, *vit.Model) {
	t.Helper()
	v, err := vit.New(vit.Config{
		ImageSize: [2]int{16, 24}, PatchSize: [2]int{8, 8}, Channels: 3, Dim: 12, Depth: 2, Heads: 3, MLPDim: 20,
		ClassToken: true, Registers: 2, NormEps: 1e-6, QKVBias: true, PatchBias: true, FinalNorm: true, Classes: 5,
	}, 9)
	if err != nil {
		t.Fatal(err)
	}
	b, err := backbone.ViTOf(v)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Small(12)
	cfg.Backbone, cfg.Dim, cfg.Heads, cfg.Hidden, cfg.EncoderLayers, cfg.LongestSide = b, 8, 2, 16, 1, 24
	m, err := New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.WithViT(v); err != nil {
		t.Fatal(err)
	}
	return m, v
}

// TestViTBackbone finds in the features what the Vision Transformer's own runner
// gives for the patches, and captions with them, also after saving and loading.
func TestViTBackbone(t *testing.T) {
	m, v := onViT(t)
	pixels := stream("picture", 3*16*24)
	for _, b := range testBackends(t) {
		runner, err := vit.NewRunner(b, v)
		if err != nil {
			t.Fatal(err)
		}
		out, err := runner.Run(pixels, [4]int{1, 3, 16, 24}, vit.Want{Norm: true})
		if err != nil {
			t.Fatal(err)
		}
		runner.Close()
		n, err := newNetwork(b, m, true)
		if err != nil {
			t.Fatal(err)
		}
		features, err := run(n, "features", func(scope *model.Scope, images *Node) []*Node {
			memory := Encode(scope, m.Config, images, nil)
			return []*Node{memory.Features, memory.Tokens} // the Go backend fails on nodes that come to nothing
		}, must(input(n, pixels, 1, 3, 16, 24)))
		if err != nil {
			t.Fatal(err)
		}
		got, want := flat(t, features[0]), out.Norm.Values[3*12:] // after the class token and the registers
		if len(got) != len(want) || len(got) != 2*3*12 {
			t.Fatalf("%d features, %d of the runner", len(got), len(want))
		}
		for i := range got {
			if math.Abs(float64(got[i]-want[i])) > 1e-5 {
				t.Fatalf("%s: feature %d is %v, the runner has %v", b.Name(), i, got[i], want[i])
			}
		}
		n.close()
	}
	path := filepath.Join(t.TempDir(), "captioner.safetensors")
	vocab, err := wordpiece.New([]string{"[PAD]", "[CLS]", "[SEP]", "[UNK]", "a", "b", "c", "d", "e", "f", "g", "h"})
	if err != nil {
		t.Fatal(err)
	}
	m.Vocab = vocab
	if err := m.Save(path, false); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	var texts [2]string
	for i, model := range []*Model{m, loaded} {
		c, err := NewCaptioner(testBackends(t)[0], model, nil)
		if err != nil {
			t.Fatal(err)
		}
		im := &transform.Image{Pix: make([]uint8, 3*50*20), Width: 50, Height: 20, Channels: 3}
		for k := range im.Pix {
			im.Pix[k] = uint8(37 * k)
		}
		r, err := c.Caption([]*transform.Image{im}, Options{MaxTokens: 6})
		if err != nil {
			t.Fatal(err)
		}
		if r[0].Grid != [2]int{2, 3} || r[0].Input != [2]int{16, 24} || len(r[0].Attention[0][0][0]) != 6 {
			t.Errorf("grid %v of input %v", r[0].Grid, r[0].Input)
		}
		texts[i] = r[0].Text
		c.Close()
	}
	if texts[0] != texts[1] {
		t.Errorf("%q, after loading %q", texts[0], texts[1])
	}
}

func TestViTBackboneRefuses(t *testing.T) {
	m, _ := onViT(t)
	if got := m.Config.Backbone.Channels(); got != 12 || m.Config.MaxCells() != 6 {
		t.Errorf("%d channels, %d cells", got, m.Config.MaxCells())
	}
	other, err := vit.New(vit.Config{
		ImageSize: [2]int{16, 16}, PatchSize: [2]int{8, 8}, Channels: 3, Dim: 12, Depth: 1, Heads: 3, MLPDim: 20, ClassToken: true, NormEps: 1e-6, FinalNorm: true,
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.WithViT(other); err == nil || !strings.Contains(err.Error(), "another backbone") {
		t.Errorf("another Vision Transformer's weights: %v", err)
	}
	if err := m.Config.Validate(); err != nil {
		t.Error(err)
	}
	m.Config.Backbone.ViT = nil
	if err := m.Config.Validate(); err == nil || !strings.Contains(err.Error(), "without a configuration") {
		t.Errorf("no configuration: %v", err)
	}
}
