package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"gaze/internal/realdata"
	"gaze/pkg/backend"
	"gaze/pkg/vit"
)

// devicesBackend divides the processor among devices.
func devicesBackend(t testing.TB, devices int) compute.Backend {
	t.Helper()
	b, err := backend.Open(fmt.Sprintf("xla:cpu,devices=%d", devices))
	if err != nil {
		t.Skip("XLA isn't there: ", err)
	}
	if b.NumDevices() != devices {
		t.Skipf("the plugin has %d devices", b.NumDevices())
	}
	return b
}

// kernelSized is a Vision Transformer whose layers are just large enough for Gaze's kernels.
func kernelSized(t testing.TB) *vit.Model {
	t.Helper()
	m, err := vit.New(vit.Config{
		ImageSize: [2]int{32, 32}, PatchSize: [2]int{4, 4}, Channels: 3, Dim: 64, Depth: 2, Heads: 2, MLPDim: 128, Classes: 5,
		ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
	}, 7)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// drawnBatch is a batch of n random pictures for kernelSized.
func drawnBatch(n int, seed uint64) Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	b := Batch{Images: make([]float32, n*3*32*32), Labels: make([]int, n)}
	for i := range b.Images {
		b.Images[i] = float32(r.NormFloat64())
	}
	for i := range b.Labels {
		b.Labels[i] = r.IntN(5)
	}
	return b
}

