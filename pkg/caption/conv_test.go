package caption

import (
	"context"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/convnet"
	"gaze/pkg/transform"
)

// onConv is a captioner on a small EfficientNet-Lite of stride 4.
func onConv(t *testing.T) (*Model, *convnet.Model) {
	t.Helper()
	n, err := convnet.New(convnet.Config{Kind: convnet.EfficientNetLite, Lite: &convnet.Lite{
		Stem: 4, Head: 12, NormEps: 1e-3,
		Stages: []convnet.LiteStage{{Blocks: 1, Channels: 4, Kernel: 3, Stride: 1, Expand: 1}, {Blocks: 2, Channels: 6, Kernel: 3, Stride: 2, Expand: 2}},
	}}, 5, 9)
	if err != nil {
		t.Fatal(err)
	}
	b, err := backbone.ConvOf(n)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Small(12)
	cfg.Backbone, cfg.Dim, cfg.Heads, cfg.Hidden, cfg.EncoderLayers, cfg.LongestSide = b, 8, 2, 16, 1, 24
	m, err := New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.WithConv(n); err != nil {
		t.Fatal(err)
	}
	return m, n
}

// TestConvBackbone finds in the features what the network's own runner gives, also after
// saving and loading.
func TestConvBackbone(t *testing.T) {
	m, n := onConv(t)
	path := filepath.Join(t.TempDir(), "captioner.safetensors")
	if err := m.Save(path, false); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	if !reflect.DeepEqual(loaded.Config, m.Config) {
		t.Errorf("read back as %+v", loaded.Config)
	}
	pixels := stream("picture", 3*15*24)
	for _, b := range testBackends(t) {
		runner, err := convnet.NewRunner(b, n)
		if err != nil {
			t.Fatal(err)
		}
		out, err := runner.Run(context.Background(), pixels, [4]int{1, 3, 15, 24}, convnet.Want{Map: true})
		if err != nil {
			t.Fatal(err)
		}
		runner.Close()
		net, err := newNetwork(b, loaded, true)
		if err != nil {
			t.Fatal(err)
		}
		features, err := run(net, "features", func(scope *model.Scope, images *Node) []*Node {
			memory := Encode(scope, m.Config, images, nil)
			return []*Node{memory.Features, memory.Tokens} // the Go backend fails on nodes that come to nothing
		}, must(input(net, pixels, 1, 3, 15, 24)))
		if err != nil {
			t.Fatal(err)
		}
		got, want := flat(t, features[0]), out.Map.Values
		if len(got) != len(want) || len(got) != 4*6*12 {
			t.Fatalf("%d features, %d of the runner", len(got), len(want))
		}
		for i := range got {
			if math.Abs(float64(got[i]-want[i])) > 1e-5 {
				t.Fatalf("%s: feature %d is %v, the runner has %v", b.Name(), i, got[i], want[i])
			}
		}
		net.close()
	}
}

// TestConvFrozen: training changes none of the network's parameters and all others.
func TestConvFrozen(t *testing.T) {
	m, _ := onConv(t)
	for _, p := range m.Config.Parameters() {
		if inside := strings.HasPrefix(p.Name, inBackbone); Frozen(p.Name) != inside {
			t.Errorf("%s is frozen: %v", p.Name, !inside)
		}
	}
}

// TestConvPreprocess: pictures keep their shape and get the network's own scaling.
func TestConvPreprocess(t *testing.T) {
	m, _ := onConv(t)
	im := &transform.Image{Pix: make([]uint8, 3*24*12), Width: 24, Height: 12, Channels: 3}
	for i := range im.Pix {
		im.Pix[i] = 191
	}
	p, err := m.Config.Preprocess(im)
	if err != nil {
		t.Fatal(err)
	}
	if p.Shape != [3]int{3, 12, 24} || math.Abs(float64(p.Data[0])-(191.0-127)/128) > 1e-6 {
		t.Errorf("shape %v, value %v", p.Shape, p.Data[0])
	}
}

func TestConvRefuses(t *testing.T) {
	m, n := onConv(t)
	other, err := n.Derive(n.Config.WithoutHead())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.WithConv(other); err == nil || !strings.Contains(err.Error(), "another backbone") {
		t.Errorf("another network: %v", err)
	}
	b := m.Config.Backbone
	b.Conv = nil
	if err := b.Validate(); err == nil || !strings.Contains(err.Error(), "without a configuration") {
		t.Errorf("no configuration: %v", err)
	}
	if _, err := backbone.ConvOf(n.WithPipeline("totensor(1)")); err == nil {
		t.Error("a pipeline of another range passes")
	}
}
