package train

import (
	"strings"
	"testing"
)

// Smoothing of 1 leaves every class the same target: nothing could be right.
func TestSmoothingBelowOne(t *testing.T) {
	for text, ok := range map[string]bool{"smoothing=0": true, "smoothing=0.99": true, "smoothing=1": false, "smoothing=-0.1": false} {
		_, err := ParseSettings(text)
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	opt := Options{Optimizer: &Adam{}, Schedule: Constant(1e-3), LabelSmoothing: 1}
	if err := opt.validate(); err == nil || !strings.Contains(err.Error(), "below 1") {
		t.Errorf("options with a smoothing of 1: %v", err)
	}
}