// devicesTrainer trains kernelSized as people fine-tune.
func devicesTrainer(t testing.TB, b compute.Backend, devices, accumulate int) *Trainer {
	t.Helper()
	net, err := ViT(kernelSized(t), 0.2, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(b, net, Options{
		Optimizer: NewAdamW(), Schedule: Warmup(5, 0.1, Cosine(1e-4, 0, 20)), Rules: []Rule{NoDecay()},
		ClipNorm: 1, Accumulate: accumulate, Average: &Average{Decay: 0.9}, Seed: 3, Devices: devices,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// trainSteps makes updates with batches of which some can't be divided equally.
func trainSteps(t testing.TB, tr *Trainer, from, to int) []Metrics {
	t.Helper()
	var all []Metrics
	for i := from; i < to; i++ {
		n := 8
		if i%4 == 3 {
			n = 5
		}
		m, err := tr.Step(drawnBatch(n, uint64(i)))
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		all = append(all, m)
	}
	return all
}

// furthest is the largest difference between the states of two trainers, and where it is.
func furthest(t testing.TB, a, b *Trainer) (float64, string) {
	t.Helper()
	var most float64
	where := ""
	others := stateOf(t, b)
	for name, values := range stateOf(t, a) {
		for i, v := range values {
			if d := math.Abs(float64(v - others[name][i])); !(d <= most) {
				most, where = d, fmt.Sprintf("%s[%d]", name, i)
			}
		}
	}
	return most, where
}

func stateOf(t testing.TB, tr *Trainer) map[string][]float32 {
	t.Helper()
	state, err := tr.State()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]float32{}
	for _, s := range state {
		if s.Name != counters {
			if all[s.Name], err = s.Float32s(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// TestDevices trains as one device does, with batches that can't be divided equally, and to
// the same bits each time.
func TestDevices(t *testing.T) {
	b := devicesBackend(t, 4)
	for _, accumulate := range []int{1, 2} {
		one := devicesTrainer(t, b, 1, accumulate)
		want := trainSteps(t, one, 0, 20*accumulate)
		for _, devices := range []int{2, 4} {
			t.Run(fmt.Sprintf("%d devices, %d batches an update", devices, accumulate), func(t *testing.T) {
				tr, again := devicesTrainer(t, b, devices, accumulate), devicesTrainer(t, b, devices, accumulate)
				got := trainSteps(t, tr, 0, 20*accumulate)
				for i, m := range got {
					w := want[i]
					if math.Abs(m.Loss-w.Loss) > 1e-6 || math.Abs(m.GradNorm-w.GradNorm) > 1e-5*max(1, w.GradNorm) || m.Correct != w.Correct || m.Answers != w.Answers || m.Update != w.Update || m.Rate != w.Rate {
						t.Fatalf("step %d: %+v, on one device %+v", i, m, w)
					}
				}
				most, where := furthest(t, tr, one)
				if t.Logf("the state differs by at most %.2g at %s", most, where); !(most <= 1e-6) {
					t.Errorf("the state differs by %g at %s", most, where)
				}
				trainSteps(t, again, 0, 20*accumulate)
				if most, where := furthest(t, tr, again); most != 0 {
					t.Errorf("trained again, the state differs by %g at %s", most, where)
				}
				sameEverywhere(t, tr)
				batch := drawnBatch(7, 99)
				for _, averaged := range []bool{false, true} {
					got, err := tr.Outputs(batch, averaged)
					if err != nil {
						t.Fatal(err)
					}
					want, err := one.Outputs(batch, averaged)
					if err != nil {
						t.Fatal(err)
					}
					if !near(got, want, 1e-5) {
						t.Errorf("averaged %v: logits %v, on one device %v", averaged, got, want)
					}
				}
			})
		}
	}
}

func near(a, b []float32, within float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !(math.Abs(float64(a[i]-b[i])) <= within) {
			return false
		}
	}
	return true
}

// sameEverywhere checks that all devices have the same bits.
func sameEverywhere(t *testing.T, tr *Trainer) {
	t.Helper()
	for v, others := range tr.others {
		want := tensors.MustCopyFlatData[float32](v.MustValue())
		for d, other := range others {
			if strings.HasPrefix(v.Path(), "/"+gradientScope) {
				continue // each has its own
			}
			if got := tensors.MustCopyFlatData[float32](other); !slices.Equal(got, want) {
				t.Errorf("%s on device %d isn't that on the first", v.Path(), d+1)
			}
		}
	}
}

// TestGoldenDevices trains on three devices in every way: what comes out equals torch's.
// Some batches have fewer pictures than there are devices.
func TestGoldenDevices(t *testing.T) {
	g, b := openGolden(t), devicesBackend(t, 3)
	for name := range g.Cases {
		if realdata.Asked(t, "GAZE_TEST_ALL") || name == "everything" {
			t.Run(name, func(t *testing.T) { g.compareCase(t, b, name) })
		}
	}
}

// TestDevicesResume goes on in the middle of an update, when each device has gradients of its
// own, to the same bits; another number of devices is refused there, and fine between updates.
func TestDevicesResume(t *testing.T) {
	b := devicesBackend(t, 4)
	straight, stopped := devicesTrainer(t, b, 2, 3), devicesTrainer(t, b, 2, 3)
	trainSteps(t, straight, 0, 9)
	trainSteps(t, stopped, 0, 5)
	state, err := stopped.State()
	if err != nil {
		t.Fatal(err)
	}
	resumed := devicesTrainer(t, b, 2, 3)
	if err := resumed.Restore(state); err != nil {
		t.Fatal(err)
	}
	trainSteps(t, resumed, 5, 9)
	if most, where := furthest(t, straight, resumed); most != 0 {
		t.Errorf("resumed, the state differs by %g at %s", most, where)
	}
	sameEverywhere(t, resumed)
	one := devicesTrainer(t, b, 1, 3)
	if err := one.Restore(state); err == nil || !strings.Contains(err.Error(), "number of devices") {
		t.Errorf("on another number of devices in the middle of an update: %v", err)
	}
	if state, err = straight.State(); err != nil {
		t.Fatal(err)
	}
	if err := one.Restore(state); err != nil {
		t.Errorf("on another number of devices between updates: %v", err)
	}
}

// TestDevicesRefused says how many devices there are, and which losses can't be divided.
func TestDevicesRefused(t *testing.T) {
	b := devicesBackend(t, 4)
	net, err := ViT(kernelSized(t), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	custom := *net
	custom.Loss = CustomLoss(func(*model.Scope, *Node, []*Node) Score { return Score{} })
	for _, c := range []struct {
		devices int
		net     *Network
		want    string
	}{
		{5, net, "only 4 devices, not 5"},
		{-1, net, "-1 devices"},
		{2, &custom, "can't be divided among devices"},
	} {
		opt := usual()
		opt.Devices = c.devices
		if _, err := NewTrainer(b, c.net, opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d devices: %v, want %q", c.devices, err, c.want)
		}
	}
	goBackend := testBackend(t)
	opt := usual()
	opt.Devices = 2
	if _, err := NewTrainer(goBackend, net, opt); err == nil || !strings.Contains(err.Error(), "only 1 device, not 2") {
		t.Errorf("the Go backend: %v", err)
	}
}
