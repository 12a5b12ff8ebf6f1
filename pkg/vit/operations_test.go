package vit

import (
	"math"
	"testing"
)

// TestOperations compares with the multiply-adds that the models' papers publish.
func TestOperations(t *testing.T) {
	for _, c := range []struct {
		spec string
		want float64 // 10⁹ multiply-adds, of DeiT's Table 1 and the ViT's at 384
	}{
		{"vit:dim=192,depth=12,heads=3,patch=16,size=224", 1.3},
		{"vit:dim=384,depth=12,heads=6,patch=16,size=224", 4.6},
		{"vit:dim=768,depth=12,heads=12,patch=16,size=224", 17.6},
		{"vit:dim=768,depth=12,heads=12,patch=16,size=384", 55.5},
	} {
		cfg, err := ParseConfig(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Operations() / 2e9; math.Abs(got/c.want-1) > 0.04 {
			t.Errorf("%s: %.2f, want %.1f", c.spec, got, c.want)
		}
	}
}
