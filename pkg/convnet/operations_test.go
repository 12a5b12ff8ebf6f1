package convnet

import (
	"math"
	"testing"
)

// TestOperations compares with the multiply-adds of all convolutions in timm 1.0.31's
// tf_efficientnet_lite0 and 2, counted from their shapes, and with those that torchvision
// states for ResNet-50, which has its strides in the same place.
func TestOperations(t *testing.T) {
	for name, c := range map[string]struct {
		config          Config
		side            int
		want, tolerance float64 // 10⁶ multiply-adds
	}{
		"EfficientNet-Lite0": {EfficientNetLiteOf(0), 224, 383.907552, 1e-9},
		"EfficientNet-Lite2": {EfficientNetLiteOf(2), 260, 858.456272, 1e-9},
		"R50":                {ResNetV2Of(3, 4, 6, 3), 224, 4089, 0.01},
	} {
		if got := c.config.Operations(c.side, c.side) / 2e6; math.Abs(got/c.want-1) > c.tolerance {
			t.Errorf("%s: %f million multiply-adds, want %f", name, got, c.want)
		}
	}
}
