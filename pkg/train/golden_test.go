package train

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"

	"gaze/internal/realdata"
	"gaze/pkg/backend"
	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// parity is how far a loss or a norm may be from torch's, relative to it.
const parity = 1e-4

// golden is what torch and timm did, from tools/golden/train.py.
type golden struct {
	Labels    []int
	Batches   [][]int // the pictures of every batch
	Cases     map[string]goldenCase
	Schedules map[string][]float64
	Names     []string // timm's, in the order of the digests' rows

	file   *weights.File
	model  *vit.Model // with the initial weights
	images []float32  // [pictures, 3, 12, 12]
	soft   []float32  // targets, [pictures, classes]
}

type goldenCase struct {
	Optimizer string
	Rate      float64 `json:"lr"`
	Args      struct {
		Momentum, Dampening float64
		Nesterov            bool
		Betas               []float64
		Eps                 float64
		WeightDecay         float64 `json:"weight_decay"`
	}
	LayerDecay float64 `json:"layer_decay"`
	Clip       float64
	Smoothing  float64
	Soft       bool
	Warmup     *struct {
		Updates, Total int
		Start, Floor   float64
	}
	Accumulate int
	Flush      []int
	Divide     bool    `json:"divide_by_accumulate"`
	EMA        float64 `json:"ema"`
	EMAWarmup  bool    `json:"ema_warmup"`
	DropPath   float64 `json:"drop_path"`
	Probe      bool
}

var loadGolden = sync.OnceValues(func() (*golden, error) {
	text, err := os.ReadFile(filepath.Join("testdata", "train.json"))
	if err != nil {
		return nil, err
	}
	g := &golden{}
	if err := json.Unmarshal(text, g); err != nil {
		return nil, err
	}
	if g.file, err = weights.Open(filepath.Join("testdata", "train.npz")); err != nil {
		return nil, err
	}
	return g, nil
})

func openGolden(t testing.TB) *golden {
	t.Helper()
	g, err := loadGolden()
	if err != nil {
		t.Fatal(err)
	}
	if g.model == nil {
		g.images, g.soft = g.array(t, "images"), g.array(t, "soft")
		g.model = g.initial(t)
	}
	return g
}

