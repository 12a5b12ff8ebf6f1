package train

import (
	"slices"
	"strings"
	"testing"
)

// stageOptions is a golden case's options for the head and for what comes after.
func (c goldenStages) stageOptions(depth int) (head, all Options) {
	head, all = c.options(depth), c.options(depth)
	head.Schedule = Constant(c.HeadRate)
	head.Rules = append(head.Rules, FreezeBackbone())
	if c.EMA > 0 { // the golden cases' averages warm up
		head.Average, all.Average = &Average{Decay: c.EMA, Warmup: true}, &Average{Decay: c.EMA, Warmup: true}
	}
	return head, all
}

// TestStagesGolden trains the head and then everything: losses, norms, rates, the
// weights and their average equal those of two torch programs, the second with a new
// optimiser. The state is taken and given back at the switch and after it.
func TestStagesGolden(t *testing.T) {
	g, cases := moreGolden(t)
	if len(cases) != 2 {
		t.Fatalf("%d golden cases", len(cases))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			net, err := ViT(g.model, 0, c.Smoothing)
			if err != nil {
				t.Fatal(err)
			}
			head, all := c.stageOptions(g.model.Config.Depth)
			tr, err := NewTrainer(testBackend(t), net, head)
			if err != nil {
				t.Fatal(err)
			}
			losses, norms, rates := []float64{}, []float64{}, []float64{}
			for step := range g.Batches {
				if step == c.HeadSteps {
					tr = next(t, tr, net, all)
				}
				if step == c.HeadSteps+4 {
					tr = restored(t, tr, net, all)
				}
				images, labels, _ := g.batch(step)
				m, err := tr.Step(Batch{Images: images, Labels: labels})
				if err != nil {
					t.Fatal(err)
				}
				if losses = append(losses, m.Loss); m.Updated {
					norms, rates = append(norms, m.GradNorm), append(rates, m.Rate)
				}
			}
			g.compare(t, name+"/losses", losses)
			g.compare(t, name+"/norms", norms)
			g.compare(t, name+"/rates", rates)
			g.compareDigest(t, tr, name+"/weights", false)
			if c.EMA > 0 {
				g.compareDigest(t, tr, name+"/average", true)
			}
			if want := len(g.Batches) / max(c.Accumulate, 1); tr.Updates() != want {
				t.Errorf("%d updates counted, %d made", tr.Updates(), want)
			}
		})
	}
}

// next is the trainer after another one, which is closed.
func next(t *testing.T, tr *Trainer, net *Network, opt Options) *Trainer {
	t.Helper()
	n, err := tr.Next(net, opt)
	if err != nil {
		t.Fatal(err)
	}
	tr.Close()
	t.Cleanup(func() { n.Close() })
	return n
}

// restored is a new trainer with the state of another.
func restored(t *testing.T, tr *Trainer, net *Network, opt Options) *Trainer {
	t.Helper()
	state, err := tr.State()
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewTrainer(testBackend(t), net, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	if err := n.Restore(state); err != nil {
		t.Fatal(err)
	}
	again, err := n.State()
	if err != nil {
		t.Fatal(err)
	}
	for i := range state {
		if state[i].Name != again[i].Name || !slices.Equal(state[i].Bytes(), again[i].Bytes()) {
			t.Errorf("%s comes back as %s, or other than it was", state[i].Name, again[i].Name)
		}
	}
	return n
}

// TestNextRefuses what would lose gradients, and what has other weights.
func TestNextRefuses(t *testing.T) {
	g, _ := moreGolden(t)
	net, err := ViT(g.model, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{Optimizer: NewAdam(), Schedule: Constant(1e-3), Accumulate: 2}
	tr, err := NewTrainer(testBackend(t), net, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	images, labels, _ := g.batch(0)
	if _, err := tr.Step(Batch{Images: images, Labels: labels}); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Next(net, opt); err == nil || !strings.Contains(err.Error(), "flush") {
		t.Errorf("gradients that wait: %v", err)
	}
	if _, err := tr.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Next(net, Options{}); err == nil || !strings.Contains(err.Error(), "no optimiser") {
		t.Errorf("no options: %v", err)
	}
}
