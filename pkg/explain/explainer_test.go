package explain

import (
	"math"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// explained is a model of random weights, its explainer, and a few pictures.
func explained(t testing.TB, config string, classes, pictures int) (*Explainer, []*transform.Tensor) {
	t.Helper()
	cfg, err := vit.ParseConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = classes
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewExplainer(b, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	var list []*transform.Tensor
	for i := range pictures {
		p := &transform.Tensor{Shape: [3]int{cfg.Channels, cfg.ImageSize[0], cfg.ImageSize[1]}}
		for k := range cfg.Channels * cfg.ImageSize[0] * cfg.ImageSize[1] {
			p.Data = append(p.Data, float32(math.Sin(float64(k)*0.37*float64(i+1))))
		}
		list = append(list, p)
	}
	return e, list
}

// TestEveryMethod: each makes a finite map of every picture that isn't constant.
func TestEveryMethod(t *testing.T) {
	e, pictures := explained(t, "vit:dim=24,depth=3,heads=3,patch=4,size=16", 5, 3)
	for _, m := range Methods() {
		t.Run(m.Name, func(t *testing.T) {
			x, err := e.Explain(m.Name, pictures, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(x.Maps) != 3 || len(x.Logits) != 3 {
				t.Fatalf("%d maps, %d logits", len(x.Maps), len(x.Logits))
			}
			for i, got := range x.Maps {
				if got.Rows != 4 || got.Cols != 4 || got.Entropy() == 0 {
					t.Errorf("map %d: %+v", i, got)
				}
			}
		})
	}
}