func (g *golden) array(t testing.TB, name string) []float32 {
	t.Helper()
	tensor, ok := g.file.Tensor(name)
	if !ok {
		t.Fatalf("the golden file has no %s", name)
	}
	values, err := tensor.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// initial is the model that training starts from, loaded as a checkpoint is.
func (g *golden) initial(t testing.TB) *vit.Model {
	t.Helper()
	dir, err := os.MkdirTemp("", "train")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var list []*weights.Tensor
	for _, name := range g.Names {
		tensor, _ := g.file.Tensor("initial/" + name)
		list = append(list, weights.NewTensor(name, tensor.Shape, g.array(t, "initial/"+name)))
	}
	path := filepath.Join(dir, "model.safetensors")
	if err := weights.WriteSafetensors(path, list, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"num_heads": 2, "layer_norm_eps": 1e-6, "img_size": 12}`), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := vit.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// batch is the pictures, labels and soft targets of a step.
func (g *golden) batch(step int) (images []float32, labels []int, soft []float32) {
	const classes = 5
	each := len(g.images) / len(g.Labels)
	for _, i := range g.Batches[step] {
		images = append(images, g.images[i*each:(i+1)*each]...)
		labels = append(labels, g.Labels[i])
		soft = append(soft, g.soft[i*classes:(i+1)*classes]...)
	}
	return images, labels, soft
}

// options is a case as this package says it.
func (c goldenCase) options(depth int) Options {
	o := Options{
		ClipNorm: c.Clip, Accumulate: c.Accumulate, DivideByAccumulate: c.Divide,
		Schedule: Constant(c.Rate),
	}
	adam := NewAdam()
	if c.Optimizer == "adamw" {
		adam = NewAdamW()
	}
	if adam.WeightDecay = c.Args.WeightDecay; c.Args.Betas != nil {
		adam.Beta1, adam.Beta2, adam.Eps = c.Args.Betas[0], c.Args.Betas[1], c.Args.Eps
	}
	if o.Optimizer = adam; c.Optimizer == "sgd" {
		o.Optimizer = SGD{Momentum: c.Args.Momentum, Dampening: c.Args.Dampening, Nesterov: c.Args.Nesterov, WeightDecay: c.Args.WeightDecay}
	}
	if w := c.Warmup; w != nil {
		o.Schedule = Warmup(w.Updates, w.Start, Cosine(c.Rate, w.Floor, w.Total))
	}
	if c.LayerDecay > 0 {
		o.Rules = append(o.Rules, NoDecay(), LayerDecay(depth, c.LayerDecay))
	}
	if c.Probe {
		o.Rules = append(o.Rules, FreezeBackbone())
	}
	if c.EMA > 0 {
		o.Average = &Average{Decay: c.EMA, Warmup: c.EMAWarmup}
	}
	return o
}

// trainer makes the trainer of a case, with the golden file's stochastic depth.
func (g *golden) trainer(t testing.TB, b compute.Backend, name string) *Trainer {
	t.Helper()
	c, ok := g.Cases[name]
	if !ok {
		t.Fatalf("there is no golden case %s", name)
	}
	net, err := ViT(g.model, c.DropPath, c.Smoothing)
	if err != nil {
		t.Fatal(err)
	}
	opt := c.options(g.model.Config.Depth)
	if n := b.NumDevices(); n > 1 { // train on as many as a test wants
		opt.Devices = n
	}
	tr, err := NewTrainer(b, net, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	if c.DropPath > 0 {
		all := g.array(t, name+"/factors") // [steps, branches, 5]
		branches := 2 * g.model.Config.Depth
		tr.dropPath = func(batch int) []float32 {
			var mask []float32
			for b := range branches {
				start := (tr.batches*branches + b) * 5
				mask = append(mask, all[start:start+batch]...)
			}
			return mask
		}
	}
	return tr
}

// step runs one step of a case, and the flush after it if the case has one.
func (g *golden) step(t testing.TB, tr *Trainer, name string, step int) Metrics {
	t.Helper()
	c := g.Cases[name]
	images, labels, soft := g.batch(step)
	var m Metrics
	var err error
	if c.Soft {
		m, err = tr.Step(Batch{Images: images, Targets: soft})
	} else {
		m, err = tr.Step(Batch{Images: images, Labels: labels})
	}
	if err != nil {
		t.Fatalf("step %d: %v", step, err)
	}
	if slices.Contains(c.Flush, step) || step == len(g.Batches)-1 {
		f, err := tr.Flush()
		if err != nil {
			t.Fatalf("flush after step %d: %v", step, err)
		}
		if f.Updated {
			m.Updated, m.Update, m.GradNorm, m.Rate = true, f.Update, f.GradNorm, f.Rate
		}
	}
	return m
}

func testBackend(t testing.TB) compute.Backend {
	t.Helper()
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGolden trains thirty steps in every way: losses, gradient norms, learning
// rates and what the weights and their average end as equal torch's.
func TestGolden(t *testing.T) {
	g := openGolden(t)
	if len(g.Cases) < 15 {
		t.Fatalf("only %d golden cases", len(g.Cases))
	}
	for name := range g.Cases {
		t.Run(name, func(t *testing.T) { g.compareCase(t, testBackend(t), name) })
	}
}

// TestGoldenDefaultBackend does so on the backend that users get, all at once:
// XLA compiles each for seconds. GAZE_TEST_ALL=1 makes it all ways.
func TestGoldenDefaultBackend(t *testing.T) {
	b, err := backend.Default()
	if err != nil {
		t.Fatal(err)
	}
	if b.Name() == testBackend(t).Name() {
		t.Skip("no XLA plugin found: TestGolden has tested the Go backend")
	}
	g := openGolden(t)
	for name := range g.Cases {
		if realdata.Asked(t, "GAZE_TEST_ALL") || name == "everything" {
			t.Run(name, func(t *testing.T) { g.compareCase(t, b, name) })
		}
	}
}

// compareCase runs a case and compares all that it gives.
func (g *golden) compareCase(t *testing.T, b compute.Backend, name string) {
	t.Helper()
	tr := g.trainer(t, b, name)
	losses, norms, rates, correct := []float64{}, []float64{}, []float64{}, []float64{}
	for step := range g.Batches {
		m := g.step(t, tr, name, step)
		losses, correct = append(losses, m.Loss), append(correct, float64(m.Correct))
		if m.Updated {
			norms, rates = append(norms, m.GradNorm), append(rates, m.Rate)
		}
	}
	g.compare(t, name+"/losses", losses)
	g.compare(t, name+"/norms", norms)
	g.compare(t, name+"/rates", rates)
	if !g.Cases[name].Soft { // there "correct" is by the soft target's greatest class
		g.compare(t, name+"/correct", correct)
	}
	g.compareDigest(t, tr, name+"/weights", false)
	if g.Cases[name].EMA > 0 {
		g.compareDigest(t, tr, name+"/average", true)
	}
}

// compare compares values with the golden ones, each relative to its own size.
func (g *golden) compare(t *testing.T, name string, got []float64) {
	t.Helper()
	want := g.array(t, name)
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, torch has %d", name, len(got), len(want))
	}
	worst := 0.0
	for i, v := range got {
		d := math.Abs(v-float64(want[i])) / math.Max(math.Abs(float64(want[i])), 1e-12)
		if worst = max(worst, d); !(d <= parity) {
			t.Errorf("%s: %g at %d, torch has %g: off by %.2g", name, v, i, want[i], d)
		}
	}
	t.Logf("%s: off by at most %.1e", name, worst)
}

// compareDigest compares the weights with the golden digest: sum, sum of
// magnitudes and sum under a cosine of each, relative to the magnitudes.
func (g *golden) compareDigest(t *testing.T, tr *Trainer, name string, averaged bool) {
	t.Helper()
	list, err := tr.Weights(averaged)
	if err != nil {
		t.Fatal(err)
	}
	m, err := g.model.WithParameters(list)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := m.Save(filepath.Join(dir, "model.safetensors")); err != nil { // under timm's names
		t.Fatal(err)
	}
	f, err := weights.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, worst := g.array(t, name), 0.0
	for row, weight := range g.Names {
		tensor, ok := f.Tensor(weight)
		if !ok {
			t.Fatalf("no %s was saved", weight)
		}
		values, err := tensor.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		var got [3]float64
		for i, v := range values {
			if n := len(values); strings.HasSuffix(weight, "qkv.bias") && i >= n/3 && i < 2*n/3 {
				continue // the key's bias, which no attention depends on: rounding errors that Adam magnifies
			}
			got[0] += float64(v)
			got[1] += math.Abs(float64(v))
			got[2] += float64(v) * math.Cos(float64(i))
		}
		size := float64(want[3*row+1])
		for k, v := range got {
			d := math.Abs(v-float64(want[3*row+k])) / size
			if worst = max(worst, d); !(d <= parity) {
				t.Errorf("%s: %s ends with digest %v, torch with %v: off by %.2g", name, weight, got, want[3*row:3*row+3], d)
				break
			}
		}
	}
	t.Logf("%s: off by at most %.1e", name, worst)
}

// TestSchedules compares learning rates with torch's schedulers.
func TestSchedules(t *testing.T) {
	ours := map[string]Schedule{
		"cosine":        Cosine(0.2, 0.01, 30),
		"linear":        Linear(0.2, 0.01, 20),
		"steps":         Steps(0.2, 0.3, 7),
		"warmup_cosine": Warmup(6, 0.01, Cosine(0.2, 0.001, 24)),
	}
	g := openGolden(t)
	if len(g.Schedules) != len(ours) {
		t.Fatalf("%d golden schedules", len(g.Schedules))
	}
	for name, want := range g.Schedules {
		for update, rate := range want {
			if got := ours[name](update); math.Abs(got-rate) > 1e-12 {
				t.Errorf("%s: update %d at %g, torch at %g", name, update, got, rate)
			}
		}
	}
	if got := Cosine(0.2, 0.01, 30)(1000); got != 0.01 {
		t.Errorf("long after its end the cosine is %g", got)
	}
	if got := Steps(1, 0.5, 0)(2); got != 0.25 {
		t.Errorf("steps of nothing: %g", got)
	}
}
