package hub

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCaptionerRecord(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	path := filepath.Join(t.TempDir(), "bare.safetensors")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if data, err := CaptionerRecord(path); err != nil || data != nil {
		t.Errorf("a record that isn't there: %d bytes, %v", len(data), err)
	}
	if data, err := CaptionerRecord(LaptopCaptioner); err != nil || len(data) == 0 {
		t.Errorf("the record: %d bytes, %v", len(data), err)
	}
}
