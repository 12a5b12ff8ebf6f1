package transform

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Sizes that keep the shape, and where centre crops begin, are those of torchvision,
// timm and transformers for every picture of up to 400 by 400 pixels
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
