package breeds

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/convnet"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// small writes a classifier of random weights: its head, and the files of its two models.
func small(t *testing.T) (head string, find func(string) (string, error)) {
	t.Helper()
	dir := t.TempDir()
	net, err := convnet.New(convnet.Config{Kind: convnet.EfficientNetLite, Lite: &convnet.Lite{
		Stem: 8, Stages: []convnet.LiteStage{{Blocks: 1, Channels: 8, Kernel: 3, Stride: 2, Expand: 1}}, Head: 6, NormEps: 1e-3,
	}}, imageNetClasses, 1)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := vit.ParseConfig("vit:dim=16,depth=2,heads=2,patch=8,size=32")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 2
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"net": filepath.Join(dir, "net.safetensors"), "vit": filepath.Join(dir, "vit.safetensors")}
	if err := errors.Join(net.Save(files["net"], false), m.Save(files["vit"])); err != nil {
		t.Fatal(err)
	}
	head = filepath.Join(dir, "breeds", HeadFile)
	if err := errors.Join(os.Mkdir(filepath.Dir(head), 0o755), valid().Write(filepath.Dir(head)), writeHead(head, 2, 6)); err != nil {
		t.Fatal(err)
	}
	return head, func(model string) (string, error) {
		if path, ok := files[model]; ok {
			return path, nil
		}
		return "", errors.New("unknown model " + model)
	}
}

func writeHead(path string, breeds, channels int) error {
	weight := make([]float32, breeds*channels)
	for i := range weight {
		weight[i] = float32(math.Sin(float64(i)))
	}
	return weights.WriteSafetensors(path, []*weights.Tensor{
		weights.NewTensor("weight", []int{breeds, channels}, weight), weights.NewTensor("bias", []int{breeds}, make([]float32, breeds)),
	}, nil)
}

// photograph is a picture that isn't its own mirror image.
func photograph() *transform.Image {
	im := transform.NewImage(40, 36, 3)
	for i := range im.Pix {
		im.Pix[i] = uint8(i * i % 251)
	}
	return im
}

// TestClassify: a picture and its mirror image get the same logits, since each is seen both
// ways; the map of attention is turned with it, and is a part of a distribution.
func TestClassify(t *testing.T) {
	head, find := small(t)
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(b, head, find)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	im := photograph()
	turned, err := transform.HFlip{}.Apply(im)
	if err != nil {
		t.Fatal(err)
	}
	var got [2]Answer
	for i, im := range []*transform.Image{im, turned} {
		if got[i], err = c.Classify(context.Background(), im); err != nil {
			t.Fatal(err)
		}
	}
	for k := range c.Breeds {
		if d := math.Abs(float64(got[0].Logits[k] - got[1].Logits[k])); d > 1e-5 {
			t.Errorf("%s: the mirror image's logit differs by %g", c.Breeds[k], d)
		}
	}
	if got[0].Logits[0] == got[0].Logits[1] {
		t.Error("both breeds have the same logit")
	}
	if math.Abs(got[0].Pet-got[1].Pet) > 1e-6 || !(got[0].Pet > 0 && got[0].Pet < 1) {
		t.Errorf("pet: %g and, mirrored, %g", got[0].Pet, got[1].Pet)
	}
	if want := got[0].Pet >= c.PetThreshold; c.LooksLikePet(got[0]) != want {
		t.Errorf("looks like a pet: %v, want %v", !want, want)
	}
	if got[0].Grid != [2]int{4, 4} || len(got[0].Looked) != 16 {
		t.Fatalf("a map of %d values on a grid of %v", len(got[0].Looked), got[0].Grid)
	}
	sum, differs := 0.0, false
	for _, v := range got[0].Looked {
		sum += float64(v)
		differs = differs || v != got[0].Looked[0]
	}
	if !(sum > 0 && sum < 1) || !differs {
		t.Errorf("the map sums to %g", sum)
	}
}

func TestOpenErrors(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, head string)
		want  string
	}{
		"no configuration": {func(t *testing.T, head string) { remove(t, filepath.Join(filepath.Dir(head), ConfigFile)) }, "no config.json beside it"},
		"no head":          {func(t *testing.T, head string) { remove(t, head) }, HeadFile},
		"another width": {func(t *testing.T, head string) {
			if err := writeHead(head, 2, 5); err != nil {
				t.Fatal(err)
			}
		}, "weight has the shape [2 5], not [2 6]"},
		"another number of breeds": {func(t *testing.T, head string) {
			cfg := valid()
			cfg.Breeds = append(cfg.Breeds, "Pug")
			if err := cfg.Write(filepath.Dir(head)); err != nil {
				t.Fatal(err)
			}
		}, "it has 2 classes, there are 3 breeds"},
		"a layer that isn't there": {func(t *testing.T, head string) {
			cfg := valid()
			cfg.AttentionLayer = 2
			if err := cfg.Write(filepath.Dir(head)); err != nil {
				t.Fatal(err)
			}
		}, "attention_layer is 2, the model has 2 blocks"},
		"an unknown model": {func(t *testing.T, head string) {
			cfg := valid()
			cfg.Network = "other"
			if err := cfg.Write(filepath.Dir(head)); err != nil {
				t.Fatal(err)
			}
		}, "unknown model other"},
	} {
		head, find := small(t)
		c.spoil(t, head)
		if _, err := Open(b, head, find); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
