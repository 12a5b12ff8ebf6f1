package transform

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// golden is a step or pipeline with the result of PIL and torchvision
// (tools/golden/transform.py).
type golden struct {
	Height, Width, Channels int
	Spec                    string
	Shape                   []int
	SHA256                  string
}

// noise makes the same pictures that the golden files were made from.
func noise(height, width, channels int) *Image {
	im := NewImage(width, height, channels)
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

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:32]
}

func floatBytes(v []float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func TestSameAsTorchvision(t *testing.T) { checkGolden(t, "golden.json", 500) }

// The steps that only timm and transformers have (timm 1.0.31, transformers 5.23.0;
// tools/golden/transform_models.py).
func TestSameAsTimmAndTransformers(t *testing.T) { checkGolden(t, "models.json", 600) }

// checkGolden compares with a golden file, which must have at least the given number of
// cases.
func checkGolden(t *testing.T, file string, least int) {
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < least {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%dx%dx%d %s", c.Height, c.Width, c.Channels, c.Spec), func(t *testing.T) {
			p, err := Parse(c.Spec)
			if err != nil {
				t.Fatal(err)
			}
			im := noise(c.Height, c.Width, c.Channels)
			before := slices.Clone(im.Pix)
			var shape []int
			var got []byte
			if len(c.Shape) == 3 {
				out, err := p.Tensor(im)
				if err != nil {
					t.Fatal(err)
				}
				shape, got = out.Shape[:], floatBytes(out.Data)
			} else {
				out, err := p.Image(im)
				if err != nil {
					t.Fatal(err)
				}
				shape, got = []int{out.Height, out.Width}, out.Pix
				if out == im || len(out.Pix) > 0 && &out.Pix[0] == &im.Pix[0] {
					t.Error("the result shares the picture's memory")
				}
			}
			if !slices.Equal(shape, c.Shape) {
				t.Fatalf("shape %v, want %v", shape, c.Shape)
			}
			if digest(got) != c.SHA256 {
				t.Error("differs from the reference")
			}
			if !slices.Equal(im.Pix, before) {
				t.Error("the picture given was changed")
			}
		})
	}
}
