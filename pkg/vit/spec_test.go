package vit

import (
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"

	"gaze/pkg/transform"
)

func ExampleParseConfig() {
	c, err := ParseConfig("vit:dim=128,depth=6,heads=4,patch=8,size=64")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Architecture(), c.Grid(), c.MLPDim)
	_, err = ParseConfig("vit:dim=128,dept=6")
	fmt.Println(err)
	// Output:
	// ViT-128x6/8 [8 8] 512
	// column 13: there is no name "dept"; there are size, patch, dim, depth, heads, mlp, registers and pool
	//   vit:dim=128,dept=6
	//               ^
}

func TestParseConfig(t *testing.T) {
	small, err := ParseConfig("vit:")
	if err != nil || small.Architecture() != "ViT-S/16" || small.Heads != 6 || small.ImageSize != [2]int{224, 224} || small.Classes != 0 {
		t.Errorf("vit: is %+v (%v)", small, err)
	}
	mean, err := ParseConfig("vit:pool=mean, registers=2, mlp=100, dim=32, size=32, patch=8")
	if err != nil || mean.Pool != PoolMean || mean.ClassToken || mean.Registers != 2 || mean.MLPDim != 100 || mean.Heads != 1 {
		t.Errorf("%+v (%v)", mean, err)
	}
	// What is described can be made, and saved under timm's names.
	for _, c := range []Config{small, mean} {
		c.Classes, c.Depth = 3, 1
		m, err := New(c, 1)
		if err != nil {
			t.Fatal(err)
		}
		path := t.TempDir() + "/model.safetensors"
		if err := m.WithPipeline("resize(32,32) | totensor").Save(path); err != nil {
			t.Fatal(err)
		}
		back, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !back.Config.Equal(c) || back.Pipeline() != "resize(32,32) | totensor" {
			t.Errorf("saved %+v, loaded %+v, %s", c, back.Config, back.Pipeline())
		}
		back.Close()
	}
}

func TestParseConfigErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int // 0: not a mistake of the text
		says   string
	}{
		{"dim=3", 1, `begins with "vit:"`},
		{"vit:dim", 5, `not ""`},
		{"vit:dim=0", 5, "from 1"},
		{"vit:dim=64,dim=32", 12, "second time"},
		{"vit:dim=64,", 12, `no name ""`},
		{"vit:pool=max", 5, "class or mean"},
		{"vit:size=65,patch=8", 0, "patches of 8"},
		{"vit:dim=100,heads=3", 0, "don't divide"},
		{"vit:dim=65536,depth=1024", 0, "million parameters"},
	} {
		_, err := ParseConfig(c.text)
		var syntax *transform.SyntaxError
		if err == nil || !strings.Contains(err.Error(), c.says) || errors.As(err, &syntax) != (c.column > 0) || c.column > 0 && syntax.Column != c.column {
			t.Errorf("%q: %v, want column %d and %q", c.text, err, c.column, c.says)
		}
	}
	if IsSpec("model.pth") || !IsSpec("vit:dim=64") {
		t.Error("a file is taken for a description, or the other way round")
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, seed := range []string{"vit:", "vit:dim=128,depth=6,heads=4,patch=8,size=64", "vit:pool=mean", "vit:dim=ä", "vit:,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig(text)
		var syntax *transform.SyntaxError
		switch {
		case err == nil:
			if err := c.Validate(); err != nil {
				t.Fatalf("%q: %+v: %v", text, c, err)
			}
		case errors.As(err, &syntax) && (syntax.Column < 1 || syntax.Column > len(text)+1):
			t.Fatalf("%q: column %d", text, syntax.Column)
		}
	})
}
