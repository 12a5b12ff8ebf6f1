package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/data"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

func pipeline(t *testing.T, spec string) transform.Pipeline {
	t.Helper()
	p, err := transform.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stripes is pictures of two classes, of bright and of dark stripes.
type stripes struct{ n, bad int }

func (s stripes) Len() int          { return s.n }
func (s stripes) Label(i int) int   { return i % 2 }
func (s stripes) Name(i int) string { return fmt.Sprint("picture ", i) }

func (s stripes) Image(i int) (*transform.Image, error) {
	if i == s.bad {
		return nil, fmt.Errorf("%s: torn", s.Name(i))
	}
	im := transform.NewImage(20, 20, 3)
	for k := range im.Pix {
		im.Pix[k] = uint8(40 + 120*(i%2) + (k*(i+3))%60)
	}
	return im, nil
}

// fineTune is a run of a tiny model that learns to tell the stripes apart.
func fineTune(t *testing.T, settings string) FineTune {
	t.Helper()
	cfg, err := vit.ParseConfig("vit:dim=16,depth=2,heads=2,patch=8,size=32")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 5
	m, err := vit.New(cfg, 3)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSettings(settings)
	if err != nil {
		t.Fatal(err)
	}
	return FineTune{
		Dir: filepath.Join(t.TempDir(), "run"), Model: m, Start: "tiny", Data: "stripes", Classes: []string{"dark", "bright"},
		Train: stripes{12, -1}, Validation: stripes{6, -1}, Settings: s,
		Pipeline: pipeline(t, "randomhflip | resize(16,16) | totensor | normalize(0.5,0.5)"),
	}
}

// TestFineTune: a new head, resized positions, and a best model that has learnt
// and that is prepared for as it was validated.
func TestFineTune(t *testing.T) {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range []string{
		"lr=3e-3; epochs=8; batch=4; optimizer=adamw; schedule=cosine; warmup=1; clip=1; droppath=0.1; mixup=0.2; cutmix=1; smoothing=0.1; ema=0.9",
		"lr=0.1; epochs=8; batch=4; optimizer=sgd; momentum=0.9; probe",
		"lr=3e-2; epochs=8; batch=4; freeze=backbone; accumulate=2",
		"lr=3e-3; epochs=8; batch=4; freeze=blocks:1; layerdecay=0.9",
		"lr=3e-3; epochs=8; batch=4; droppath=0.1; ema=0.9; precision=bfloat16; checkpoint",
	} {
		f := fineTune(t, settings)
		var warnings []string
		var last Progress
		f.Warn = func(text string) { warnings = append(warnings, text) }
		f.Progress = func(p Progress) { last = p }
		m, err := f.Run(context.Background(), b)
		if err != nil {
			t.Fatalf("%s: %v", settings, err)
		}
		if m.Status != Done || m.Best.Accuracy < 1 || last.Epoch != 8 || m.Settings["pipeline"] != f.Pipeline.String() || m.Settings["model"] != "tiny" {
			t.Errorf("%s: %+v, best %+v, progress %+v", settings, m, m.Best, last)
		}
		if f.Settings.Probe && len(warnings) > 0 && strings.Contains(warnings[0], "random in the pipeline") {
			warnings = warnings[1:]
		}
		if len(warnings) != 2 || !strings.Contains(warnings[0], "32×32 to 16×16") || !strings.Contains(warnings[1], "2 classes") {
			t.Errorf("warnings %q", warnings)
		}
		best, err := vit.Load(filepath.Join(f.Dir, "best", "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if best.Pipeline() != "resize(16,16,bilinear) | totensor | normalize(0.5,0.5)" || !slices.Equal(best.Labels, f.Classes) || best.Config.ImageSize != [2]int{16, 16} {
			t.Errorf("the best is %v, %v, %s", best.Config.ImageSize, best.Labels, best.Pipeline())
		}
		runner, err := vit.NewRunner(b, best)
		if err != nil {
			t.Fatal(err)
		}
		im, err := stripes{2, -1}.Image(1)
		if err != nil {
			t.Fatal(err)
		}
		x, err := pipeline(t, best.Pipeline()).Tensor(im)
		if err != nil {
			t.Fatal(err)
		}
		out, err := runner.Run(x.Data, [4]int{1, 3, 16, 16}, vit.Want{Logits: true})
		if err != nil || out.Logits.Values[1] <= out.Logits.Values[0] {
			t.Errorf("%s: a bright picture gets %v (%v)", settings, out, err)
		}
		runner.Close()
		best.Close()
	}
}

// TestFineTuneWorkers: neither the number of workers nor an interruption changes
// a bit, with or without cached features.
func TestFineTuneWorkers(t *testing.T) {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range []string{"lr=1e-3; epochs=3; batch=4; droppath=0.2; mixup=1", "lr=1e-2; epochs=3; batch=4; probe"} {
		whole := fineTune(t, settings)
		whole.Workers = 1
		if _, err := whole.Run(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		parts := fineTune(t, settings)
		parts.Workers = 3
		ctx, cancel := context.WithCancel(context.Background())
		parts.Progress = func(p Progress) {
			if p.Epoch == 2 && p.Done == 1 {
				cancel()
			}
		}
		if m, err := parts.Run(ctx, b); !errors.Is(err, ErrStopped) || m.Status != Stopped {
			t.Fatalf("%s: %+v (%v)", settings, m, err)
		}
		cancel()
		parts.Resume, parts.Progress = true, nil
		if _, err := parts.Run(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(whole.Dir, "best", "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(parts.Dir, "best", "model.safetensors"))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: the weights differ (%v)", settings, err)
		}
	}
}

func TestFineTuneRefuses(t *testing.T) {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*FineTune)
		says   string
	}{
		{func(f *FineTune) { f.Train = nil }, "pictures to train on"},
		{func(f *FineTune) { f.Model = nil }, "a model"},
		{func(f *FineTune) { f.Train = stripes{} }, "no pictures"},
		{func(f *FineTune) { f.Validation = stripes{} }, "validation"},
		{func(f *FineTune) { f.Train = stripes{4, 0} }, "torn"},
		{func(f *FineTune) { f.Pipeline = pipeline(t, "resize(20,20) | totensor") }, "20×20"},
		{func(f *FineTune) { f.Pipeline = pipeline(t, "grayscale | resize(16,16) | totensor") }, "1 channels"},
		{func(f *FineTune) { f.EvalPipeline = pipeline(t, "resize(32,32) | totensor") }, "must agree"},
		{func(f *FineTune) { f.Classes = nil }, "0 classes"},
		{func(f *FineTune) { f.Resume = true }, "no run to resume"},
		{func(f *FineTune) { f.Settings.Probe, f.Settings.Mixup = true, 0.2 }, "can't be mixed"},
		{func(f *FineTune) { f.Settings.Precision = "half" }, `not "half"`},
		{func(f *FineTune) { f.Settings.Freeze = "blocks:9" }, "blocks"},
	} {
		f := fineTune(t, "epochs=1")
		c.change(&f)
		if _, err := f.Run(context.Background(), b); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %q", err, c.says)
		}
		if _, err := os.Stat(f.Dir); f.Settings.Probe && err == nil {
			t.Error("it made a run's folder")
		}
	}
	// A torn picture that is to be left out.
	f := fineTune(t, "epochs=2; batch=4")
	f.Train = stripes{12, 5}
	var told []string
	f.Bad = func(b data.BadPicture) { told = append(told, b.Name) }
	if m, err := f.Run(context.Background(), b); err != nil || m.Status != Done || !slices.Equal(told, []string{"picture 5"}) {
		t.Errorf("told of %v, %+v (%v)", told, m, err)
	}
}

