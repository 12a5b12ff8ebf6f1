package caption

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption/backbone"
	"gaze/pkg/convnet"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

// withGist is the captioner of a golden case with a gist and a tied head.
func withGist(t *testing.T) Config {
	t.Helper()
	cfg := readConfig(t, "patch_padded")
	cfg.Gist, cfg.TiedHead, cfg.HeadHidden, cfg.EndID = &Gist{Width: cfg.Backbone.Channels()}, true, nil, 30
	return cfg
}

// TestGistUncached compares searches, which add the gist at their first step only, with
// whole captions.
func TestGistUncached(t *testing.T) {
	inputs := []*transform.Tensor{testInput("one", 64, 40), testInput("two", 64, 64)}
	for _, b := range testBackends(t) {
		c := newTestCaptioner(t, b, withGist(t))
		for _, o := range []Options{{}, {Beam: 3, LengthPenalty: 1}} {
			compareUncached(t, c, inputs, o)
		}
	}
}

// TestGistBlocked checks that the gist doesn't tell what stands in blocked cells.
func TestGistBlocked(t *testing.T) {
	cfg := withGist(t)
	c := newTestCaptioner(t, testBackends(t)[0], cfg)
	one, other := testInput("one", 48, 64), testInput("one", 48, 64)
	cells, stride := blockedCells(cfg, one), cfg.Backbone.Stride()
	for i, v := range testInput("other", 48, 64).Data {
		if y, x := i/64%48, i%64; cells[y/stride*(64/stride)+x/stride] {
			other.Data[i] = v
		}
	}
	both, err := c.CaptionTensors([]*transform.Tensor{one, other}, Options{MaxTokens: 5, Masked: [][]bool{cells, cells}})
	if err != nil {
		t.Fatal(err)
	}
	if !same(both[0], both[1]) {
		t.Errorf("what is blocked shows: %v and %v", both[0].Tokens, both[1].Tokens)
	}
	free, err := c.CaptionTensors([]*transform.Tensor{one, other}, Options{MaxTokens: 5})
	if err != nil {
		t.Fatal(err)
	}
	if same(free[0], free[1]) {
		t.Error("with nothing blocked the pictures have the same caption")
	}
}

// TestEncodeFeatures compares the logits from pictures with those from their features.
func TestEncodeFeatures(t *testing.T) {
	cfg := withGist(t)
	for _, b := range testBackends(t) {
		n, err := newNetwork(b, drawnModel(t, cfg), false)
		if err != nil {
			t.Fatal(err)
		}
		tokens := must(input(n, []int32{1, 5, 6, 1, 7, 2}, 2, 3))
		whole, err := run(n, "pictures", func(scope *model.Scope, images, tokens *Node) []*Node {
			m := Encode(scope, cfg, images, nil)
			return []*Node{Decode(scope, cfg, m, tokens, nil).Logits, m.Features}
		}, must(input(n, testInput("one", 64, 64).Data, 1, 3, 64, 64)), tokens)
		if err != nil {
			t.Fatal(err)
		}
		apart, err := run(n, "features", func(scope *model.Scope, features, tokens *Node) []*Node {
			given := ReduceMean(features, 1, 2)
			a := Decode(scope, cfg, EncodeFeatures(scope, cfg, features, nil, Training{}), tokens, nil).Logits
			return []*Node{a, Decode(scope, cfg, EncodeFeatures(scope, cfg, features, given, Training{}), tokens, nil).Logits}
		}, whole[1], tokens)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range apart {
			if d := relative(t, flat(t, got), flat(t, whole[0])); d > 1e-5 {
				t.Errorf("%s: logits %d are off by %.2g", b.Name(), i, d)
			}
		}
		n.close()
	}
}

