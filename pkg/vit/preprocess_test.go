package vit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/transform"
)

// preprocessGolden is what transformers' and timm's own processors make of
// pictures, by the files beside a checkpoint (tools/golden/preprocess.py).
type preprocessGolden struct {
	Transformers, Timm string
	Keys               map[string][]string
	Defaults           map[string]map[string]any
	ModelTypes         map[string][]string `json:"model_types"`
	Pictures           map[string][][2]int
	Cases              []preprocessCase
}

type preprocessCase struct {
	Name     string
	Layout   Layout
	Channels int
	Size     [2]int
	Pictures string
	Files    map[string]string
	Error    string   // of the package, for the files
	Results  []string // for each picture a digest, or the package's error
}

func readPreprocessGolden(t *testing.T) *preprocessGolden {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "preprocess.json"))
	if err != nil {
		t.Fatal(err)
	}
	g := &preprocessGolden{}
	if err := json.Unmarshal(text, g); err != nil {
		t.Fatal(err)
	}
	if len(g.Cases) < 600 || len(g.Pictures["all"]) < 10 {
		t.Fatalf("only %d cases", len(g.Cases))
	}
	return g
}

// model is one without weights that has found the case's files.
func (c preprocessCase) model(t *testing.T) (*Model, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range c.Files {
		write(t, dir, name, text)
	}
	conf, err := readConfigFile(dir)
	if err != nil {
		return nil, err
	}
	m := &Model{Layout: c.Layout, Config: Config{Channels: c.Channels, ImageSize: c.Size, PatchSize: [2]int{8, 8}}}
	return m, m.findPipeline(conf, dir)
}

// noise repeats the pictures that the goldens were made of.
func noise(height, width, channels int) *transform.Image {
	im := transform.NewImage(width, height, channels)
	state := uint32(height*1000003 + width*1009 + channels)
	for i := range im.Pix {
		state = state*1664525 + 1013904223
		im.Pix[i] = uint8(state >> 24)
		if channels == 4 && i%4 == 3 {
			im.Pix[i] = uint8(min(max(2*int(im.Pix[i])-128, 0), 255))
		}
	}
	return im
}

func tensorDigest(t *transform.Tensor) string {
	var b []byte
	for _, n := range t.Shape {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	for _, v := range t.Data {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:16]
}

// refusals are cases that transformers carries out and Gaze refuses, by a part of
// their names, with what the error must say.
var refusals = []struct{ name, says string }{
	{`size {"max_height": 30, "max_width": 40}`, `size is {"max_height":30,"max_width":40}`},
	{`ConvNext size {"shortest_edge": 36, "longest_edge": 40}`, "shortest_edge alone should be for a ConvNextImageProcessor"}, // passes over longest_edge
	{"crop 0", "crop_size is 0"}, // gives nothing
	// Rounded to even without a word, or taken for bilinear.
	{`"crop_size": {"height": 28, "width": 20.5}`, `crop_size is {"height":28,"width":20.5}`},
	{`{"resample": 3.0}`, "resample is 3.0"},
	{`{"resample": 2.5}`, "resample is 2.5"},
	{`ConvNext fractions {"size": {"shortest_edge": 36.0}}`, `size is {"shortest_edge":36.0}`},
	{"timm a size with a fraction", "input_size is [3,32.5,32]"},
	{"timm two sizes", "input_size is [3,64,64] and img_size of model_args is [32,32]"}, // the model refuses such pictures
}

// readAll are cases that only transformers 4 wrote and read.
const readAll = "ViT feature extractor as a processor"

// What the files ask for is carried out to the bit, or refused where the package
// refuses it.
func TestPreprocessingGolden(t *testing.T) {
	g := readPreprocessGolden(t)
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			m, err := c.model(t)
			if err != nil {
				t.Fatal(err)
			}
			p, err := m.Preprocessing()
			for _, r := range refusals {
				if strings.Contains(c.Name, r.name) {
					if err == nil || !strings.Contains(err.Error(), r.says) {
						t.Fatalf("error %v, want one that says %q", err, r.says)
					}
					return
				}
			}
			if c.Name == readAll {
				if err != nil || p.String() != "resize(32,32,bilinear) | totensor | normalize(0.5,0.5)" {
					t.Errorf("%s, %v", p, err)
				}
				return
			}
			if err != nil && c.Error == "" {
				t.Fatalf("refused: %v", err)
			}
			for i, size := range g.Pictures[c.Pictures] {
				if err != nil {
					break
				}
				im := noise(size[0], size[1], 3)
				if c.Pictures == "alpha" {
					im = noise(size[0], size[1], 4)
				}
				tensor, err := p.Tensor(im)
				switch {
				case c.Error != "":
					if err == nil {
						t.Fatalf("%s makes a tensor of a picture of %v, which the package refuses: %s", p, size, c.Error)
					}
				case strings.Contains(c.Results[i], ":"):
					if err == nil {
						t.Errorf("%s makes a tensor of a picture of %v, which the package refuses: %s", p, size, c.Results[i])
					}
				case err != nil:
					t.Errorf("%s: a picture of %v: %v", p, size, err)
				case tensorDigest(tensor) != c.Results[i]:
					t.Errorf("%s differs from the package for a picture of %v (tensor %v)", p, size, tensor.Shape)
				}
			}
		})
	}
}

// Every key that the packages' classes have is known, the classes' defaults are
// theirs, and so are the model types that choose them.
func TestPreprocessingKeys(t *testing.T) {
	g := readPreprocessGolden(t)
	for class, keys := range g.Keys {
		for _, key := range keys {
			if _, ok := pretrainedKeys.role(key); class == "pretrained_cfg" && !ok {
				t.Errorf("timm %s has the key %s in its pretrained_cfg, which isn't known", g.Timm, key)
			}
			if role, ok := processorKeys.role(key); class != "pretrained_cfg" && (!ok || role == foreign) {
				t.Errorf("transformers %s has the key %s in %sImageProcessor, which isn't known", g.Transformers, key, class)
			}
		}
	}
	if len(processorClasses) != len(g.Defaults) {
		t.Errorf("%d classes, the golden file has %d", len(processorClasses), len(g.Defaults))
	}
	for _, class := range processorClasses {
		if want := g.Defaults[class.name]; !reflect.DeepEqual(class.values(), want) {
			t.Errorf("%s: defaults %v, want %v", class.name, class.values(), want)
		}
		if want := g.ModelTypes[class.name]; !slices.Equal(class.modelTypes, want) {
			t.Errorf("%s: model types %q, want %q", class.name, class.modelTypes, want)
		}
		for _, key := range class.keys {
			if _, ok := processorKeys.role(key); !ok {
				t.Errorf("%s: %s isn't among the keys", class.name, key)
			}
		}
	}
}