// TestFineTuneSweep: rates that are tried leave nothing behind and end where the
// loss has grown.
func TestFineTuneSweep(t *testing.T) {
	for _, settings := range []string{"lr=1e-3; batch=4", "lr=1e-3; batch=4; mixup=0.2; cutmix=1", "lr=1e-3; batch=4; probe"} {
		f := fineTune(t, settings)
		sweep, err := f.Sweep(context.Background(), testBackend(t), FinderOptions{From: 1e-5, To: 100, Updates: 40})
		if err != nil {
			t.Fatalf("%s: %v", settings, err)
		}
		if n := len(sweep.Rates); n < 5 || sweep.Rates[0] != 1e-5 || sweep.Steepest() <= 1e-5 {
			t.Errorf("%s: %d rates from %g, steepest at %g", settings, n, sweep.Rates[0], sweep.Steepest())
		}
		if _, err := os.Stat(f.Dir); err == nil {
			t.Errorf("%s: it made a run's folder", settings)
		}
	}
}

// TestFineTuneSweepRefuses says what is wrong where nothing can be swept.
func TestFineTuneSweepRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(*FineTune)
		says   string
	}{
		{func(f *FineTune) { f.Settings.Probe, f.Settings.Mixup = true, 0.2 }, "can't be mixed"},
		{func(f *FineTune) { f.Train = nil }, "pictures to train on"},
		{func(f *FineTune) { f.Train = stripes{} }, "no pictures"},
	} {
		f := fineTune(t, "batch=4")
		c.change(&f)
		if _, err := f.Sweep(context.Background(), testBackend(t), FinderOptions{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
}

// TestProbeWarns: a probe leaves random steps out and says so.
func TestProbeWarns(t *testing.T) {
	b, err := backend.Open("go:ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"randomhflip | resize(16,16) | totensor": true, "resize(16,16) | totensor": false} {
		f := fineTune(t, "epochs=1; probe=true")
		f.Pipeline, f.EvalPipeline = pipeline(t, text), nil
		var told string
		f.Warn = func(s string) { told += s }
		if _, err := f.Run(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(told, "random in the pipeline is left out"); got != want {
			t.Errorf("%s: warned %q", text, told)
		}
	}
	// Without Warn, run.json says it; and where it isn't chance that is left
	// out, that isn't said.
	f := fineTune(t, "epochs=1; probe=true")
	m, err := f.Run(context.Background(), b)
	if err != nil || len(m.Warnings) == 0 || !strings.Contains(m.Warnings[0], "random in the pipeline is left out") {
		t.Errorf("run.json has the warnings %q (%v)", m.Warnings, err)
	}
	f = fineTune(t, "epochs=1; probe=true")
	f.Pipeline, f.EvalPipeline = pipeline(t, "resize(16,16) | totensor"), pipeline(t, "resize(16,16) | hflip | totensor")
	m, err = f.Run(context.Background(), b)
	if err != nil || len(m.Warnings) == 0 || strings.Contains(m.Warnings[0], "random") || !strings.Contains(m.Warnings[0], "by the evaluation's pipeline: resize(16,16,bilinear) | hflip") {
		t.Errorf("run.json has the warnings %q (%v)", m.Warnings, err)
	}
}

// TestFeaturesRefuseChance: one draw of random steps doesn't stand for all.
func TestFeaturesRefuseChance(t *testing.T) {
	f := fineTune(t, "")
	for text, random := range map[string]bool{"randomhflip | resize(32,32) | totensor": true, "resize(32,32) | totensor": false} {
		l, err := data.NewLoader(f.Train, data.LoaderOptions{Pipeline: pipeline(t, text), Batch: 4})
		if err != nil {
			t.Fatal(err)
		}
		_, err = Features(context.Background(), testBackend(t), f.Model, FromLoader(context.Background(), l), "", "")
		if (err != nil) != random || random && !strings.Contains(err.Error(), "Pipeline.Evaluation") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
