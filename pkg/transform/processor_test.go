//go:build goexperiment.simd && amd64

package transform

import (
	"os"
	"testing"
)

// TestProcessorSwitches checks that vectors are off when tools/test-processors.sh
// switches them off.
func TestProcessorSwitches(t *testing.T) {
	switch os.Getenv("GAZE_TEST_VECTORS") {
	case "":
		t.Skip("run by tools/test-processors.sh, which switches abilities of the processor off")
	case "none":
		if hasAVX2 {
			t.Error("vectors are on")
		}
	}
}
