package explain

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/transform"
)

// wordCase is a picture and its caption in testdata/words.json.
type wordCase struct {
	Shape    [3]int               `json:"shape"`
	Picture  []float32            `json:"picture"`
	Caption  []int                `json:"caption"`
	LogProbs []float64            `json:"log_probs"`
	Maps     map[string][]float32 `json:"maps"`
}

func (c wordCase) tensor() *transform.Tensor {
	return &transform.Tensor{Data: c.Picture, Shape: c.Shape}
}

// wordModel is the golden captioner.
func wordModel(t testing.TB) (*caption.Model, []wordCase) {
	t.Helper()
	text, err := os.ReadFile("testdata/words.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Config caption.Config `json:"config"`
		Cases  []wordCase     `json:"cases"`
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	m, err := caption.LoadWith("testdata/words.safetensors", golden.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, golden.Cases
}

func wordExplainer(t testing.TB, m *caption.Model) *WordExplainer {
	t.Helper()
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewWordExplainer(b, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// farthest is the greatest difference over the greatest value.
func farthest(got, want []float32) float64 {
	worst, most := 0.0, 0.0
	for i, v := range want {
		worst, most = max(worst, math.Abs(float64(v-got[i]))), max(most, math.Abs(float64(v)))
	}
	return worst / most
}

// TestWordMapsGolden: every method's maps are those of an independent script.
func TestWordMapsGolden(t *testing.T) {
	m, cases := wordModel(t)
	e := wordExplainer(t, m)
	for _, method := range WordMethods() {
		t.Run(method.Name, func(t *testing.T) {
			for i, c := range cases {
				got, err := e.Explain(method.Name, c.tensor(), c.Caption, WordOptions{})
				if err != nil {
					t.Fatal(err)
				}
				var all []float32
				for k, m := range got.Maps {
					if m.Rows != c.Shape[1]/8 || m.Cols != c.Shape[2]/8 {
						t.Fatalf("picture %d: a map of %d×%d cells", i, m.Rows, m.Cols)
					}
					if d := math.Abs(got.LogProbs[k] - c.LogProbs[k]); !(d < 1e-4) {
						t.Errorf("picture %d, token %d: log-probability %g, want %g", i, k, got.LogProbs[k], c.LogProbs[k])
					}
					all = append(all, m.Values...)
					n := len(m.Values)
					if want := c.Maps[method.Name][k*n : (k+1)*n]; slices.Max(want) > 0 {
						if d := farthest(m.Values, want); !(d < 1e-4) {
							t.Errorf("picture %d, token %d: differs by %g of the greatest value", i, k, d)
						}
					}
				}
				if d := farthest(all, c.Maps[method.Name]); !(d < 1e-4) {
					t.Errorf("picture %d: differs by %g of the greatest value", i, d)
				}
			}
		})
	}
}

// TestWordMapsAlone: a word's map doesn't depend on the words that are explained with it,
// nor on those after it.
func TestWordMapsAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program of a single row")
	}
	m, cases := wordModel(t)
	e := wordExplainer(t, m)
	c := cases[1]
	for _, method := range WordMethods() {
		all, err := e.Explain(method.Name, c.tensor(), c.Caption, WordOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for name, o := range map[string]WordOptions{"alone": {Tokens: []int{2}}, "among others": {Tokens: []int{5, 2, 2}}} {
			if name == "alone" && method.Name != "chefer" {
				continue // compiling it takes seconds
			}
			some, err := e.Explain(method.Name, c.tensor(), c.Caption, o)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := some.At(2)
			if d := farthest(got.Values, all.Maps[2].Values); !(d < 1e-5) {
				t.Errorf("%s, %s: differs by %g", method.Name, name, d)
			}
		}
		cut, err := e.Explain(method.Name, c.tensor(), c.Caption[:3], WordOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if d := farthest(cut.Maps[2].Values, all.Maps[2].Values); !(d < 1e-5) {
			t.Errorf("%s: the words after it change a map by %g", method.Name, d)
		}
	}
}

// TestWordAttentionIsTheSearchs: teacher forcing gives the attention and the probabilities
// that the search for the caption saw.
func TestWordAttentionIsTheSearchs(t *testing.T) {
	m, cases := wordModel(t)
	pieces := []string{"[PAD]", "[CLS]", "[SEP]", "[UNK]"}
	for i := len(pieces); i < m.Config.Vocab; i++ {
		pieces = append(pieces, string(rune('a'+i)))
	}
	var err error
	if m.Vocab, err = wordpiece.New(pieces); err != nil {
		t.Fatal(err)
	}
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	c, err := caption.NewCaptioner(b, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	results, err := c.CaptionTensors([]*transform.Tensor{cases[0].tensor()}, caption.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := wordExplainer(t, m)
	var ids []int
	for _, p := range results[0].Tokens {
		ids = append(ids, p.ID)
	}
	layer := 1
	got, err := e.Explain("attention", cases[0].tensor(), ids, WordOptions{Settings: Settings{Layer: &layer, Heads: OneHead(2)}})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range results[0].Tokens {
		if d := farthest(got.Maps[i].Values, results[0].Attention[i][1][2]); !(d < 1e-4) {
			t.Errorf("token %d: differs by %g", i, d)
		}
		if d := math.Abs(got.LogProbs[i] - p.LogProb); !(d < 1e-4) {
			t.Errorf("token %d: log-probability %g, the search's %g", i, got.LogProbs[i], p.LogProb)
		}
	}
}

// TestWordRolloutFlow: what comes from the picture is a share between 0 and 1.
func TestWordRolloutFlow(t *testing.T) {
	m, cases := wordModel(t)
	got, err := wordExplainer(t, m).Explain("rollout", cases[1].tensor(), cases[1].Caption, WordOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range got.Maps {
		// Every decoder layer takes half of a token from the picture, and at the first layer
		// the other half is all that is left: 1-½³.
		if s := m.Sum(); !(math.Abs(s-0.875) < 1e-6) {
			t.Errorf("token %d: %g of the flow is the picture's, want 0.875", i, s)
		}
	}
}

// TestWordRelevanceWithoutEncoder: a captioner without encoder layers has maps too.
func TestWordRelevanceWithoutEncoder(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles several programs")
	}
	cfg := caption.Small(12)
	cfg.EncoderLayers, cfg.DecoderLayers, cfg.Dim, cfg.Hidden, cfg.Heads = 0, 1, 16, 16, 2
	m, err := caption.New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	e := wordExplainer(t, m)
	picture := &transform.Tensor{Shape: [3]int{3, 24, 16}, Data: make([]float32, 3*24*16)}
	for i := range picture.Data {
		picture.Data[i] = float32(math.Sin(float64(i) * 0.7))
	}
	for _, method := range []string{"rollout", "chefer"} {
		got, err := e.Explain(method, picture, []int{5, 6}, WordOptions{})
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if len(got.Maps) != 2 || got.Maps[0].Rows != 3 || got.Maps[0].Cols != 2 {
			t.Errorf("%s: %+v", method, got.Maps)
		}
	}
}

// TestWordErrors: what can't be explained is an error that says so.
func TestWordErrors(t *testing.T) {
	m, cases := wordModel(t)
	e := wordExplainer(t, m)
	c := cases[0]
	layer := 7
	for name, x := range map[string]struct {
		method  string
		picture *transform.Tensor
		caption []int
		options WordOptions
		want    string
	}{
		"method":      {"legrad", c.tensor(), c.Caption, WordOptions{}, "no method \"legrad\" for words: choose of attention"},
		"no caption":  {"chefer", c.tensor(), nil, WordOptions{}, "has no tokens"},
		"no token":    {"chefer", c.tensor(), c.Caption, WordOptions{Tokens: []int{9}}, "no token 9: the caption has 4"},
		"vocabulary":  {"chefer", c.tensor(), []int{3, 99}, WordOptions{}, "token 99: the vocabulary has 20"},
		"too long":    {"chefer", c.tensor(), slices.Repeat([]int{3}, 10), WordOptions{}, "this model allows 9"},
		"layer":       {"attention", c.tensor(), c.Caption, WordOptions{Settings: Settings{Layer: &layer}}, "layer"},
		"settings":    {"chefer", c.tensor(), c.Caption, WordOptions{Settings: Settings{Samples: 3}}, "only settings"},
		"no picture":  {"chefer", nil, c.Caption, WordOptions{}, "must be preprocessed"},
		"not a photo": {"chefer", &transform.Tensor{Shape: [3]int{1, 8, 8}, Data: make([]float32, 64)}, c.Caption, WordOptions{}, "[3, height, width]"},
	} {
		if _, err := e.Explain(x.method, x.picture, x.caption, x.options); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
	nan := c.tensor()
	nan.Data = slices.Clone(nan.Data)
	nan.Data[5] = float32(math.NaN())
	if _, err := e.Explain("chefer", nan, c.Caption, WordOptions{}); err == nil || !strings.Contains(err.Error(), "token 0") || !strings.Contains(err.Error(), "encoder layer 0 isn't finite") {
		t.Errorf("NaN: %v", err)
	}
}

// TestWordZeroGradient: where a word doesn't depend on the picture there is no map, but an
// error.
func TestWordZeroGradient(t *testing.T) {
	cfg := caption.Small(12)
	cfg.EncoderLayers, cfg.DecoderLayers, cfg.Dim, cfg.Hidden, cfg.Heads = 1, 1, 16, 16, 2
	m, err := caption.New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.Name == "decoder_0/cross/out/weight" {
			values, _ := p.Float32s()
			clear(values)
		}
	}
	if m, err = m.WithParameters(list); err != nil {
		t.Fatal(err)
	}
	picture := &transform.Tensor{Shape: [3]int{3, 16, 16}, Data: make([]float32, 3*16*16)}
	for _, method := range []string{"chefer", "gradcam"} {
		_, err = wordExplainer(t, m).Explain(method, picture, []int{5, 6}, WordOptions{})
		if err == nil || !strings.Contains(err.Error(), "is zero everywhere") {
			t.Errorf("%s: %v", method, err)
		}
	}
}