// TestDropout checks that seeds decide what is dropped, and that about the right share is.
func TestDropout(t *testing.T) {
	n, err := newNetwork(testBackends(t)[0], drawnModel(t, withGist(t)), false)
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	ones := make([]float32, 4000)
	for i := range ones {
		ones[i] = 1
	}
	dropped := func(seed int32) []float32 {
		out, err := run(n, "drop", func(_ *model.Scope, x, seed *Node) []*Node {
			noise := newNoise(Training{Dropout: 0.25, Seed: seed})
			return []*Node{noise.drop(x), noise.drop(x)}
		}, must(input(n, ones, 4000)), must(input(n, []int32{seed, 2, 3}, 3)))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := flat(t, out[0]), flat(t, out[1]); slices.Equal(a, b) {
			t.Error("two layers drop the same values")
		}
		return flat(t, out[0])
	}
	a := dropped(1)
	if !slices.Equal(a, dropped(1)) {
		t.Error("equal seeds drop other values")
	}
	if slices.Equal(a, dropped(2)) {
		t.Error("another seed drops the same values")
	}
	zeros := 0
	for _, v := range a {
		if v == 0 {
			zeros++
		} else if v < 1.333 || v > 1.334 {
			t.Fatalf("a kept value is %g, not 4/3", v)
		}
	}
	if zeros < 900 || zeros > 1100 {
		t.Errorf("%d of 4000 values are dropped, expected about 1000", zeros)
	}
}

