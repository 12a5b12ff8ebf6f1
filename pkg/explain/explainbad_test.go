package explain

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"

	"gaze/pkg/backend"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// TestBadQuestions: errors that say what to do.
func TestBadQuestions(t *testing.T) {
	base := kinds()["plain"]
	headless, single := base, base
	headless.Classes, single.Classes = 0, 1
	dot := [2]int{4, 4}
	for _, c := range []struct {
		name   string
		cfg    vit.Config
		size   [2]int // of the pictures; zero: the model's
		method string
		o      Options
		says   string
	}{
		{"no such method", base, [2]int{}, "nothing", Options{}, `there is no method "nothing": choose of attention,`},
		{"one patch", base, dot, "attention", Options{}, "use a larger picture"},
		{"not patches", base, [2]int{13, 12}, "attention", Options{}, "use 12 or 16"},
		{"one class", single, [2]int{}, "chefer", Options{}, "use a method of attention"},
		{"no head", headless, [2]int{}, "ig", Options{}, "weights with a head"},
		{"no head, against", headless, [2]int{}, "rollout", Options{Against: []int{1}}, "same for every class"},
		{"no such class", base, [2]int{}, "chefer", Options{Classes: []int{5}}, "there is no class 5: the model has 5, counted from 0"},
		{"no such class to hold against", base, [2]int{}, "rise", Options{Against: []int{9}}, "there is no class 9"},
		{"two classes for three pictures", base, [2]int{}, "chefer", Options{Classes: []int{1, 2}}, "one for all or one for each"},
		{"against itself", base, [2]int{}, "occlusion", Options{Classes: []int{2}, Against: []int{2}}, "held against itself"},
		{"no such patch", base, [2]int{}, "rollout", Options{Query: &[2]int{3, 0}}, "the grid has 3 rows and 3 columns"},
		{"query of a class", base, [2]int{}, "chefer", Options{Query: &[2]int{0, 0}}, "methods of attention only"},
		{"no such layer", base, [2]int{}, "attention", Options{Settings: Settings{Layer: new(int)}}, ""}, // 0 is there
		{"layer too high", base, [2]int{}, "attention", Options{Settings: Settings{Layer: pointer(2)}}, "there is no layer 2: the model has 2 (0 to 1, or -1 for the last)"},
		{"no such head", base, [2]int{}, "rollout", Options{Settings: Settings{Heads: OneHead(3)}}, "there is no head 3"},
		{"discard all", base, [2]int{}, "rollout", Options{Settings: Settings{Discard: 1}}, "from 0 to below 1"},
		{"negative steps", base, [2]int{}, "ig", Options{Settings: Settings{Steps: -1}}, "must be positive"},
		{"large window", base, [2]int{}, "occlusion", Options{Settings: Settings{Window: 4}}, "doesn't fit a grid of 3×3"},
		{"NaN noise", base, [2]int{}, "smoothgrad", Options{Settings: Settings{Noise: math.NaN()}}, "must be positive"},
		{"indices", base, [2]int{}, "rise", Options{Indices: []int{1}}, "1 indices for 3 pictures"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := c.cfg
			if c.size != [2]int{} {
				cfg.ImageSize = c.size
			}
			_, err := explainerOf(t, c.cfg).Explain(c.method, drawn(cfg, 3), c.o)
			switch {
			case c.says == "" && err != nil:
				t.Error(err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
		})
	}
}

func pointer(i int) *int { return &i }

// TestBadModels: weights and runners that can't be explained.
func TestBadModels(t *testing.T) {
	cfg := kinds()["plain"]
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if b.Capabilities().DTypes[dtypes.BFloat16] {
		r, err := vit.NewRunner(b, m, vit.InBFloat16)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		e := &Explainer{backend: b, runner: r, config: cfg, chance: seeded, checks: map[string][]check{}}
		for _, name := range []string{"chefer", "rise"} {
			if _, err := e.Explain(name, drawn(cfg, 1), Options{}); err == nil || !strings.Contains(err.Error(), "make one without InBFloat16") {
				t.Errorf("%s in bfloat16: error %v", name, err)
			}
		}
	}
	if _, err := NewExplainer(nil, m); err == nil {
		t.Error("an explainer without a backend")
	}
	e := explainerOf(t, cfg)
	for _, pictures := range [][]*transform.Tensor{nil, {drawn(cfg, 1)[0], {Shape: [3]int{3, 4, 8}, Data: make([]float32, 96)}}} {
		if _, err := e.Explain("chefer", pictures, Options{}); err == nil {
			t.Errorf("%d pictures: no error", len(pictures))
		}
	}
}

// TestNotFinite: every method says which picture and which layer isn't finite.
func TestNotFinite(t *testing.T) {
	cfg := kinds()["mean"]
	e, pictures := explainerOf(t, cfg), drawn(cfg, 3)
	pictures[1].Data[5] = float32(math.NaN())
	for _, m := range Methods() {
		_, err := e.Explain(m.Name, pictures, Options{Settings: quick})
		if err == nil || !strings.Contains(err.Error(), "picture 1: ") || !strings.Contains(err.Error(), "layer 0") {
			t.Errorf("%s: error %v", m.Name, err)
		}
	}
}

// TestPredictedAgainstItself: the predicted class is found first, then held against.
func TestPredictedAgainstItself(t *testing.T) {
	cfg := kinds()["mean"]
	e, pictures := explainerOf(t, cfg), drawn(cfg, 3)
	x, err := e.Explain("gradcam", pictures, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Methods() {
		if !m.OfClass {
			continue
		}
		_, err := e.Explain(m.Name, pictures, Options{Against: x.Classes, Settings: quick})
		if err == nil || !strings.Contains(err.Error(), "held against itself") {
			t.Errorf("%s: error %v", m.Name, err)
		}
		named, err := e.Explain(m.Name, pictures, Options{Classes: x.Classes, Settings: quick})
		if err != nil {
			t.Fatal(err)
		}
		predicted, err := e.Explain(m.Name, pictures, Options{Settings: quick})
		if err != nil {
			t.Fatal(err)
		}
		for i := range pictures {
			if !slices.Equal(named.Maps[i].Values, predicted.Maps[i].Values) || predicted.Classes[i] != x.Classes[i] {
				t.Errorf("%s: the predicted class and the same by name have different maps", m.Name)
			}
		}
	}
}

// TestBlankPictures: of a picture of one colour, each method makes a map that isn't
// silently blank, or says why it can't.
func TestBlankPictures(t *testing.T) {
	cfg := kinds()["distillation and registers"]
	e, pictures := explainerOf(t, cfg), drawn(cfg, 3)
	for _, value := range []float32{0, 0.3} {
		for _, p := range pictures {
			for i := range p.Data {
				p.Data[i] = value
			}
		}
		for _, m := range Methods() {
			x, err := e.Explain(m.Name, pictures, Options{Settings: quick})
			switch {
			case err != nil:
				if !strings.Contains(err.Error(), "nothing to") {
					t.Errorf("%s, %v: error %v", m.Name, value, err)
				}
			case allZero(x.Maps[0].Values) && len(x.Warnings) == 0:
				t.Errorf("%s, %v: a blank map without a warning", m.Name, value)
			}
		}
	}
}
