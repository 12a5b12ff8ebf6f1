package train

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/weights"
)

// moreGolden is what torch and timm did in tools/golden/train_more.py, with the
// pictures and weights of train.py.
func moreGolden(t testing.TB) (*golden, map[string]goldenStages) {
	t.Helper()
	more := *openGolden(t)
	text, err := os.ReadFile(filepath.Join("testdata", "train_more.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Cases  map[string]goldenCase
		Stages map[string]goldenStages
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if more.file, err = weights.Open(filepath.Join("testdata", "train_more.npz")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { more.file.Close() })
	more.Cases = cases.Cases
	return &more, cases.Stages
}

// TestSmoothingGolden: with a smoothing of 1, or of so little less that float32
// can't tell, losses are torch's, and what is right is still counted.
func TestSmoothingGolden(t *testing.T) {
	g, _ := moreGolden(t)
	if len(g.Cases) != 3 {
		t.Fatalf("%d golden cases", len(g.Cases))
	}
	for name := range g.Cases {
		t.Run(name, func(t *testing.T) {
			g.compareCase(t, testBackend(t), name)
			if correct := g.array(t, name+"/correct"); slices.Max(correct) == 0 {
				t.Error("torch counts nothing right: the case tests nothing")
			}
		})
	}
}

func TestSmoothingBounds(t *testing.T) {
	for text, ok := range map[string]bool{"smoothing=0": true, "smoothing=0.99": true, "smoothing=1": true, "smoothing=1.01": false, "smoothing=-0.1": false, "smoothing=NaN": false} {
		s, err := ParseSettings(text)
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil {
			continue
		}
		if err := s.Options(1, 1).validate(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := ViT(openGolden(t).model, 0, s.Smoothing); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ViT(openGolden(t).model, 0, 1.5); err == nil || !strings.Contains(err.Error(), "between 0 and 1") {
		t.Errorf("a network with a smoothing of 1.5: %v", err)
	}
}

// goldenStages is a case of training in two stages.
type goldenStages struct {
	goldenCase
	HeadRate  float64 `json:"head_lr"`
	HeadSteps int     `json:"head_steps"`
}
