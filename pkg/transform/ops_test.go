package transform

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every step with drawn parameters gives torchvision's bytes, including colour steps.
func TestStepsSameAsTorchvision(t *testing.T) {
	cases := readOps(t)
	if len(cases) < 2000 {
		t.Fatalf("only %d cases", len(cases))
	}
	var b Buffers
	wrong := map[string]int{}
	for _, c := range cases {
		name := fmt.Sprintf("%dx%dx%d %s", c.Height, c.Width, c.Channels, c.Spec)
		p, err := Parse(c.Spec)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		im := noise(c.Height, c.Width, c.Channels)
		before := slices.Clone(im.Pix)
		out, err := p.Image(im)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if shape := []int{out.Height, out.Width, out.Channels}; !slices.Equal(shape, c.Shape) {
			t.Errorf("%s: shape %v, want %v", name, shape, c.Shape)
		} else if !strings.HasPrefix(digest(out.Pix), c.SHA256) {
			t.Errorf("%s: differs from the reference", name)
			wrong[fmt.Sprintf("%T", p[len(p)-1])]++
		}
		if !slices.Equal(im.Pix, before) {
			t.Errorf("%s: the picture given was changed", name)
		}
		// The result is the same in memory that other steps have used.
		again, err := b.Image(p, 0, 0, 0, im)
		if err != nil || !slices.Equal(again.Pix, out.Pix) {
			t.Errorf("%s: another result in used memory: %v", name, err)
		}
		if len(out.Pix) > 0 && &out.Pix[0] == &im.Pix[0] {
			t.Errorf("%s: the result shares the picture's memory", name)
		}
	}
	if len(wrong) > 0 {
		t.Logf("%v of %d differ", wrong, len(cases))
	}
}

// readOps reads the output of tools/golden/transform_ops.py.
func readOps(t *testing.T) (cases []golden) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "ops.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var c golden
		c.Shape = make([]int, 3)
		fields := strings.SplitN(strings.TrimSpace(line), " ", 8)
		for i, v := range []*int{&c.Height, &c.Width, &c.Channels, &c.Shape[0], &c.Shape[1], &c.Shape[2]} {
			if *v, err = strconv.Atoi(fields[i]); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		c.SHA256, c.Spec = fields[6], fields[7]
		cases = append(cases, c)
	}
	return cases
}

// Sizes that keep the aspect ratio, and the offsets of centre crops, are those of
// torchvision, timm and transformers for every picture of up to 400 by 400 pixels
// (tools/golden/transform_models.py).
func TestSizesOfEveryPicture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "sizes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Limit int
		Sizes map[string]string
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if golden.Limit < 400 || len(golden.Sizes) < 11 {
		t.Fatalf("%d tables of %d pixels", len(golden.Sizes), golden.Limit)
	}
	for spec, want := range golden.Sizes {
		var b []byte
		op := mustParse(t, spec)[0]
		for h := 1; h <= golden.Limit; h++ {
			for w := 1; w <= golden.Limit; w++ {
				first, second := 0, 0
				switch op := op.(type) {
				case CenterCropFloor:
					first, second = op.Offset(h, w)
				case Sizer:
					second, first = op.Output(w, h)
				}
				b = binary.LittleEndian.AppendUint32(b, uint32(first))
				b = binary.LittleEndian.AppendUint32(b, uint32(second))
			}
		}
		if digest(b) != want {
			t.Errorf("%s differs from the reference", spec)
		}
	}
}
