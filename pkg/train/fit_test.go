package train

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gaze/pkg/vit"
	"gaze/pkg/weights"
)

// memory is a source of the golden file's pictures: every epoch in another
// order, the last batch smaller. before is called before each batch.
type memory struct {
	g      *golden
	before func(epoch, batch int) error
}

const memoryBatch, memoryBatches = 6, 4

func (s memory) Len() int { return memoryBatches }

func (s memory) Batches(epoch, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		n, each := len(s.g.Labels), len(s.g.images)/len(s.g.Labels)
		for b := from; b < memoryBatches; b++ {
			var batch Batch
			for i := b * memoryBatch; i < min((b+1)*memoryBatch, n); i++ {
				k := (i*7 + epoch*3) % n // 7 and 20 have no common divisor
				batch.Images = append(batch.Images, s.g.images[k*each:(k+1)*each]...)
				batch.Labels = append(batch.Labels, s.g.Labels[k])
			}
			var err error
			if s.before != nil {
				err = s.before(epoch, b)
			}
			if !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

// fit is a run with everything that has to be resumed: stochastic depth,
// accumulation across checkpoints, an average.
func fit(t testing.TB, dir string, resume bool) (Fit, *Trainer) {
	t.Helper()
	g := openGolden(t)
	net, err := ViT(g.model, 0.3, 0)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(testBackend(t), net, Options{
		Optimizer: NewAdamW(), Schedule: Warmup(2, 0.1, Cosine(5e-3, 0, 4)), Accumulate: 3, ClipNorm: 2, Seed: 5,
		Average: &Average{Decay: 0.9, Warmup: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return Fit{
		Dir: dir, Train: memory{g: g}, Validation: memory{g: g}, Epochs: 4, CheckpointEvery: 1, Resume: resume,
		Settings: map[string]string{"lr": "5e-3"}, Data: "golden",
	}, tr
}

// outcome is what a run leaves that mustn't depend on its stops.
func outcome(t testing.TB, dir string) (last, best []byte, metrics []string) {
	t.Helper()
	for file, to := range map[string]*[]byte{checkpointFile: &last, bestFile: &best} {
		f, err := weights.Open(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		names := slices.Sorted(slices.Values(f.Names()))
		for _, name := range names {
			tensor, _ := f.Tensor(name)
			*to = append(append(*to, name...), tensor.Bytes()...)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, metricsFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var record map[string]any
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		delete(record, "seconds")
		line, _ := json.Marshal(record)
		metrics = append(metrics, string(line))
	}
	return last, best, append(metrics, eventLines(t, dir)...)
}

func sameOutcome(t *testing.T, dir, straight string) {
	t.Helper()
	last, best, metrics := outcome(t, dir)
	wantLast, wantBest, wantMetrics := outcome(t, straight)
	if !bytes.Equal(last, wantLast) {
		t.Error("the last state differs from that of a run without stops")
	}
	if !bytes.Equal(best, wantBest) {
		t.Error("the best weights differ from those of a run without stops")
	}
	if !slices.Equal(metrics, wantMetrics) {
		t.Errorf("the metrics differ from those of a run without stops:\n%s\n\n%s", strings.Join(metrics, "\n"), strings.Join(wantMetrics, "\n"))
	}
}

// straightRun is a run without stops.
func straightRun(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "straight")
	f, tr := fit(t, dir, false)
	m, err := f.Run(context.Background(), tr)
	if err != nil {
		t.Fatal(err)
	}
	if m.Status != Done || m.Epochs != 4 || m.Updates != 8 || m.Best == nil || m.Best.Total != 20 || m.BestAt < 1 {
		t.Fatalf("ended as %+v", m)
	}
	return dir
}

// TestFit runs four epochs: what the folder holds, what progress told, and that
// the best weights are what their evaluation says.
func TestFit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	f, tr := fit(t, dir, false)
	var told []Progress
	f.Progress = func(p Progress) { told = append(told, p) }
	m, err := f.Run(context.Background(), tr)
	if err != nil {
		t.Fatal(err)
	}
	if n := 4 * (memoryBatches + 1); len(told) != n {
		t.Fatalf("progress told %d times, not %d", len(told), n)
	}
	for i, p := range told {
		if p.Epoch != i/5+1 || p.Done != min(i%5+1, 4) || (p.Validation != nil) != (i%5 == 4) || p.PicturesPerSec <= 0 {
			t.Errorf("progress %d: %+v", i, p)
		}
	}
	if end := told[len(told)-1]; end.Remaining != 0 || end.Train.Total != 20 {
		t.Errorf("at the end: %+v", end)
	}
	if _, _, metrics := outcome(t, dir); len(metrics) != 4*(memoryBatches+1+1)+13 { // a flush each, and the epoch; and the events
		t.Errorf("%d lines of metrics and events", len(metrics))
	}
	read, err := ReadManifest(dir)
	if err != nil || read.Status != Done || *read.Best != *m.Best || read.Settings["lr"] != "5e-3" {
		t.Errorf("the manifest reads %+v (%v)", read, err)
	}

	file, err := weights.Open(filepath.Join(dir, bestFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []*weights.Tensor
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		list = append(list, tensor)
	}
	best, err := openGolden(t).model.WithParameters(list)
	if err != nil {
		t.Fatal(err)
	}
	net, err := ViT(best, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewTrainer(testBackend(t), net, usual())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if e, err := again.Evaluate(context.Background(), f.Validation, false); err != nil || e != *m.Best {
		t.Errorf("the best weights evaluate to %+v (%v), the manifest says %+v", e, err, m.Best)
	}
}

// TestFitStops is cancelled before any batch and resumed, again and again.
func TestFitStops(t *testing.T) {
	straight := straightRun(t)
	dir := filepath.Join(t.TempDir(), "run")
	for stops := 0; ; stops++ {
		f, tr := fit(t, dir, stops > 0)
		f.CheckpointEvery = 0
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		before := func(int, int) error {
			if seen++; seen == 1+stops%7 {
				cancel()
			}
			return nil
		}
		f.Train, f.Validation = memory{f.Train.(memory).g, before}, memory{f.Train.(memory).g, before}
		m, err := f.Run(ctx, tr)
		cancel()
		if err == nil {
			if stops < 8 {
				t.Errorf("only %d stops", stops)
			}
			break
		}
		if !errors.Is(err, ErrStopped) || m.Status != Stopped {
			t.Fatalf("after %d stops: %v, %+v", stops, err, m)
		}
		if stops > 60 {
			t.Fatal("it doesn't get on")
		}
	}
	sameOutcome(t, dir, straight)
}

// TestFitChild is the process that TestFitKilled kills.
func TestFitChild(t *testing.T) {
	dir := os.Getenv("GAZE_TRAIN_CHILD")
	if dir == "" {
		t.Skip("run by TestFitKilled")
	}
	_, err := os.Stat(filepath.Join(dir, manifestFile))
	f, tr := fit(t, dir, err == nil)
	f.Progress = func(Progress) { time.Sleep(4 * time.Millisecond) } // so that kills fall everywhere
	if _, err := f.Run(context.Background(), tr); err != nil {
		t.Fatal(err)
	}
}

// TestFitKilled kills a run's process at moments that fall anywhere, until it
// gets to its end: it comes out to the same bits.
func TestFitKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	straight := straightRun(t)
	dir := filepath.Join(t.TempDir(), "run")
	kills := 0
	for wait := 40 * time.Millisecond; ; wait = wait * 6 / 5 {
		child := exec.Command(os.Args[0], "-test.run=^TestFitChild$")
		child.Env = append(os.Environ(), "GAZE_TRAIN_CHILD="+dir)
		var output bytes.Buffer
		child.Stdout, child.Stderr = &output, &output
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(wait, func() { child.Process.Kill() })
		err := child.Wait()
		if timer.Stop() {
			if err != nil {
				t.Fatalf("after %d kills: %v\n%s", kills, err, output.String())
			}
			break
		}
		if kills++; kills > 60 {
			t.Fatal("it doesn't get on")
		}
	}
	t.Logf("killed %d times", kills)
	if kills == 0 {
		t.Error("it wasn't killed once")
	}
	sameOutcome(t, dir, straight)
}

// TestFitSweeps: what a killed process had half-written, gigabytes with a large
// model, is gone when the run goes on.
func TestFitSweeps(t *testing.T) {
	dir := straightRun(t)
	halves := []string{".gaze-1.tmp", "checkpoints/.gaze-22.tmp", "best/.gaze-333.tmp"}
	for _, name := range halves {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, tr := fit(t, dir, true)
	if _, err := f.Run(context.Background(), tr); err != nil {
		t.Fatal(err)
	}
	for _, name := range halves {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", name, err)
		}
	}
}

// TestFitFails writes the reason down and keeps the last good state.
func TestFitFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	f, tr := fit(t, dir, false)
	g := openGolden(t)
	boom := errors.New("a.jpg: truncated")
	f.Train = memory{g, func(epoch, batch int) error {
		if epoch == 1 && batch == 2 {
			return boom
		}
		return nil
	}}
	m, err := f.Run(context.Background(), tr)
	if !errors.Is(err, boom) || m.Status != Failed || m.Reason != boom.Error() || m.Epochs != 1 {
		t.Errorf("a source that fails: %v, %+v", err, m)
	}

	f, tr = fit(t, dir, true) // mended
	if m, err := f.Run(context.Background(), tr); err != nil || m.Status != Done || m.Reason != "" {
		t.Errorf("resumed: %v, %+v", err, m)
	}
	sameOutcome(t, dir, straightRun(t))

	dir = filepath.Join(t.TempDir(), "nan")
	f, tr = fit(t, dir, false)
	tr.opt.Schedule = Constant(math.MaxFloat32)
	var broken *NotFiniteError
	if m, err := f.Run(context.Background(), tr); !errors.As(err, &broken) || m.Status != Failed || !strings.Contains(m.Reason, "learning rate") {
		t.Errorf("a learning rate much too high: %v, %+v", err, m)
	}
}

// TestFitRefuses doesn't touch a folder that holds another run.
func TestFitRefuses(t *testing.T) {
	dir := straightRun(t)
	wantLast, wantBest, wantMetrics := outcome(t, dir)
	broken := filepath.Join(t.TempDir(), "broken")
	if err := os.CopyFS(broken, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(broken, metricsFile), 10); err != nil {
		t.Fatal(err)
	}
	garbled := t.TempDir()
	if err := os.WriteFile(filepath.Join(garbled, manifestFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(f *Fit){
		"holds a run already":     func(f *Fit) { f.Resume = false },
		`lr was "5e-3", now it`:   func(f *Fit) { f.Settings = map[string]string{"lr": "1"} },
		`batch was "", now it is`: func(f *Fit) { f.Settings = map[string]string{"lr": "5e-3", "batch": "8"} },
		"lr was":                  func(f *Fit) { f.Settings = nil },
		`on data "golden"`:        func(f *Fit) { f.Data = "other" },
		"no run to resume":        func(f *Fit) { f.Dir = t.TempDir() },
		"it was changed":          func(f *Fit) { f.Dir = broken },
		"run.json":                func(f *Fit) { f.Dir = garbled },
		"at least one epoch":      func(f *Fit) { f.Epochs = 0 },
		"nothing to train on":     func(f *Fit) { f.Train = nil },
		"absent":                  func(f *Fit) { f.Dir = filepath.Join(t.TempDir(), "absent") },
	} {
		f, tr := fit(t, dir, true)
		change(&f)
		if _, err := f.Run(context.Background(), tr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	last, best, metrics := outcome(t, dir)
	if !bytes.Equal(last, wantLast) || !bytes.Equal(best, wantBest) || !slices.Equal(metrics, wantMetrics) {
		t.Error("the run in the folder was changed")
	}
}

// TestFitLocks lets one process at a time into a folder.
func TestFitLocks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	f, tr := fit(t, dir, false)
	other, otherTrainer := fit(t, dir, true)
	tried := false
	f.Progress = func(Progress) {
		if tried {
			return
		}
		tried = true
		if _, err := other.Run(context.Background(), otherTrainer); err == nil || !strings.Contains(err.Error(), "another process") {
			t.Errorf("trained twice in one folder: %v", err)
		}
	}
	if _, err := f.Run(context.Background(), tr); err != nil || !tried {
		t.Fatal(err)
	}
	if _, err := other.Run(context.Background(), otherTrainer); err != nil {
		t.Errorf("the folder stays locked: %v", err)
	}
}

// TestBadCheckpoint names what is wrong in it.
func TestBadCheckpoint(t *testing.T) {
	dir := straightRun(t)
	path := filepath.Join(dir, checkpointFile)
	f, tr := fit(t, dir, true)
	state, err := tr.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := weights.WriteSafetensors(path, state, map[string]string{"epoch": "-1", "batch": "x", "best": "{"}); err != nil {
		t.Fatal(err)
	}
	_, err = f.Run(context.Background(), tr)
	for _, want := range []string{"epoch", "batch", "seconds", "best", checkpointFile} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Run(context.Background(), tr); err == nil || !strings.Contains(err.Error(), "without the file "+path+" the run begins again") {
		t.Errorf("a truncated checkpoint: %v", err)
	}
}

// TestFitSaves writes the best weights as a model that can be loaded.
func TestFitSaves(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	f, tr := fit(t, dir, false)
	f.Validation, f.Epochs = nil, 1
	f.Save = func(path string, list []*weights.Tensor) error {
		m, err := openGolden(t).model.WithParameters(list)
		if err != nil {
			return err
		}
		return m.Save(path)
	}
	m, err := f.Run(context.Background(), tr)
	if err != nil || m.Best != nil || m.BestAt != 1 {
		t.Fatalf("without validation: %+v (%v)", m, err)
	}
	back, err := vit.Load(filepath.Join(dir, "best"))
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if !back.Config.Equal(openGolden(t).model.Config) {
		t.Errorf("saved %+v", back.Config)
	}
}

// TestEvaluate compares with the loss that a step tells, and refuses what can't
// be evaluated.
func TestEvaluate(t *testing.T) {
	g := openGolden(t)
	tr := g.trainer(t, testBackend(t), "sgd")
	all := memory{g: g}
	e, err := tr.Evaluate(context.Background(), all, false)
	if err != nil {
		t.Fatal(err)
	}
	m, err := tr.Step(Batch{Images: g.images, Labels: g.Labels}) // all pictures at once
	if err != nil || math.Abs(e.Loss-m.Loss) > 1e-6 || e.Correct != m.Correct || e.Total != 20 || e.Accuracy != float64(m.Correct)/20 {
		t.Errorf("evaluated to %+v, a step tells %+v (%v)", e, m, err)
	}
	_, err = tr.Evaluate(context.Background(), all, true)
	if err == nil || !strings.Contains(err.Error(), "average") {
		t.Errorf("an average that isn't kept: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tr.Evaluate(ctx, all, false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	each := len(g.images) / len(g.Labels)
	for want, list := range map[string][]Batch{
		"no pictures": nil,
		"label 9":     {{Images: g.images[:each], Labels: []int{9}}},
		"has 2 label": {{Images: g.images[:each], Labels: []int{0, 1}}},
		"aren't":      {{Images: g.images[:5]}},
	} {
		if _, err := tr.Evaluate(context.Background(), batches(list), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

type batches []Batch

func (b batches) Len() int { return len(b) }

func (b batches) Batches(int, int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for _, one := range b {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// TestFitTargets trains on targets in place of labels, and says so of an epoch
// that is empty.
func TestFitTargets(t *testing.T) {
	g := openGolden(t)
	f, tr := fit(t, filepath.Join(t.TempDir(), "run"), false)
	f.Train, f.Epochs = batches{{Images: g.images, Targets: g.soft}}, 1
	if m, err := f.Run(context.Background(), tr); err != nil || m.Updates != 1 {
		t.Errorf("targets: %+v (%v)", m, err)
	}
	f, tr = fit(t, filepath.Join(t.TempDir(), "run"), false)
	f.Train = batches{}
	if _, err := f.Run(context.Background(), tr); err == nil || !strings.Contains(err.Error(), "no batches") {
		t.Errorf("an empty epoch: %v", err)
	}
}
