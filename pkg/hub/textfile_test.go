package hub

import (
	"bytes"
	"testing"

	"gaze/internal/textfile/textfiletest"
)

// TestPipConfigAsSaved reads pip's configuration in any encoding an editor may save.
func TestPipConfigAsSaved(t *testing.T) {
	for name, data := range textfiletest.Saved("[global]\nindex-url = https://example.org/simple\n") {
		if got := parsePipConfig(bytes.NewReader(data)); got != "https://example.org/simple" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
