package caption

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/transform"
)

// numberVocab is a vocabulary of n pieces for tests.
func numberVocab(t testing.TB, n int) *wordpiece.Vocab {
	t.Helper()
	pieces := []string{"[PAD]", "[CLS]", "[SEP]", "[UNK]"}
	for i := len(pieces); i < n; i++ {
		pieces = append(pieces, fmt.Sprint("w", i))
	}
	v, err := wordpiece.New(pieces)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newTestCaptioner(t testing.TB, b compute.Backend, cfg Config) *Captioner {
	t.Helper()
	c, err := NewCaptioner(b, drawnModel(t, cfg), numberVocab(t, cfg.Vocab))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// testInput is a preprocessed picture, the same each time.
func testInput(name string, height, width int) *transform.Tensor {
	return &transform.Tensor{Data: stream(name, 3*height*width), Shape: [3]int{3, height, width}}
}

// reference is the model without any cache: the whole caption anew at each step,
// from a picture that isn't padded.
type reference struct {
	t     *testing.T
	net   *network
	cfg   Config
	image *transform.Tensor
}

// predict returns log-probabilities after a caption, and the attention of its
// last step in every layer and head.
func (r reference) predict(ids []int) prediction {
	r.t.Helper()
	tokens := make([]int32, r.cfg.MaxPositions) // behind the caption stands padding, which nothing sees
	pads := make([]bool, len(tokens))
	for i := range tokens {
		pads[i] = i > len(ids)
	}
	tokens[0] = int32(r.cfg.StartID)
	for i, id := range ids {
		tokens[i+1] = int32(id)
	}
	results, err := run(r.net, fmt.Sprint("reference ", r.image.Shape), func(scope *model.Scope, images, tokens, pads, at *Node) []*Node {
		d := Decode(scope, r.cfg, Encode(scope, r.cfg, images, nil), tokens, pads)
		var maps []*Node
		for _, l := range d.Layers {
			maps = append(maps, l.Cross)
		}
		row := func(x *Node, axis int) *Node {
			return Gather(TransposeAllDims(x, axisFirst(x.Rank(), axis)...), Reshape(at, 1, 1))
		}
		return []*Node{LogSoftmax(row(d.Logits, 1), -1), row(Concatenate(maps, 0), 2)}
	}, must(input(r.net, r.image.Data, 1, 3, r.image.Shape[1], r.image.Shape[2])), must(input(r.net, tokens, 1, len(tokens))),
		must(input(r.net, pads, 1, len(pads))), must(input(r.net, []int32{int32(len(ids))})))
	if err != nil {
		r.t.Fatal(err)
	}
	return prediction{flat(r.t, results[0]), flat(r.t, results[1])}
}

func axisFirst(rank, axis int) []int {
	order := []int{axis}
	for i := range rank {
		if i != axis {
			order = append(order, i)
		}
	}
	return order
}

// compare checks a result against the reference's predictions for its pieces.
func (r reference) compare(got Result, what string) {
	r.t.Helper()
	var ids []int
	sum := 0.0
	for i, p := range got.Tokens {
		want := r.predict(ids)
		sum += float64(want.logProbs[p.ID])
		if d := math.Abs(p.LogProb - float64(want.logProbs[p.ID])); d > 1e-4 {
			r.t.Errorf("%s: piece %d has log-probability %g, uncached %g", what, i, p.LogProb, want.logProbs[p.ID])
		}
		flat := slices.Concat(slices.Concat(got.Attention[i]...)...)
		if d := relative(r.t, flat, want.attention); d > 1e-4 {
			r.t.Errorf("%s: attention of piece %d is off by %.2g", what, i, d)
		}
		ids = append(ids, p.ID)
	}
	if math.Abs(got.LogProb()-sum) > 1e-3 {
		r.t.Errorf("%s: the caption has log-probability %g, uncached %g", what, got.LogProb(), sum)
	}
}

func ids(r Result) []int {
	var list []int
	for _, p := range r.Tokens {
		list = append(list, p.ID)
	}
	return list
}

// TestGreedyGolden compares ids with PyTorch's recomputing loop, pictures of
// several shapes in one call.
func TestGreedyGolden(t *testing.T) {
	for _, name := range []string{"patch", "resnet18", "resnet50_dilated"} {
		for i, b := range testBackends(t) {
			if i > 0 && name != "patch" {
				continue
			}
			cfg, g := readConfig(t, name), openGolden(t, name)
			cfg.EndID = 39 // the reference doesn't stop
			c := newTestCaptioner(t, b, cfg)
			flatSizes, _ := g.ints("sizes")
			sizes := pairs(flatSizes)
			var inputs []*transform.Tensor
			for i, s := range sizes {
				inputs = append(inputs, testInput(fmt.Sprintf("%s picture %d", name, i), s[0], s[1]))
			}
			results, err := c.CaptionTensors(inputs, Options{})
			if err != nil {
				t.Fatal(err)
			}
			want, shape := g.ints("greedy")
			for i, r := range results {
				if !slices.Equal(ids(r), want[i*shape[1]:(i+1)*shape[1]]) {
					t.Errorf("%s on %s: picture %d gives %v, want %v", name, b.Name(), i, ids(r), want[i*shape[1]:(i+1)*shape[1]])
				}
			}
		}
	}
}

// TestSearchUncached compares greedy and beam search with the same searches on
// the uncached model: the same ids, the same log-probabilities, the same
// attention; on the Go backend in batches of pictures of two shapes.
func TestSearchUncached(t *testing.T) {
	several := []*transform.Tensor{testInput("one", 64, 40), testInput("two", 64, 64), nil, testInput("three", 64, 40)}
	list := testBackends(t)
	for _, name := range []string{"resnet50_dilated", "patch"} {
		cfg := readConfig(t, name)
		cfg.EndID = 30 // one that these models say
		c := newTestCaptioner(t, list[0], cfg)
		for _, o := range []Options{{}, {Beam: 3, LengthPenalty: 1}, {Beam: 4, MaxTokens: 6}, {Batch: 1}} {
			compareUncached(t, c, several, o)
		}
	}
	for _, b := range list[1:] { // compiling takes its time there
		cfg := readConfig(t, "patch")
		cfg.EndID = 30
		c := newTestCaptioner(t, b, cfg)
		for _, o := range []Options{{}, {Beam: 3, LengthPenalty: 1}} {
			compareUncached(t, c, []*transform.Tensor{several[0], several[3]}, o)
		}
	}
}

// compareUncached captions inputs, of which nil ones are passed over, and
// searches each anew without a cache.
func compareUncached(t *testing.T, c *Captioner, inputs []*transform.Tensor, o Options) {
	t.Helper()
	results, err := c.CaptionTensors(inputs, o)
	if err != nil {
		t.Fatal(err)
	}
	o, _ = o.resolve(c.config)
	for i, in := range inputs {
		if in == nil {
			if len(results[i].Tokens) > 0 {
				t.Error("there is a caption without a picture")
			}
			continue
		}
		ref := reference{t, c.net, c.config, in}
		want := ref.search(o)
		what := fmt.Sprintf("picture %d on %s, %+v", i, c.net.backend.Name(), o)
		if !slices.Equal(ids(results[i]), want) {
			t.Errorf("%s: got %v, uncached %v", what, ids(results[i]), want)
		}
		if i < 2 && o.Batch > 1 {
			ref.compare(results[i], what)
		}
	}
}

// search is greedy or beam search written plainly: all continuations of all
// running captions are sorted.
func (r reference) search(o Options) []int {
	type caption struct {
		ids []int
		sum float64
	}
	running := []caption{{}}
	var ended []caption
	score := func(c caption) float64 { return c.sum / math.Pow(float64(len(c.ids)), o.LengthPenalty) }
	for n := 1; n <= o.MaxTokens && len(running) > 0; n++ {
		var all []caption
		for _, c := range running {
			for id, lp := range r.predict(c.ids).logProbs {
				all = append(all, caption{append(slices.Clone(c.ids), id), c.sum + float64(lp)})
			}
		}
		slices.SortStableFunc(all, func(a, b caption) int {
			if a.sum > b.sum {
				return -1
			}
			return 1
		})
		running = nil
		for rank, c := range all[:2*o.Beam] {
			if last := c.ids[n-1]; last == r.cfg.EndID && rank < o.Beam {
				ended = append(ended, c)
			} else if last != r.cfg.EndID && len(running) < o.Beam {
				running = append(running, c)
			}
		}
		slices.SortStableFunc(ended, func(a, b caption) int {
			if score(a) > score(b) {
				return -1
			}
			return 1
		})
		if o.Beam == 1 && len(ended) > 0 || len(ended) >= o.Beam && score(ended[o.Beam-1]) >= score(all[0]) {
			running = nil
		}
	}
	best := append(ended, running...)
	slices.SortStableFunc(best, func(a, b caption) int {
		if score(a) > score(b) {
			return -1
		}
		return 1
	})
	return best[0].ids
}

// TestSampling checks that draws repeat with a seed, change with it, don't
// depend on the batch, and stay among the likeliest.
func TestSampling(t *testing.T) {
	b := testBackends(t)[0]
	cfg := readConfig(t, "patch")
	c := newTestCaptioner(t, b, cfg)
	inputs := []*transform.Tensor{testInput("one", 64, 40), testInput("two", 64, 40)}
	caption := func(o Options) string {
		t.Helper()
		o.NoAttention = true
		results, err := c.CaptionTensors(inputs, o)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(ids(results[0]), ids(results[1]))
	}
	drawn := caption(Options{TopK: 5, Seed: 1})
	if got := caption(Options{TopK: 5, Seed: 1, Batch: 1}); got != drawn {
		t.Errorf("one at a time %s, together %s", got, drawn)
	}
	if caption(Options{TopK: 5, Seed: 2}) == drawn {
		t.Errorf("another seed draws the same: %s", drawn)
	}
	greedy := caption(Options{})
	for _, o := range []Options{{TopK: 1}, {TopP: 1e-9}, {Temperature: 1e-4}} {
		if got := caption(o); got != greedy {
			t.Errorf("%+v gives %s, the likeliest are %s", o, got, greedy)
		}
	}
}

// TestDraw counts draws against the probabilities they should have.
func TestDraw(t *testing.T) {
	logProbs := []float32{float32(math.Log(0.1)), float32(math.Log(0.5)), float32(math.Log(0.3)), float32(math.Log(0.1))}
	cases := []struct {
		o    Options
		want [4]float64
	}{
		{Options{Temperature: 1}, [4]float64{0.1, 0.5, 0.3, 0.1}},
		{Options{TopK: 2}, [4]float64{0, 0.625, 0.375, 0}},
		{Options{TopP: 0.8}, [4]float64{0, 0.625, 0.375, 0}},
		{Options{TopP: 0.85}, [4]float64{1.0 / 9, 5.0 / 9, 3.0 / 9, 0}},
		{Options{TopK: 2, Temperature: 0.5}, [4]float64{0, 25.0 / 34, 9.0 / 34, 0}},
	}
	for _, c := range cases {
		s := newSingle(Options{TopK: 1}, 0, 7)
		const n = 20000
		var counts [4]float64
		for range n {
			counts[c.o.draw(logProbs, s.random)] += 1.0 / n
		}
		for i, want := range c.want {
			if math.Abs(counts[i]-want) > 5*math.Sqrt(0.25/n) || want == 0 && counts[i] > 0 {
				t.Errorf("%+v: piece %d drawn with frequency %g, want %g", c.o, i, counts[i], want)
			}
		}
	}
}

func TestCaptionErrors(t *testing.T) {
	b := testBackends(t)[0]
	cfg := readConfig(t, "patch_padded")
	m := drawnModel(t, cfg)
	if _, err := NewCaptioner(b, m, nil); err == nil || !strings.Contains(err.Error(), "vocabulary") {
		t.Errorf("without words: %v", err)
	}
	if _, err := NewCaptioner(b, m, numberVocab(t, 5)); err == nil || !strings.Contains(err.Error(), "5 word pieces") {
		t.Errorf("with other words: %v", err)
	}
	if _, err := NewCaptioner(nil, m, numberVocab(t, cfg.Vocab)); err == nil {
		t.Error("without a backend: no error")
	}
	spoilt := drawnModel(t, cfg)
	spoilt.params["words"].Parts[0].Tensor.Bytes()[3], spoilt.params["words"].Parts[0].Tensor.Bytes()[2] = 0x7f, 0xc0
	if _, err := NewCaptioner(b, spoilt, numberVocab(t, cfg.Vocab)); err == nil || !strings.Contains(err.Error(), "words holds NaN") {
		t.Errorf("with NaN: %v", err)
	}
	c := newTestCaptioner(t, b, cfg)
	good := transform.NewImage(20, 30, 3)
	results, err := c.Caption([]*transform.Image{good, nil, transform.NewImage(1000, 2, 3), transform.NewImage(5, 5, 4), good}, Options{MaxTokens: 3})
	if err == nil || len(results) != 5 || len(results[0].Tokens) == 0 || len(results[4].Tokens) == 0 || len(results[1].Tokens)+len(results[2].Tokens) > 0 {
		t.Fatalf("bad pictures among good ones: %v, %v", results, err)
	}
	for _, want := range []string{"picture 1", "picture 2", "picture 3", "too narrow"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q doesn't say %q", err, want)
		}
	}
	for _, o := range []Options{
		{MaxTokens: -1}, {MaxTokens: cfg.MaxPositions}, {Beam: -1}, {Beam: 21}, {Beam: 2, TopK: 3}, {Batch: -1},
		{TopP: 1.5}, {TopK: -1}, {Temperature: math.NaN()}, {LengthPenalty: math.Inf(1)},
	} {
		if _, err := c.Caption([]*transform.Image{good}, o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Caption([]*transform.Image{good}, Options{}); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed: %v", err)
	}
}