// remembering is a captioner with three pictures to remember.
func remembering(t *testing.T) *Model {
	t.Helper()
	cfg := withGist(t)
	m := drawnModel(t, cfg)
	m.Vocab = numberVocab(t, cfg.Vocab)
	tensor := func(name string, shape ...int) *weights.Tensor {
		return weights.NewTensor(name, shape, stream(name, product(shape)))
	}
	features := weights.NewTensor("features", []int{3, 2}, []float32{1, 0, 0, 1, 0.6, 0.8})
	m, err := m.WithNeighbours(tensor("weight", 2, cfg.Gist.Width), tensor("bias", 2), features,
		[][]string{{"w4 w5 w6"}, {"w7 w8", "w8 w9 w9"}, {"w4 w9"}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNeighbours(t *testing.T) {
	m := remembering(t)
	path := filepath.Join(t.TempDir(), "remembering.safetensors")
	if err := m.Save(path, false); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	if len(loaded.Remembered) != 3 || loaded.Remembered[1][1] != "w8 w9 w9" {
		t.Fatalf("remembered after loading: %v", loaded.Remembered)
	}
	all, err := newMemories(loaded)
	if err != nil {
		t.Fatal(err)
	}
	if got, cosines := all.nearest([]float32{0, 1}, 2); !slices.Equal(got, []int{1, 2}) || cosines[0] != 1 {
		t.Errorf("nearest are %v with %v", got, cosines)
	}
	texts := []string{"w4 w5 w6", "w7 w8"}
	for i, x := range [][]float32{{1, 0}, {0, 1}} {
		if got := all.choose(texts, []float64{-1, -1}, x, 1); got != i {
			t.Errorf("beside picture %d, caption %d is chosen", i, got)
		}
	}
	again := []string{"w4 w5 w6 w5 w6", "w4 w5 w5", "w9", "w4 w4"}
	if got := all.choose(again, []float64{-1, -1, -9, -1}, []float32{1, 0}, 1); got != 2 {
		t.Errorf("%q is chosen, where another doesn't repeat itself", again[got])
	}
	if got := all.choose(again[:2], []float64{-1, -1}, []float32{1, 0}, 1); got != 0 {
		t.Errorf("%q is chosen of two that repeat themselves", again[got])
	}
	if got := all.choose(texts, []float64{0, -1e6}, []float32{0, 1}, 1); got != 0 {
		t.Error("a caption of no probability is chosen")
	}
	inputs := []*transform.Tensor{testInput("one", 64, 40), testInput("two", 64, 64), testInput("three", 48, 64)}
	for _, b := range testBackends(t) {
		c, err := NewCaptioner(b, loaded, nil)
		if err != nil {
			t.Fatal(err)
		}
		together, err := c.CaptionTensors(inputs, Options{Beam: 4, LengthPenalty: 1, Neighbours: 2, MaxTokens: 6})
		if err != nil {
			t.Fatal(err)
		}
		for i, in := range inputs {
			alone, err := c.CaptionTensors([]*transform.Tensor{in}, Options{Beam: 4, LengthPenalty: 1, Neighbours: 2, MaxTokens: 6})
			if err != nil {
				t.Fatal(err)
			}
			if alone[0].Text != together[i].Text || len(together[i].Attention) != len(together[i].Tokens) {
				t.Errorf("%s: picture %d has %q beside others, %q alone", b.Name(), i, together[i].Text, alone[0].Text)
			}
		}
		c.Close()
	}
	for _, o := range []Options{{Neighbours: 2}, {Neighbours: -1, Beam: 2}} {
		if err := o.Check(m.Config); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	if err := (Options{Beam: 2, Neighbours: 1}).Check(withGist(t)); err == nil {
		t.Error("neighbours of a captioner that remembers none")
	}
}

// TestComplete saves a captioner without its backbone and finds that again.
func TestComplete(t *testing.T) {
	net, err := convnet.New(convnet.Config{Kind: convnet.EfficientNetLite, Lite: &convnet.Lite{
		Stem: 4, Stages: []convnet.LiteStage{{Channels: 4, Blocks: 1, Kernel: 3, Stride: 2, Expand: 1}}, Head: 8, NormEps: 1e-3,
	}}, 3, 5)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	netPath := filepath.Join(dir, "net.safetensors")
	if err := net.Save(netPath, false); err != nil {
		t.Fatal(err)
	}
	cfg := withGist(t)
	if cfg.Backbone, err = backbone.ConvOf(net); err != nil {
		t.Fatal(err)
	}
	cfg.Backbone.Side = 32
	cfg.Gist.Width, cfg.BackboneFrom = cfg.Backbone.Channels(), "some-network"
	m, err := New(cfg, 7)
	if err != nil {
		t.Fatal(err)
	}
	m.Vocab = numberVocab(t, cfg.Vocab)
	whole, err := m.WithConv(net)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "captioner.safetensors")
	if err := whole.Save(path, false); err != nil {
		t.Fatal(err)
	}
	load := func() *Model {
		t.Helper()
		loaded, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		return loaded
	}
	loaded := load()
	if got := loaded.LacksBackbone(); got != "some-network" {
		t.Errorf("lacks %q", got)
	}
	b := testBackends(t)[0]
	if _, err := NewCaptioner(b, loaded, nil); err == nil || !strings.Contains(err.Error(), "some-network") {
		t.Errorf("a captioner without its backbone: %v", err)
	}
	completed, err := loaded.Complete(func(name string) (string, error) {
		if name != "some-network" {
			t.Errorf("asked for %q", name)
		}
		return netPath, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer completed.Close()
	im := &transform.Image{Pix: make([]uint8, 3*50*20), Width: 50, Height: 20, Channels: 3}
	for k := range im.Pix {
		im.Pix[k] = uint8(37 * k)
	}
	var results [2]Result
	for i, m := range []*Model{whole, completed} {
		c, err := NewCaptioner(b, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Caption([]*transform.Image{im}, Options{MaxTokens: 5})
		if err != nil {
			t.Fatal(err)
		}
		results[i] = r[0]
		c.Close()
	}
	if !same(results[0], results[1]) {
		t.Errorf("%v, after loading %v", results[0].Tokens, results[1].Tokens)
	}
	gone := errors.New("gone")
	if _, err := load().Complete(func(string) (string, error) { return "", gone }); !errors.Is(err, gone) {
		t.Errorf("a backbone that can't be had: %v", err)
	}
	if _, err := load().Complete(func(string) (string, error) { return path, nil }); err == nil {
		t.Error("a captioner is taken for a network")
	}
}
