package vit

import (
	"strings"
	"testing"

	"gaze/internal/textfile/textfiletest"
)

// TestConfigFileAsSaved reads a configuration however an editor has saved it.
func TestConfigFileAsSaved(t *testing.T) {
	text := "{\n \"num_heads\": 4,\n \"label_names\": [\"Pékinois\", \"柴犬\", \"c\", \"d\", \"e\"]\n}\n"
	for name, data := range textfiletest.Saved(text) {
		m, err := loadWith(t, nil, "config.json", string(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.Config.Heads != 4 || len(m.Labels) != 5 || m.Labels[1] != "柴犬" {
			t.Errorf("%s: %d heads, %q", name, m.Config.Heads, m.Labels)
		}
	}
	text = "{\n \"image_processor_type\": \"ViTImageProcessor\",\n \"do_resize\": true, \"size\": {\"height\": 16, \"width\": 16}, \"resample\": 2,\n" +
		" \"do_rescale\": true, \"rescale_factor\": 0.00392156862745098,\n" +
		" \"do_normalize\": true, \"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.25, 0.25, 0.25]\n}\n"
	want, err := loadWith(t, nil, "preprocessor_config.json", text)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range textfiletest.Saved(text) {
		m, err := loadWith(t, nil, "preprocessor_config.json", string(data))
		if err != nil || m.Pipeline() != want.Pipeline() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := loadWith(t, nil, "config.json", "{\n \"label\": \"P\xe9kinois\"}"); err == nil || !strings.Contains(err.Error(), "config.json:2: byte 0xE9 isn't UTF-8") {
		t.Errorf("Latin-1: %v", err)
	}
}
